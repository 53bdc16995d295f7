"""A trained model with its domain: what `vaehub.load` and `vaehub.train` give."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias, final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.distributions import Distribution

from vaehub.base import Batch, Data, Domain, Json, Spec
from vaehub.config.build import build_domain, build_vae
from vaehub.config.load import Config, load_config
from vaehub.data.check import check_rows
from vaehub.data.rows import Conditioned, TensorData, batches
from vaehub.data.seeds import seeded
from vaehub.errors import UsageError
from vaehub.files.model_file import load_model, save_model
from vaehub.host.registry import registry
from vaehub.model.vae import VAE, point

if TYPE_CHECKING:
    import pandas as pd

Array: TypeAlias = NDArray[Any]
Rows: TypeAlias = "Array | Tensor | Data"
Condition: TypeAlias = "int | float | str | Sequence[int | float | str] | Array | Tensor | None"


@final
class Run:
    """A trained model, ready to use. numpy and torch in, numpy out; nothing here changes the model."""

    def __init__(
        self, config: Config, spec: Spec, domain: Domain, vae: VAE, state: Json | None = None, path: Path | None = None
    ) -> None:
        self.config, self.spec, self.domain, self.vae = config, spec, domain, vae.eval()
        self.state, self.path = state or {}, path

    @property
    def device(self) -> torch.device:
        """Where the model's weights are."""
        return next(self.vae.parameters()).device

    def to(self, device: torch.device | str) -> Run:
        """This run with its model moved to another device."""
        self.vae.to(device)
        return self

    def data(self, split: str) -> Data:
        """The domain's rows of a split; needs the training data."""
        return self.domain.data(split)

    def batches(self, data: Data, size: int | None = None) -> Iterator[Batch]:
        """Rows in order, on the model's device."""
        return batches(data, size or self.config.train.eval_batch_size, self.device)

    def rows(self, x: Rows, cond: Condition = None) -> Data:
        """Rows x (N, *shape) as data of this model, checked. Raises UsageError where they do not fit."""
        data = self._data(x) if cond is None else Conditioned(self._data(x), self._given(cond, len(x)))
        for batch in batches(data, self.config.train.eval_batch_size):
            if batch.cond is None and self.spec.cond:
                self.condition(None, len(x))
            check_rows(self.spec, self.vae.decoder.likelihood, batch)
        return data

    def _data(self, x: Rows) -> Data:
        if isinstance(x, Data):
            return x
        tensor = as_tensor(x)
        if tensor.is_floating_point():
            tensor = tensor.to(self._dtype)
        return TensorData(tensor)

    def _given(self, cond: Condition, n: int) -> Tensor:
        rows = self.condition(cond, n)
        assert rows is not None  # a model without condition has raised
        return rows

    def condition(self, cond: Condition, n: int) -> Tensor | None:
        """cond (n, C) from what a user gives: a label, C numbers, or a row for each. Raises UsageError where it does not fit."""
        if not self.spec.cond:
            if cond is not None:
                raise UsageError(f"cond: this model takes no condition, got {cond!r}; leave it out")
            return None
        if cond is None:
            raise UsageError(
                f"cond: this model is conditional ({self.spec.cond} numbers a row); give cond=… (--cond on the command line)"
            )
        tensor = self._condition_rows(cond)
        if tensor.shape[-1] != self.spec.cond or tensor.shape[0] not in (1, n):
            raise UsageError(f"cond: shape {tuple(tensor.shape)} does not fit {n} rows of {self.spec.cond} numbers")
        return tensor.expand(n, -1).to("cpu", self._dtype)

    def _condition_rows(self, cond: Any) -> Tensor:
        if isinstance(cond, (np.ndarray, Tensor)) and cond.ndim == 2:
            return torch.as_tensor(cond)
        if isinstance(cond, Tensor | np.ndarray):
            cond = cond.tolist()
        return self.domain.condition([cond] if isinstance(cond, (int, float, str)) else cond).unsqueeze(0)

    @property
    def _dtype(self) -> torch.dtype:
        return next(p for p in self.vae.parameters() if p.is_floating_point()).dtype

    @torch.no_grad()
    def sample(self, n: int, *, cond: Condition = None, seed: int = 0, noise: bool = False) -> Array:
        """n rows (n, *shape) from the prior: E[x|z], or a draw from p(x|z) with `noise` or where p(x|z) has no closed mean."""
        if n < 1:
            raise UsageError(f"n: expected at least 1 sample, got {n}")
        with seeded("sample", seed):
            rows = self.condition(cond, n)
            rows = None if rows is None else rows.to(self.device)
            return self._decode(self.vae.sample(n, rows), rows, noise, draw=True)

    @torch.no_grad()
    def encode(self, x: Rows, cond: Condition = None) -> Array:
        """The mean of q(z|x,c) for every row: (N, L)."""
        means = [self.vae.encoder(batch).mean for batch in self.batches(self.rows(x, cond))]
        return np.concatenate([m.cpu().numpy() for m in means]) if means else np.zeros((0, self.config.latent), np.float32)

    @torch.no_grad()
    def decode(self, z: Array | Tensor, cond: Condition = None) -> Array:
        """E[x|z] (its mode, where a mean says nothing) for codes z (N, L): (N, *shape)."""
        codes = as_tensor(z).to(self.device, self._dtype)
        if codes.ndim != 2 or codes.shape[1] != self.config.latent:
            raise UsageError(f"z has shape {tuple(codes.shape)}; this model expects (N, {self.config.latent})")
        rows = self.condition(cond, len(codes))
        return self._decode(codes, None if rows is None else rows.to(self.device), noise=False)

    @torch.no_grad()
    def reconstruct(self, x: Rows, cond: Condition = None, *, seed: int = 0, noise: bool = False) -> Array:
        """E[x|z] at the mean of q(z|x,c), or at a draw from it with `noise`."""
        parts = []
        with seeded("reconstruct", seed):
            for batch in self.batches(self.rows(x, cond)):
                q = self.vae.encoder(batch)
                parts.append(self._decode(q.sample() if noise else q.mean, batch.cond, noise))
        return np.concatenate(parts)

    def interpolate(self, a: Rows, b: Rows, steps: int = 10, cond: Condition = None) -> Array:
        """Decoded points (steps, *shape) on the straight line between the codes of row a and row b, ends included."""
        if steps < 2:
            raise UsageError(f"steps: expected at least 2, got {steps}")
        ends = [self.encode(_one_row(row, self.spec), cond)[0] for row in (a, b)]
        weights = np.linspace(0, 1, steps, dtype=ends[0].dtype)[:, None]
        return self.decode((1 - weights) * ends[0] + weights * ends[1], cond)

    def _decode(self, z: Tensor, cond: Tensor | None, noise: bool, draw: bool = False) -> Array:
        size, parts = self.config.train.eval_batch_size, []
        for i in range(0, len(z), size):
            px = self.vae.decoder(z[i : i + size], None if cond is None else cond[i : i + size])
            parts.append((px.sample() if noise or (draw and not has_mean(px)) else point(px)).cpu().numpy())
        return np.concatenate(parts)

    def score(self, x: Rows, cond: Condition = None, *, samples: int = 16, seed: int = 0) -> pd.DataFrame:
        """How unlikely every row is, with its percentile among training rows; see `vaehub.evaluation.score`."""
        from vaehub.evaluation.score import score

        return score(self, self.rows(x, cond), samples, seed)

    def evaluate(self, split: str = "test", samples: int = 100, seed: int = 0) -> dict[str, Any]:
        """The bound, its parts and the likelihood of a split in nats per row; see `vaehub.evaluation.evaluate`."""
        from vaehub.evaluation.evaluate import evaluate

        return evaluate(self, split, samples, seed)

    def save(self, path: str | Path) -> None:
        """Write the model to a file of its own, which `vaehub.load` reads."""
        save_model(Path(path), self.vae.state_dict(), header_of(self.config, self.spec, self.domain) | {"state": self.state})

    def report(self) -> Path:
        """Write RUN/report.html and RUN/figures/, and give the path of the page; see `vaehub.report.run_page`."""
        from vaehub.report.run_page import write_report

        return write_report(self)


