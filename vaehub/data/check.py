"""Whether rows fit a model: shape, condition and the support of the likelihood."""

from __future__ import annotations

import warnings

import torch
from torch import Tensor

from vaehub.base import Batch, Likelihood, Spec
from vaehub.errors import UsageError
from vaehub.sparse import stored

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
    inside = likelihood.support.check(x) if mask is None else likelihood.support.check(x) | ~mask
    if not bool(inside.all()):
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


def unsupported(likelihood: Likelihood, x: Tensor) -> str:
    """What is wrong with values outside the support."""
    expected = f"likelihood: {type(likelihood).__name__.lower()} expects {likelihood.expects}"
    unknown = int(x.isnan().sum())
    if unknown:
        return f"{expected}, x holds {unknown} NaN; leave those rows out, or mark gaps in the data's mask"
    return f"{expected}, x spans [{x.min().item():g}, {x.max().item():g}]; scale the data or choose another likelihood"
