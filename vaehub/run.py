"""The facade: a trained model with all that can be asked of it, and loading one."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, final

from pydantic import TypeAdapter
from torch import Tensor

from vaehub.arguments import accepts, at_least, one_of
from vaehub.arguments import path as as_path
from vaehub.base import Codec, Domain, Json, Objective, Spec
from vaehub.config.build import build_domain, build_objective, build_vae
from vaehub.config.load import LARGEST, Config, load_config
from vaehub.data.seeds import seeded
from vaehub.errors import UsageError
from vaehub.files.guard import guarded, shortened
from vaehub.files.header import Header
from vaehub.files.locate import require_output
from vaehub.files.model_file import REMEDY, open_model, save_model
from vaehub.files.rebuild import rebuilt
from vaehub.files.validated import validated_json
from vaehub.hints import quoted
from vaehub.host.registry import registry
from vaehub.host.shipped_models import located_model
from vaehub.trained import OBJECTIVE, Condition, Rows, TrainedModel

if TYPE_CHECKING:
    import pandas as pd

MOST_DIMENSIONS = 16  # of a row


@final
class Run(TrainedModel):
    """A trained model, ready to use, with its scores, evaluation, report and file; `vaehub.train` and `vaehub.load` give one.

    >>> from vaehub import train
    >>> rows = [[float(i), 2.0 * i] for i in range(20)]
    >>> run = train({"latent": 1, "likelihood": "normal", "train": {"epochs": 1}}, data=rows, progress=False)
    >>> run.encode(rows).shape, run.sample(3, seed=1).shape, len(run.history)
    ((20, 1), (3, 2), 1)
    """

    objective_weights: Mapping[str, Tensor] = MappingProxyType({})  # of an objective that has any

    @property
    def objective(self) -> Objective:
        """What the model was trained by, with its own weights (an auxiliary head) as training left them, on the model's device."""
        return self._objective.to(self.device)

    @cached_property
    def _objective(self) -> Objective:
        objective = build_objective(self.config, self.spec)
        objective.wire(self.vae)
        objective.load_state_dict(self.objective_weights, strict=bool(self.objective_weights))
        return objective.eval()

    @accepts(samples=at_least(1), seed=at_least(0))
    def score(self, x: Rows, cond: Condition = None, *, samples: int = 16, seed: int = 0) -> pd.DataFrame:
        """How unlikely every row is, with its percentile among training rows; see `vaehub.evaluation.score`.

        Arguments:
            x: rows (N, *shape), or in any form that the codec converts.
            cond: the condition: a label, C numbers, or a row (N, C) for each.
            samples: draws of z for every row.
            seed: of the noise.
        """
        from vaehub.evaluation.score import score

        return score(self, self.rows(x, cond), samples, seed)

    @accepts(split=one_of("train", "val", "test"), samples=at_least(1), seed=at_least(0))
    def evaluate(self, split: str = "test", samples: int = 100, seed: int = 0) -> dict[str, Any]:
        """The bound, its parts and the likelihood of a split in nats per row; see `vaehub.evaluation.evaluate`.

        Arguments:
            split: "train", "val" or "test".
            samples: importance samples for every row.
            seed: of the noise.
        """
        from vaehub.evaluation.evaluate import evaluate

        return evaluate(self, split, samples, seed)

    def tune(self, data: Rows | None = None, *, val: Rows | None = None, epochs: int, lr: float | None = None) -> Run:
        """A copy of this run, trained `epochs` further in memory; this one stays as it is.

        Arguments:
            data: the rows to train on, in any form that `encode` takes; those of the domain where it is left out.
            val: the rows that epochs are compared by; where it is left out, `data`, or the domain's validation rows.
            epochs: how many.
            lr: the learning rate to begin with, by default that of the first training.

        Raises:
            UsageError: the rows do not fit the model.
        """
        from vaehub.evaluation.score import reference
        from vaehub.training.tuning import tuned

        rate = self.config.optimizer.lr if lr is None else lr
        shorter = [f"train.epochs={epochs}", "train.validate_every=1", f"optimizer.lr={rate}", "train.logger=none"]
        config = load_config(self.config.to_dict(), shorter)
        rows = self.data("train") if data is None else self.rows(data)
        held_out = self.rows(val) if val is not None else self.data("val") if data is None else rows
        vae, objective_weights, history = tuned(self, config, rows, held_out)
        state = {"score": reference(vae, rows, self.config.train.score_rows)} if "score" in self.state else {}
        run = Run(self.config, self.codec, self.domain, vae, state, None, history)
        run.objective_weights = objective_weights
        return run

    @accepts(path=as_path)
    def save(self, path: str | Path) -> None:
        """Write the model to a file of its own, which `vaehub.load` reads.

        Arguments:
            path: such as "model.safetensors".

        Raises:
            UsageError: the place cannot be written to.
        """
        require_output(Path(path))
        weights = self.vae.state_dict() | {OBJECTIVE + name: t for name, t in self.objective_weights.items()}
        header = header_of(self.config, self.codec, self.domain.trained_on)
        save_model(Path(path), weights, header | {"state": self.state})

    def report(self) -> Path:
        """Write RUN/report.html and RUN/figures/, and give the path of the page; see `vaehub.report.run_page`."""
        from vaehub.report.run_page import write_report

        return write_report(self)