def as_tensor(x: Array | Tensor) -> Tensor:
    """The same numbers as a tensor; arrays that must not be written to, such as those of pandas, are copied."""
    return x if isinstance(x, Tensor) else torch.from_numpy(np.require(x, requirements=["C", "W"]))


def has_mean(px: Distribution) -> bool:
    """Whether p(x|z) has a mean to show."""
    try:
        return not bool(px.mean.isnan().all())
    except NotImplementedError:
        return False


def _one_row(x: Any, spec: Spec) -> Any:
    """A single row, given with or without its batch dimension, as a batch of one."""
    if isinstance(x, Data):
        return x
    return x[None] if tuple(x.shape) == spec.shape else x


def load(path: str | Path) -> Run:
    """The model of a run folder or of a model file. Needs neither the training data nor pickle, and executes nothing from the file."""
    path = Path(path)
    if not path.exists():
        raise UsageError(f"{path}: no such run; train one with `vaehub train CONFIG --out {path}`")
    file = model_file(path) if path.is_dir() else path
    weights, header = load_model(file)
    config, spec = config_of(header, file), as_spec(required(header, "spec", file), file)
    domain = build_domain(config)
    domain.restore(spec, required(header, "domain", file))
    vae = blank_vae(config, spec, file)
    restore_weights(vae, weights, file)
    return Run(config, spec, domain, vae, header.get("state", {}), path if path.is_dir() else None)


def header_of(config: Config, spec: Spec, domain: Domain) -> Json:
    """What a model file says besides its weights: all that is needed to build the model again."""
    return {
        "config": config.to_dict(),
        "spec": dataclasses.asdict(spec),
        "domain": domain.state(),
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
            tuple(int(n) for n in value["shape"]), int(value["cond"]), int(value["classes"]), int(value.get("targets", 0))
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
