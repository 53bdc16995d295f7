"""A density without bound on data with atoms: the ELBO rises without end, which is said before training."""

from __future__ import annotations

import warnings

import pytest
import torch

import vaehub
from vaehub.base import Batch, Spec
from vaehub.data.check import warn_of_atoms
from vaehub.host.registry import registry
from vaehub.model.likelihoods import Bernoulli, ContinuousBernoulli, DiscretizedLogistic, Normal, ZeroInflated

SPEC = Spec((10,))


def rows(share: float, value: float = 0.0) -> torch.Tensor:
    """1,000 values between 0.1 and 0.9, of which a share is exactly `value`."""
    x = 0.1 + 0.8 * torch.rand(1000, generator=torch.Generator().manual_seed(0))
    x[: round(1000 * share)] = value
    return x.reshape(100, 10)


def warnings_of(likelihood, batch) -> list[str]:
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        warn_of_atoms(likelihood, batch)
    return [str(warning.message) for warning in said]


@pytest.mark.parametrize(("share", "value"), [(0.4, 0.0), (0.4, 1.0), (0.05, 0.0)])
def test_atoms_at_the_edge_are_named_with_the_remedy(share, value):
    [text] = warnings_of(ContinuousBernoulli(SPEC), Batch(rows(share, value)))
    assert f"{share:.0%} of x are exactly 0 or 1" in text
    assert "discretized_logistic" in text


@pytest.mark.parametrize(
    ("likelihood", "x"),
    [
        (ContinuousBernoulli, rows(0.04)),
        (ContinuousBernoulli, rows(0.4, 0.5)),
        (Bernoulli, rows(0.4)),
        (Normal, rows(0.4)),
        (lambda spec: ZeroInflated(spec, base=ContinuousBernoulli), rows(0.4)),
        (lambda spec: DiscretizedLogistic(Spec(spec.shape, classes=2)), rows(1.0)),
    ],
)
def test_a_bound_or_no_atom_is_no_reason_to_warn(likelihood, x):
    assert warnings_of(likelihood(SPEC), Batch(x)) == []


def test_a_wrapper_knows_what_is_left_of_its_base():
    [text] = warnings_of(ZeroInflated(SPEC, base=ContinuousBernoulli), Batch(rows(0.4, 1.0)))
    assert "40% of x are exactly 1," in text


def test_hidden_values_do_not_count():
    x = rows(0.4)
    assert warnings_of(ContinuousBernoulli(SPEC), Batch(x, mask=x > 0)) == []
    assert warnings_of(ContinuousBernoulli(SPEC), Batch(x, mask=torch.zeros_like(x, dtype=torch.bool))) == []


def test_the_remedy_is_a_part_that_exists():
    name = ContinuousBernoulli.bounded_instead.split()[0]
    assert f"likelihood/{name}" in registry().components


def test_training_says_it_once(small, tmp_path):
    with pytest.warns(UserWarning, match="without end") as said:
        vaehub.train(small(likelihood="continuous_bernoulli", train={"epochs": 1}), out=tmp_path / "run", progress=False)
    assert len([w for w in said if "without end" in str(w.message)]) == 1
