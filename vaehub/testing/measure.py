"""Numerical tools of the checks: integrals of densities, moments, comparisons."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from itertools import combinations_with_replacement
from typing import TypeVar

import torch
from torch import Tensor, nn
from torch.distributions import Distribution, biject_to, constraints

from vaehub.testing.core import Skipped, require

M = TypeVar("M", bound=nn.Module)

GRID = 20_001  # points of a one-dimensional integral
REACH = 14.0  # sinh(14) = 6e5 interquartile ranges to either side: enough for the tails of a Cauchy distribution
SIDE = 200  # points along either axis of a two-dimensional integral
SIGMAS = 6.0  # standard errors that a Monte-Carlo mean may be off


MOMENTS: dict[str, Callable[[Tensor], Tensor]] = {
    "mean": lambda z: z,
    "mean square": lambda z: z.square(),
    "mean product": lambda z: z.prod(-1, keepdim=True),
}


def elementary(support: constraints.Constraint) -> constraints.Constraint:
    """The constraint on one element."""
    while isinstance(support, constraints.independent):
        support = support.base_constraint
    return support


def support_of(d: Distribution, stated: constraints.Constraint) -> constraints.Constraint:
    """Where one element of the distribution may lie, by its own account, else as stated."""
    with suppress(NotImplementedError):
        return elementary(d.support or stated)
    return elementary(stated)


def integers(support: constraints.Constraint, samples: Tensor) -> Tensor:
    """All integers of a discrete support (N,); an unbounded one far beyond what was sampled."""
    low = int(getattr(support, "lower_bound", 0))
    beyond = low + 200 + 4 * int(samples.max())
    x = torch.arange(low, int(getattr(support, "upper_bound", beyond)) + 1)
    return x[support.check(x)]


def grid(support: constraints.Constraint, samples: Tensor) -> tuple[Tensor, Tensor]:
    """Points x (N,) of a continuous support and log weights (N,) such that sum exp(log p(x) + weight) is the integral of p.

    x = T(m + s sinh u) for even u, where T maps the reals onto the support and m, s are median and spread of the samples before T.
    """
    map_onto = biject_to(support)
    raw = map_onto.inv(samples.flatten().double()).clamp(-1e6, 1e6)
    spread = (raw.quantile(0.75) - raw.quantile(0.25)).clamp(min=1e-6)
    u = torch.linspace(-REACH, REACH, GRID, dtype=torch.float64)
    t = raw.median() + spread * u.sinh()
    x = map_onto(t)
    log_weight = map_onto.log_abs_det_jacobian(t, x) + spread.log() + u.cosh().log() + torch.tensor(2 * REACH / (GRID - 1)).log()
    inside = support.check(x) & log_weight.isfinite()
    return x[inside], log_weight[inside]


def counts(total: int, kinds: int) -> Tensor:
    """All ways to split `total` into counts of so many kinds: (N, kinds)."""
    picks = torch.tensor(list(combinations_with_replacement(range(kinds), total)), dtype=torch.long).reshape(-1, total)
    return torch.nn.functional.one_hot(picks, kinds).sum(1).double()


def plane(samples: Tensor) -> tuple[Tensor, float]:
    """Points (N, 2) of an even grid that spans samples (S, 2) with a wide margin, and the area of a cell."""
    low, high = samples.amin(0), samples.amax(0)
    margin = 0.75 * (high - low)
    axes = [
        torch.linspace(float(a), float(b), SIDE, dtype=samples.dtype) for a, b in zip(low - margin, high + margin, strict=True)
    ]
    cell = float((axes[0][1] - axes[0][0]) * (axes[1][1] - axes[1][0]))
    return torch.cartesian_prod(*axes), cell


def plane_density(d: Distribution, points: Tensor, rows: int) -> Tensor:
    """Density of a two-dimensional distribution of so many rows, or of none (0), at the points: (N, rows), or (N, 1)."""
    shaped = points.unsqueeze(1).expand(-1, rows, -1) if rows else points
    log_p = torch.cat([d.log_prob(chunk) for chunk in shaped.split(4096)])
    return log_p.reshape(len(points), -1).exp()


def require_plane_density(d: Distribution, drawn: Tensor) -> None:
    """Fails unless a two-dimensional density integrates to 1 and has the mean and the second moments of these samples (S, …, 2)."""
    points, cell = plane(drawn.reshape(-1, 2))
    mass = plane_density(d, points, drawn.shape[1] if drawn.dim() == 3 else 0) * cell
    drawn = drawn.reshape(len(drawn), -1, 2)
    total = mass.sum(0)
    require(
        bool((total - 1).abs().max() < 2e-3), f"the density integrates to {listing(total)} on a grid of {SIDE}x{SIDE}, not to 1"
    )
    for name, of in MOMENTS.items():
        expected = torch.einsum("nr,nk->rk", mass, of(points))
        require_mean(of(drawn), expected, f"{name} of z by the density")


def require_mean(samples: Tensor, expected: Tensor, what: str) -> None:
    """Fails unless the mean of samples (S, …) is `expected` (…) within Monte-Carlo error."""
    mean, error = samples.mean(0), samples.std(0) / len(samples) ** 0.5
    off = (mean - expected).abs() > SIGMAS * error + 1e-3 * (1 + expected.abs())
    at = int(off.flatten().int().argmax())
    figures = f"{mean.flatten()[at]:.4g} +- {error.flatten()[at]:.2g}"
    require(not bool(off.any()), f"{what} is {expected.flatten()[at]:.4g}, but {len(samples)} samples give {figures}")


def listing(t: Tensor) -> str:
    """A few numbers as text."""
    return ", ".join(f"{v:.4g}" for v in t.flatten()[:4].tolist())


def require_same(seen: Tensor, expected: Tensor, message: str, tolerance: float = 1e-4) -> None:
    """Fails unless two tensors agree to the tolerance, relative and absolute."""
    require(seen.shape == expected.shape, f"{message} (shape {tuple(seen.shape)} against {tuple(expected.shape)})")
    close = torch.isclose(seen, expected, rtol=tolerance, atol=tolerance, equal_nan=False)
    if not bool(close.all()):
        worst = (seen - expected).abs().nan_to_num(float("inf")).max()
        require(False, f"{message} (differs by up to {float(worst):.3g})")


def require_different(seen: Tensor, other: Tensor, message: str) -> None:
    """Fails where two tensors are equal to rounding."""
    require(not torch.allclose(seen, other, rtol=1e-6, atol=1e-7), message)


def require_finite(t: Tensor, message: str) -> None:
    """Fails where a tensor has NaN or infinite values."""
    require(bool(t.isfinite().all()), f"{message}: {int((~t.isfinite()).sum())} of {t.numel()} values are NaN or infinite")


def require_gradients(module: nn.Module, names: str = "", others: str = "-") -> None:
    """Fails unless the last backward pass reached every trainable parameter whose name starts so (and not as `others`), with finite values."""
    for name, parameter in module.named_parameters():
        if parameter.requires_grad and name.startswith(names) and not name.startswith(others):
            require(parameter.grad is not None and bool(parameter.grad.any()), f"no gradient reaches the parameter {name}")
            require_finite(parameter.grad, f"gradient of {name}")  # type: ignore[arg-type]


def jitter(module: M, scale: float = 0.05) -> M:
    """The module with noise on its parameters, so that no path is closed by weights that start at zero."""
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.add_(scale * torch.randn_like(parameter))
    return module


def mean_of(d: Distribution) -> Tensor:
    """The mean. Raises Skipped where the family has none."""
    try:
        mean = d.mean
    except NotImplementedError as error:
        raise Skipped("the family states no mean") from error
    if bool(mean.isnan().all()):
        raise Skipped("the family has no mean")
    return mean
