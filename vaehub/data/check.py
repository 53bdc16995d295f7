"""Whether rows fit a model: shape, condition and the support of the likelihood."""

from __future__ import annotations

import warnings

import torch
from torch import Tensor

from vaehub.base import Batch, Data, Likelihood, Spec
from vaehub.data.rows import batches
from vaehub.errors import UsageError
from vaehub.sparse import stored, take

ATOMS = 0.05  # share of x at exactly the values where a density has no bound, from which it is worth a word


def check_rows(spec: Spec, likelihood: Likelihood, batch: Batch) -> None:
    """Raise UsageError where rows do not fit the model: shape, condition, or values outside the likelihood's support."""
    if tuple(batch.x.shape[1:]) != spec.shape:
        raise UsageError(f"x has rows of shape {tuple(batch.x.shape[1:])}; this model expects {spec.shape}")
    width = 0 if batch.cond is None else batch.cond.shape[-1]
    if width != spec.cond:
        raise UsageError(f"the condition has {width} numbers a row; this model expects {spec.cond}")
    mask = batch.observed
    x = stored(batch.x)
    fits = x.isfinite().all() if mask is None else x[mask].isfinite().all()
    inside = likelihood.support.check(x) if mask is None else likelihood.support.check(x) | ~mask
    if not bool(fits and inside.all()):
        raise UsageError(unsupported(likelihood, x if mask is None else x[mask]))


def warn_of_atoms(likelihood: Likelihood, batch: Batch) -> None:
    """Warn where many x lie exactly where the density of the likelihood has no upper bound."""
    places = likelihood.unbounded_at
    if not places:
        return
    mask, x = batch.observed, batch.dense().x
    found = torch.isin(x if mask is None else x[mask], x.new_tensor(places))
    share = float(found.double().mean())  # NaN where nothing is observed
    if share >= ATOMS:
        warnings.warn(
            f"likelihood: {share:.0%} of x are exactly {' or '.join(f'{place:g}' for place in places)}, where the density has no upper "
            f"bound: the ELBO will rise without end and says little; use {likelihood.bounded_instead}",
            UserWarning,
            stacklevel=2,
        )


def check_split(spec: Spec, likelihood: Likelihood, data: Data, split: str, size: int) -> None:
    """Check all rows of a split, `size` at a time. Raises UsageError that names the split and the row."""
    for start, batch in zip(range(0, len(data), size), batches(data, size), strict=True):
        try:
            check_rows(spec, likelihood, batch)
        except UsageError as error:
            row = first_unfit(spec, likelihood, batch)
            raise UsageError(
                f"domain: the {split} split, row {start + row[0]}: {row[1]}" if row else f"{split} split: {error}"
            ) from error


def first_unfit(spec: Spec, likelihood: Likelihood, batch: Batch) -> tuple[int, str] | None:
    """The first row of a batch that does not fit, and why."""
    for row in range(len(batch.x)):
        index = torch.tensor([row], device=batch.x.device)
        try:
            check_rows(spec, likelihood, batch.map(lambda t: take(t, index)))  # noqa: B023
        except UsageError as error:
            return row, str(error)
    return None


def unsupported(likelihood: Likelihood, x: Tensor) -> str:
    """What is wrong with values outside the support."""
    expected = f"likelihood: {type(likelihood).__name__.lower()} expects {likelihood.expects}"
    for name, found in (("NaN", x.isnan()), ("Inf", x.isinf())):
        if bool(found.any()):
            return f"{expected}, x holds {int(found.sum())} {name}; leave those rows out, or mark gaps in the data's mask"
    return f"{expected}, x spans [{x.min().item():g}, {x.max().item():g}]; scale the data or choose another likelihood"
