"""The facade: a trained model with all that can be asked of it, and loading one."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, final

from torch import Tensor

from vaehub.base import Codec, Domain, Json, Kind, Objective, Spec
from vaehub.config.build import build_domain, build_objective, build_vae
from vaehub.config.load import Config, load_config
from vaehub.data.seeds import seeded
from vaehub.errors import UsageError
from vaehub.files.model_file import load_model, save_model
from vaehub.hints import reason
from vaehub.host.registry import registry
from vaehub.model.vae import VAE
from vaehub.trained import OBJECTIVE, Condition, Rows, TrainedModel, separated

if TYPE_CHECKING:
    import pandas as pd


@final
class Run(TrainedModel):
    """A trained model, ready to use, with its scores, evaluation, report and file."""

    objective_weights: Mapping[str, Tensor] = MappingProxyType({})  # of an objective that has any

    @cached_property
    def objective(self) -> Objective:
        """What the model was trained by, with its own weights (an auxiliary head) as training left them."""
        objective = build_objective(self.config, self.spec)
        objective.wire(self.vae)
        objective.load_state_dict(self.objective_weights, strict=bool(self.objective_weights))
        return objective.to(self.device).eval()

    def score(self, x: Rows, cond: Condition = None, *, samples: int = 16, seed: int = 0) -> pd.DataFrame:
        """How unlikely every row is, with its percentile among training rows; see `vaehub.evaluation.score`."""
        from vaehub.evaluation.score import score

        return score(self, self.rows(x, cond), samples, seed)

    def evaluate(self, split: str = "test", samples: int = 100, seed: int = 0) -> dict[str, Any]:
        """The bound, its parts and the likelihood of a split in nats per row; see `vaehub.evaluation.evaluate`."""
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
        from vaehub.training.memory import tuned

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

    def save(self, path: str | Path) -> None:
        """Write the model to a file of its own, which `vaehub.load` reads."""
        weights = self.vae.state_dict() | {OBJECTIVE + name: t for name, t in self.objective_weights.items()}
        save_model(Path(path), weights, header_of(self.config, self.codec) | {"state": self.state})

    def report(self) -> Path:
        """Write RUN/report.html and RUN/figures/, and give the path of the page; see `vaehub.report.run_page`."""
        from vaehub.report.run_page import write_report

        return write_report(self)


def load(path: str | Path) -> Run:
    """The model of a run folder or of a model file. Needs neither the training data nor pickle, and executes nothing from the file."""
    path = Path(path)
    if not path.exists():
        raise UsageError(f"{path}: no such run; train one with `vaehub train CONFIG --out {path}`")
    file = model_file(path) if path.is_dir() else path
    weights, header = load_model(file)
    config, spec = config_of(header, file), as_spec(required(header, "spec", file), file)
    codec = codec_of(config, spec, required(header, "codec", file), file)
    domain = build_domain(config)
    domain.codec = codec
    vae = blank_vae(config, spec, file)
    own, of_objective = separated(weights)
    restore_weights(vae, own, file)
    run = Run(config, codec, domain, vae, header.get("state", {}), path if path.is_dir() else None)
    run.objective_weights = of_objective
    return run


def codec_of(config: Config, spec: Spec, state: Json, file: Path) -> Codec:
    """What the model knows of its data, from the header of its file."""
    kind: type[Domain[Codec]] = registry().load("domain", config.domain.name)
    try:
        return kind.codec_type.from_json(spec, state)
    except (UsageError, MemoryError):
        raise
    except Exception as error:
        raise UsageError(
            f"{file}: what it says of its data is damaged ({reason(error)}); use another copy, or train again"
        ) from error


def header_of(config: Config, codec: Codec) -> Json:
    """What a model file says besides its weights: all that is needed to build the model again."""
    return {
        "config": config.to_dict(),
        "spec": dataclasses.asdict(codec.spec),
        "codec": codec.to_json(),
        "plugins": registry().versions_used(config),
    }


def model_file(folder: Path) -> Path:
    """The best model of a run, or the last where training broke before there was a best."""
    best, last = folder / "model.safetensors", folder / "last.safetensors"
    return last if last.exists() and not best.exists() else best


def config_of(header: Json, file: Path) -> Config:
    """The config in a model file's header; where it does not fit what is installed, the plugins that are missing are named."""
    given = required(header, "config", file)
    try:
        return load_config(given)
    except UsageError as error:
        here = {plugin.name for plugin in registry().plugins} | {"vaehub"}
        absent = sorted(header.get("plugins", {}).keys() - here)
        hint = f"; the run was trained with {', '.join(absent)}, not here: install it, or give --plugin FILE" if absent else ""
        raise UsageError(f"{file}: {error}{hint}") from error


def blank_vae(config: Config, spec: Spec, file: Path) -> VAE:
    """The model before it gets its weights. Its first ones are thrown away: they must not cost the caller random numbers."""
    try:
        with seeded("load"):
            return build_vae(config, spec)
    except (MemoryError, RuntimeError) as error:
        raise UsageError(f"{file}: the model that its header describes cannot be built ({str(error).splitlines()[0]})") from error


def required(header: Json, key: str, file: Path) -> Any:
    """An entry of a model file's header, an object of JSON."""
    if not isinstance(header.get(key), dict):
        raise UsageError(f"{file}: the header has no {key!r}; use another copy, or train again")
    return header[key]


def as_spec(value: Json, file: Path) -> Spec:
    """A Spec from JSON."""
    try:
        spec = Spec(
            shape=tuple(int(n) for n in value["shape"]),
            cond=int(value["cond"]),
            classes=int(value["classes"]),
            targets=int(value["targets"]),
            kinds=tuple(Kind(str(name), int(size)) for name, size in value["kinds"]),  # type: ignore[arg-type]
        )
        if min((*spec.shape, spec.cond + 1, spec.classes + 1, spec.targets + 1)) < 1:
            raise ValueError(f"sizes below the least: {value}")
        return spec
    except (KeyError, TypeError, ValueError) as error:
        raise UsageError(f"{file}: the header's spec is damaged ({error}); use another copy, or train again") from error


def restore_weights(vae: VAE, weights: dict[str, Tensor], file: Path) -> None:
    """Give the model its weights, all of them and no others."""
    own = {name: tuple(t.shape) for name, t in vae.state_dict().items()}
    wrong = sorted(n for n in own.keys() | weights.keys() if n not in weights or own.get(n) != tuple(weights[n].shape))
    if wrong:
        raise UsageError(
            f"{file}: {len(wrong)} weights do not fit the model that its header describes ({wrong[0]}, …); use another copy"
        )
    vae.load_state_dict(weights)