@accepts(path=as_path)
def load(path: str | Path) -> Run:
    """The model of a run folder, of a model file, or one that comes with a plugin; nothing in the file is executed, no training data are needed.

    Arguments:
        path: RUN/, a file that `Run.save` wrote, or a name such as "molecules/drugs" where nothing lies at that path.

    Raises:
        UsageError: there is no model, it is damaged, or a plugin that it was trained with is not installed.

    >>> import tempfile
    >>> from vaehub import train
    >>> rows = [[float(i), 2.0 * i] for i in range(20)]
    >>> run = train({"likelihood": "normal", "train": {"epochs": 1}}, data=rows, progress=False)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     run.save(f"{folder}/model.safetensors")
    ...     loaded = load(f"{folder}/model.safetensors")
    >>> bool((loaded.encode(rows) == run.encode(rows)).all())
    True
    """
    path = Path(path)
    file = located_model(path)
    found = open_model(file)
    with guarded(file, REMEDY):
        header = validated_json(Header, found.header)
        config, spec = config_of(header, file), as_spec(header.spec)
        domain = build_domain(config)
        domain.codec, domain.trained_on = codec_of(config, spec, header.codec), header.splits
    if path.is_dir():
        domain.restore(path)
    with seeded("load"):  # the first weights are thrown away: they must not cost the caller random numbers
        vae, of_objective = rebuilt(found, lambda: build_vae(config, spec), apart=OBJECTIVE)
    state = header.state.model_dump(exclude_unset=True)
    run = Run(config, domain.codec, domain, vae, state, path if path.is_dir() else None)
    run.objective_weights = of_objective
    return run


def codec_of(config: Config, spec: Spec, state: Json) -> Codec:
    """What the model knows of its data, from the header of its file."""
    kind: type[Domain[Codec]] = registry().load("domain", config.domain.name)
    return kind.codec_type.from_json(spec, state)


def header_of(config: Config, codec: Codec, splits: Mapping[str, str] | None) -> Json:
    """What a model file says besides its weights: all that is needed to build the model again, and a digest of what is in each split."""
    return {
        "config": config.to_dict(),
        "spec": dataclasses.asdict(codec.spec),
        "codec": codec.to_json(),
        "plugins": registry().versions_used(config),
        "splits": dict(splits or {}),
    }


def config_of(header: Header, file: Path) -> Config:
    """The config in a model file's header; where it does not fit what is installed, the plugins that are missing are named."""
    try:
        return load_config(header.config)
    except UsageError as error:
        here = {plugin.name for plugin in registry().plugins} | {"vaehub"}
        absent = sorted(header.plugins.keys() - here)
        hint = f"the run was trained with {', '.join(absent)}, not here: install it, or give --plugin FILE" if absent else REMEDY
        first = str(error).splitlines()[:2][-1].strip()  # a file's config is not mended line by line
        raise UsageError(f"{file}: its config does not fit what is installed ({shortened(first)}); {hint}") from error


def as_spec(value: Json) -> Spec:
    """A Spec from JSON. Raises ValueError where it is none."""
    spec = TypeAdapter(Spec).validate_json(
        json.dumps(value), strict=True
    )  # a list is a tuple there, and nothing else is taken for it
    sizes = (*spec.shape, spec.cond + 1, spec.classes + 1, spec.targets + 1, *(size for _, size in spec.kinds))
    if not 1 <= min(sizes) <= max(sizes) <= LARGEST or len(spec.shape) > MOST_DIMENSIONS:
        raise ValueError(f"sizes that no row has: {quoted(value)}")
    return spec
