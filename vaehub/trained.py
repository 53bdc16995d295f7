"""A trained model and what can be done with it, without the training data."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self, TypeAlias, overload

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from vaehub.arguments import accepts, at_least, described, one_of, wrong_argument, yes_or_no
from vaehub.base import Batch, Codec, Data, Domain, Json, Objective, Spec, estimate, expectation
from vaehub.config.load import Config
from vaehub.convert import as_tensor
from vaehub.data.check import check_rows
from vaehub.data.rows import Conditioned, TensorData, batches
from vaehub.data.seeds import seeded
from vaehub.errors import UsageError
from vaehub.facts import Described
from vaehub.model.vae import VAE
from vaehub.sparse import dense, take

if TYPE_CHECKING:
    import pandas as pd

Array: TypeAlias = NDArray[Any]
Rows: TypeAlias = "Array | Tensor | Data | pd.DataFrame | Sequence[Any]"  # whatever `Codec.convert` makes rows of
SPLITS = ("train", "val", "test")
METRICS = "metrics.csv"
OBJECTIVE = "objective."  # before the names of an objective's own weights in a model file
Condition: TypeAlias = "int | float | str | Sequence[int | float | str] | Array | Tensor | None"


class TrainedModel(Described):
    """A trained model, ready to use: numpy and torch in, numpy out; nothing here changes the model.

    What evaluation, reports and judges may rely on; `Run` is the one that users hold.

    >>> from vaehub import Run
    >>> issubclass(Run, TrainedModel)
    True
    """

    def __init__(
        self,
        config: Config,
        codec: Codec,
        domain: Domain[Codec],
        vae: VAE,
        state: Json | None = None,
        path: Path | None = None,
        history: pd.DataFrame | None = None,
    ) -> None:
        self.config, self.codec, self.domain, self.vae = config, codec, domain, vae.eval()
        self.state, self.path, self._history = state or {}, path, history

    @property
    def history(self) -> pd.DataFrame:
        """Figures of every epoch, one row each: those of RUN/metrics.csv.

        Raises:
            UsageError: it is a model file without its run folder.
        """
        from vaehub.files.history import read_history

        if self._history is None:
            if self.path is None or not (self.path / METRICS).exists():
                raise UsageError(f"history: {self.path or 'a model file'} has no {METRICS}; load the folder of the run")
            self._history = read_history(self.path)
        return self._history

    def facts(self) -> dict[str, object]:
        """What there is to say of this run in a few words, as `repr` and a notebook show it."""
        c, known = self.config, self._history is not None or (self.path is not None and (self.path / METRICS).exists())
        bounds = self.history["val_elbo"].dropna() if known and "val_elbo" in self.history else ()
        return {
            "domain": c.domain.name,
            "shape": self.spec.shape,
            "encoder": f"{c.encoder.name}/{c.posterior.name}",
            "decoder": f"{c.decoder.name}/{c.likelihood.name}",
            "prior": c.prior.name,
            "objective": c.objective.name,
            "latent": c.latent,
            "device": self.device,
            "epochs": len(self.history) if known else None,
            "best val_elbo": f"{max(bounds):.2f}" if len(bounds) else None,
            "path": self.path,
        }

    @property
    def spec(self) -> Spec:
        """Shape of the data."""
        return self.codec.spec

    @property
    def device(self) -> torch.device:
        """Where the model's weights are."""
        return next(self.vae.parameters()).device

    def to(self, device: torch.device | str) -> Self:
        """This run with its model moved to another device.

        Arguments:
            device: such as "cpu" or "cuda".

        Raises:
            UsageError: there is no such device here.
        """
        try:
            self.vae.to(torch.device(device))
        except (RuntimeError, TypeError, AssertionError) as error:
            raise wrong_argument("device", device, "a device that is here, such as 'cpu' or 'cuda'") from error
        return self

    @accepts(split=one_of("train", "val", "test"))
    def data(self, split: str) -> Data:
        """The domain's rows of a split.

        Arguments:
            split: "train", "val" or "test".

        Raises:
            UsageError: the training data are not at hand, or no longer those that the model was trained on.
        """
        try:
            rows = self.domain.data(split)
        except UsageError as error:
            where = self.path or "the model"
            is_run = self.path is not None and (self.path / "config.yaml").exists()
            hint = "" if is_run else f"; {where} is a model without the folder of a run"
            raise UsageError(f"{where}: this needs the training data, which cannot be read ({error}){hint}") from error
        try:
            self.domain.require_unchanged()
        except UsageError as error:
            raise UsageError(f"{self.path or 'the model'}: {error}") from error
        return rows

    def preview(self, x: Array) -> str:
        """What the domain says of rows that were drawn from the prior, in one line, if anything.

        Arguments:
            x: rows (B, *shape).
        """
        return self.codec.preview(as_tensor(x))

    def batches(self, data: Data, size: int | None = None) -> Iterator[Batch]:
        """Rows in order, on the model's device, unobserved elements replaced by 0.

        Arguments:
            data: the rows.
            size: rows in a batch; None: train.eval_batch_size.
        """
        for batch in batches(data, size or self.config.train.eval_batch_size, self.device):
            yield batch.without_hidden()

    def rows(self, x: Rows, cond: Condition = None) -> Data:
        """Rows as data of this model, checked.

        Arguments:
            x: rows (N, *shape), or in any form that the codec converts.
            cond: the condition: a label, C numbers, or a row (N, C) for each.

        Raises:
            UsageError: they do not fit the model.
        """
        data = self._data(x)
        if cond is not None:
            data = Conditioned(data, self._given(cond, len(data)))
        for batch in batches(data, self.config.train.eval_batch_size):
            if batch.cond is None and self.spec.cond:
                self.condition(None, len(data))
            check_rows(self.spec, self.vae.decoder.likelihood, batch)
        return data

    def _data(self, x: Rows) -> Data:
        try:
            rows = x if isinstance(x, Data) else self.codec.convert(x)
        except (TypeError, ValueError, AttributeError) as error:
            raise wrong_argument("x", x, "an array or a tensor of numbers") from error
        if isinstance(rows, Data):
            return rows
        return TensorData(rows.to(self._dtype) if rows.is_floating_point() else rows)

    def _given(self, cond: Condition, n: int) -> Tensor:
        rows = self.condition(cond, n)
        assert rows is not None  # a model without condition has raised
        return rows

    def condition(self, cond: Condition, n: int) -> Tensor | None:
        """The conditions of n rows, as the model takes them, from what a user gives.

        Arguments:
            cond: a label, C numbers, or a row (n, C) for each.
            n: number of rows.

        Returns:
            (n, C), or None for a model without condition.

        Raises:
            UsageError: it does not fit the model, or is missing.
        """
        if not self.spec.cond:
            if cond is not None:
                raise UsageError(f"cond: this model takes no condition, got {described(cond)}; leave it out")
            return None
        if cond is None:
            raise UsageError(
                f"cond: this model is conditional ({self.spec.cond} numbers a row); give cond=… (--cond on the command line)"
            )
        try:
            tensor = self._condition_rows(cond)
        except (TypeError, ValueError, LookupError) as error:
            raise wrong_argument("cond", cond, f"a label, {self.spec.cond} numbers, or an array of a row for each") from error
        if tensor.shape[-1] != self.spec.cond or tensor.shape[0] not in (1, n):
            raise UsageError(f"cond: shape {tuple(tensor.shape)} does not fit {n} rows of {self.spec.cond} numbers")
        return tensor.expand(n, -1).to("cpu", self._dtype)

    def _condition_rows(self, cond: Any) -> Tensor:
        if isinstance(cond, (np.ndarray, Tensor)) and cond.ndim == 2:
            return self.codec.scale_condition(as_tensor(cond, "cond"))
        if isinstance(cond, Tensor | np.ndarray):
            cond = cond.tolist()
        return self.codec.condition([cond] if isinstance(cond, (int, float, str)) else cond).unsqueeze(0)

    @property
    def _dtype(self) -> torch.dtype:
        return next(p for p in self.vae.parameters() if p.is_floating_point()).dtype

    @accepts(n=at_least(1), seed=at_least(0), noise=yes_or_no)
    def sample(self, n: int, *, cond: Condition = None, seed: int = 0, noise: bool = False) -> Array:
        """New rows (n, *shape): z from the prior, then E[x|z], in the units of the data.

        Arguments:
            n: how many.
            cond: the condition: a label, C numbers, or a row (n, C) for each.
            seed: of the draws.
            noise: draw x from p(x|z) in place of its mean, as is done anyhow where p(x|z) has no closed mean.
        """
        return self.codec.present(self.draw(n, self.condition(cond, n), seed=seed, noise=noise))

    @torch.no_grad()
    def draw(self, n: int, cond: Tensor | None, *, seed: int = 0, noise: bool = False) -> Tensor:
        """As `sample`, in the form that the model was trained on, such as standardised: (n, *shape).

        Arguments:
            n: how many.
            cond: the conditions (n, C) in that form, as `condition` gives them.
            seed: of the draws.
            noise: draw x from p(x|z) in place of its mean.
        """
        with seeded("sample", seed):
            rows = None if cond is None else cond.to(self.device)
            return self._decode(self.vae.sample(n, rows), rows, noise, draw=True)

    @overload
    def encode(self, x: Rows, cond: Condition = None, *, std: Literal[False] = False) -> Array: ...

    @overload
    def encode(self, x: Rows, cond: Condition = None, *, std: Literal[True]) -> tuple[Array, Array]: ...

    @torch.no_grad()
    def encode(self, x: Rows, cond: Condition = None, *, std: bool = False) -> Array | tuple[Array, Array]:
        """The mean of q(z|x,c) for every row.

        Arguments:
            x: rows (N, *shape), or in any form that the codec converts.
            cond: the condition: a label, C numbers, or a row (N, C) for each.
            std: give the standard deviation of q(z|x,c) too.

        Returns:
            Means (N, L); with `std` a pair of means and standard deviations, (N, L) each.
        """
        found = [self.vae.encoder(batch) for batch in self.batches(self.rows(x, cond))]
        none = [] if found else [np.zeros((0, self.config.latent), np.float32)]
        means = np.concatenate([*none, *(q.mean.cpu().numpy() for q in found)])
        return (means, np.concatenate([*none, *(q.stddev.cpu().numpy() for q in found)])) if std else means

    @torch.no_grad()
    def decode(self, z: Array | Tensor, cond: Condition = None) -> Array:
        """E[x|z] for codes (its mode, where a mean says nothing): (N, *shape).

        Arguments:
            z: codes (N, L).
            cond: the condition: a label, C numbers, or a row (N, C) for each.

        Raises:
            UsageError: the codes or the condition do not fit the model.
        """
        codes = as_tensor(z, "z")
        if codes.is_complex():
            raise wrong_argument("z", z, f"an array of real numbers (N, {self.config.latent})")
        codes = codes.to(self.device, self._dtype)
        if codes.ndim != 2 or codes.shape[1] != self.config.latent:
            raise UsageError(f"z has shape {tuple(codes.shape)}; this model expects (N, {self.config.latent})")
        rows = self.condition(cond, len(codes))
        return self.codec.present(self._decode(codes, None if rows is None else rows.to(self.device), noise=False))

    @torch.no_grad()
    @accepts(seed=at_least(0), noise=yes_or_no)
    def reconstruct(self, x: Rows, cond: Condition = None, *, seed: int = 0, noise: bool = False) -> Array:
        """E[x|z] at the mean of q(z|x,c): (N, *shape).

        Arguments:
            x: rows (N, *shape), or in any form that the codec converts.
            cond: the condition: a label, C numbers, or a row (N, C) for each.
            seed: of the draws.
            noise: draw z from q(z|x,c) and x from p(x|z) in place of their means.
        """
        parts = []
        with seeded("reconstruct", seed):
            for batch in self.batches(self.rows(x, cond)):
                q = self.vae.encoder(batch)
                given = None if batch.cond is None else dense(batch.cond)
                parts.append(self._decode(q.sample() if noise else q.mean, given, noise))
        return self.codec.present(torch.cat(parts) if parts else self._no_rows())

    @torch.no_grad()
    @accepts(steps=at_least(2))
    def interpolate(self, a: Rows, b: Rows, steps: int = 10, cond: Condition = None) -> Array:
        """Decoded points (steps, *shape) on the straight line between the codes of two rows.

        Arguments:
            a: a single row.
            b: another one.
            steps: number of points, both ends included.
            cond: the condition under which a and b are encoded and all points decoded; where it is left out, that of a.
        """
        first = self._end("a", a, None if cond is None else self._given(cond, 1))
        own = first[torch.tensor([0])].cond
        given = None if own is None else dense(own)
        ends = [self.encode(end)[0] for end in (first, self._end("b", b, given))]
        weights = np.linspace(0, 1, steps, dtype=ends[0].dtype)[:, None]
        z = as_tensor((1 - weights) * ends[0] + weights * ends[1]).to(self.device)
        return self.codec.present(
            self._decode(z, None if given is None else given.to(self.device).expand(steps, -1), noise=False)
        )

    def _end(self, name: str, row: Rows, cond: Tensor | None) -> Data:
        """A single row, given with or without its batch dimension, under a condition (1, C) as the model takes it."""
        try:
            data = self._data(_one_row(row, self.spec))
            data = self.rows(data if cond is None else Conditioned(data, cond.expand(len(data), -1)))
        except UsageError as error:
            raise UsageError(f"{name}: {error}") from error
        if len(data) != 1:
            raise wrong_argument(name, row, "a single row")
        return data

    def _decode(self, z: Tensor, cond: Tensor | None, noise: bool, draw: bool = False) -> Tensor:
        parts = []
        for index in torch.arange(len(z), device=z.device).split(self.config.train.eval_batch_size):
            px = self.vae.decoder(z[index], None if cond is None else take(cond, index))
            parts.append((px.sample() if noise or (draw and expectation(px) is None) else estimate(px)).cpu())
        return torch.cat(parts) if parts else self._no_rows()

    def _no_rows(self) -> Tensor:
        return torch.zeros(0, *self.spec.shape, dtype=self._dtype)


def weights_of(vae: VAE, objective: Objective) -> dict[str, Tensor]:
    """What a model file holds: the model's weights, and those of an objective that learns."""
    weights: dict[str, Tensor] = dict(vae.state_dict())
    if any(p.requires_grad for p in objective.parameters()):
        weights |= {OBJECTIVE + name: t for name, t in objective.state_dict().items()}
    return weights


def separated(weights: Mapping[str, Tensor]) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """The weights of the model, and those of its objective."""
    own = {name: t for name, t in weights.items() if not name.startswith(OBJECTIVE)}
    return own, {name.removeprefix(OBJECTIVE): t for name, t in weights.items() if name.startswith(OBJECTIVE)}


def _one_row(x: Any, spec: Spec) -> Any:
    """A single row, given with or without its batch dimension, as a batch of one."""
    return x[None] if isinstance(x, np.ndarray | Tensor) and tuple(x.shape) == spec.shape else x
