"""p(z|c): distributions over the latent space, fixed or learnt."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Annotated, final

import torch
from pydantic import Field, PositiveInt
from torch import Tensor, nn
from torch.distributions import Distribution

from vaehub.base import Batch, Encoder, Model, Prior, Spec
from vaehub.errors import UsageError
from vaehub.model.distributions import FiniteMixture, Flowed, unrounded
from vaehub.model.flows import Kind, coupling
from vaehub.model.nets import Activation, dtype_of, mlp, required
from vaehub.model.posteriors import DiagNormal, bounded_exp, diag_normal


@final
class StandardNormal(Prior):
    """N(z; 0, I), whatever the condition.

    "Auto-Encoding Variational Bayes" (Kingma & Welling, 2014), arXiv:1312.6114.

    >>> StandardNormal(Spec((3,)), latent=2)().log_prob(torch.zeros(2)).exp().item() * 2 * torch.pi  # doctest: +ELLIPSIS
    1.0...
    """

    mean: Tensor
    scale: Tensor

    def __init__(self, spec: Spec, latent: int) -> None:
        super().__init__(spec, latent)
        self.register_buffer("mean", torch.zeros(latent), persistent=False)
        self.register_buffer("scale", torch.ones(latent), persistent=False)

    def forward(self, cond: Tensor | None = None) -> Distribution:
        """p(z): batch (), event (L,)."""
        return diag_normal(self.mean, self.scale)


@final
class ConditionalNormal(Prior):
    """N(z; mu(c), diag(sigma(c)^2)), mu and sigma by a multilayer perceptron that starts at N(0, I).

    "Learning Structured Output Representation using Deep Conditional Generative Models" (Sohn et al., 2015), NeurIPS 28.

    Arguments:
        hidden: Widths of the hidden layers, from input to output; none make one linear map.
        activation: Function between the layers.

    Raises:
        UsageError: the data have no condition.

    >>> ConditionalNormal(Spec((3,), cond=1), latent=2)(torch.ones(5, 1)).batch_shape
    torch.Size([5])
    """

    def __init__(
        self, spec: Spec, latent: int, *, hidden: Sequence[PositiveInt] = (128,), activation: Activation = "gelu"
    ) -> None:
        super().__init__(spec, latent)
        if not spec.cond:
            raise UsageError(
                "prior: conditional_normal needs data with a condition, these have none; choose prior: standard_normal"
            )
        self.family = DiagNormal(latent)
        self.net = mlp(spec.cond, *hidden, self.family.features, activation=activation)
        for parameter in self.net[-1].parameters():
            nn.init.zeros_(parameter)

    def forward(self, cond: Tensor | None = None) -> Distribution:
        """p(z|c): batch (B,), event (L,)."""
        return self.family(self.net(required(cond, self.spec.cond).to(dtype_of(self))))


@final
class Mixture(Prior):
    """sum_k w_k N(z; mu_k, diag(sigma_k^2)) with all of w, mu and sigma learnt, whatever the condition.

    "Variational Deep Embedding: An Unsupervised and Generative Approach to Clustering" (Jiang et al., 2017), arXiv:1611.05148.

    Arguments:
        components: Number of normal distributions K.

    >>> Mixture(Spec((3,)), latent=2, components=4)().sample((7,)).shape
    torch.Size([7, 2])
    """

    def __init__(self, spec: Spec, latent: int, *, components: PositiveInt = 10) -> None:
        super().__init__(spec, latent)
        self.logits = nn.Parameter(torch.zeros(components))
        self.mean = nn.Parameter(0.5 * torch.randn(components, latent))
        self.log_scale = nn.Parameter(torch.zeros(components, latent))

    @torch.no_grad()
    def start_from(self, z: Tensor) -> None:
        """Every mean at a random code, or at several where there are fewer codes, and the deviations of all codes."""
        self.mean.copy_(z[torch.arange(len(self.mean), device=z.device) % len(z)])
        self.log_scale.copy_(z.std(0, correction=0).clamp(min=1e-3).log().expand_as(self.log_scale))

    def forward(self, cond: Tensor | None = None) -> Distribution:
        """p(z): batch (), event (L,)."""
        return FiniteMixture(self.logits, diag_normal(self.mean, bounded_exp(self.log_scale)))


@final
class PseudoRows(nn.Module):
    """K learnt rows (K, *shape), kept within the range of the data they started from."""

    low: Tensor
    high: Tensor

    def __init__(self, count: int, shape: Sequence[int]) -> None:
        super().__init__()
        self.rows = nn.Parameter(0.1 * torch.randn(count, *shape))
        self.register_buffer("low", torch.tensor(-torch.inf))
        self.register_buffer("high", torch.tensor(torch.inf))

    @torch.no_grad()
    def start(self, data: Tensor) -> None:
        """Take up data (B, *shape), over and over where B < K, with noise of 1 % that tells repeated rows apart."""
        data = data.to(self.rows.dtype)
        self.low.copy_(data.min())
        self.high.copy_(data.max())
        chosen = data[torch.arange(len(self.rows), device=data.device) % len(data)]
        self.rows.copy_((chosen + 0.01 * data.std(correction=0) * torch.randn_like(chosen)).clamp(self.low, self.high))

    def forward(self) -> Tensor:
        """(K, *shape)."""
        return self.rows.clamp(self.low, self.high)


@final
class Vamp(Prior):
    """1/K sum_k q(z|u_k): the encoder's own posteriors at K learnt pseudo-inputs u_k, and pseudo-conditions where the data have any.

    Dropout and batch statistics are off while it reads the encoder, so p(z) is one density, in training too.
    "VAE with a VampPrior" (Tomczak & Welling, 2018), arXiv:1705.07120.

    Arguments:
        components: Number of pseudo-inputs K.

    Raises:
        UsageError: x is discrete.

    >>> from vaehub.model.nets import MLPEncoder
    >>> spec = Spec((3,))
    >>> prior = Vamp(spec, latent=2, components=4)
    >>> prior.read_through(MLPEncoder(spec, DiagNormal(2)))
    >>> prior().log_prob(torch.zeros(5, 2)).shape
    torch.Size([5])
    """

    def __init__(self, spec: Spec, latent: int, *, components: PositiveInt = 100) -> None:
        super().__init__(spec, latent)
        if spec.classes:
            raise UsageError(
                f"prior: vamp learns real-valued inputs, x has {spec.classes} classes; choose prior: mixture or flow"
            )
        self.x = PseudoRows(components, spec.shape)
        self.cond = PseudoRows(components, (spec.cond,)) if spec.cond else None
        self.wired: tuple[Encoder, ...] = ()  # in a tuple, so that its weights are not this module's too

    def wire(self, vae: Model) -> None:
        """Keep a reference to the encoder."""
        self.read_through(vae.encoder)

    def read_through(self, encoder: Encoder) -> None:
        """Take q(z|x) from this encoder."""
        self.wired = (encoder,)

    def initialise(self, batch: Batch) -> None:
        """Start the pseudo-inputs from random training rows."""
        batch = batch.dense()
        self.x.start(batch.without_hidden().x)
        if self.cond is not None and batch.cond is not None:
            self.cond.start(batch.cond)

    def forward(self, cond: Tensor | None = None) -> Distribution:
        """p(z): batch (), event (L,)."""
        if not self.wired:
            raise RuntimeError("vamp reads the encoder: call wire(vae) first, as VAE does")
        (encoder,) = self.wired
        with evaluating(encoder):
            q: Distribution = encoder(Batch(self.x(), None if self.cond is None else self.cond()))
        return FiniteMixture(torch.zeros_like(self.x.rows.flatten(1)[:, 0]), q)


@contextmanager
def evaluating(module: nn.Module) -> Iterator[None]:
    """The module in eval mode, then each part in its own mode again."""
    modes = [(part, part.training) for part in module.modules()]
    module.eval()
    try:
        yield
    finally:
        for part, mode in modes:
            part.training = mode


@final
class Flow(Prior):
    """N(0, I) sent through coupling layers, conditional on c where the data have a condition; it starts as N(0, I).

    log p(z) = log N(e; 0, I) - log|det de -> z|. `realnvp` moves by exp(s) z + t: "Density estimation using Real NVP" (Dinh et al., 2017),
    arXiv:1605.08803; `spline` by a rational-quadratic spline of `bins` pieces on [-5, 5]: "Neural Spline Flows" (Durkan et al., 2019),
    arXiv:1906.04032.

    Arguments:
        kind: What a layer does: realnvp moves by an affine map, spline by a rational-quadratic spline.
        layers: Number of coupling layers.
        hidden: Widths of the hidden layers of each coupling layer.
        bins: Pieces of a spline.

    >>> Flow(Spec((3,)), latent=2, layers=2, hidden=[8])().sample((5,)).shape
    torch.Size([5, 2])
    """

    def __init__(
        self,
        spec: Spec,
        latent: int,
        *,
        kind: Kind = "realnvp",
        layers: PositiveInt = 6,
        hidden: Sequence[PositiveInt] = (128, 128),
        bins: Annotated[int, Field(ge=2)] = 8,
    ) -> None:
        super().__init__(spec, latent)
        self.base = StandardNormal(spec, latent)
        self.flow = coupling(kind, latent, spec.cond, layers, hidden, bins)

    def forward(self, cond: Tensor | None = None) -> Distribution:
        """p(z|c): event (L,), batch (B,) where the data have a condition, else ()."""
        base: Distribution = self.base()
        if not self.spec.cond:
            return Flowed(base, self.flow().inv)
        context = required(cond, self.spec.cond).to(base.mean.dtype)
        with unrounded(context):
            transform = self.flow(context)
        return Flowed(base.expand(torch.Size([len(context)])), transform.inv)
