"""The shallow linear autoencoder in closed form, by itself or beside a VAE."""

from __future__ import annotations

from typing import Annotated, final

import torch
from pydantic import Field
from scipy.sparse import csr_array
from torch import Tensor

from vaehub import Decoder, Likelihood, Part, Spec
from vaehub_recommender.closed_form import gram, peak_memory, solve
from vaehub_recommender.memory import require_memory
from vaehub_recommender.parts.catalogue import Catalogue
from vaehub_recommender.parts.linear_part import KEPT, WAYS_OUT, DenseLinearPart


@final
class Ease(DenseLinearPart):
    """Scores of another decoder plus `share` times x B, x the user's items and B from the closed form: a product of two experts.

    Steck (2019), arXiv:1905.03375. `dropout` is the share of inputs that the linear part learns to do without, in closed form too: the penalty of
    item i grows by dropout / (1 - dropout) G_ii, "Autoencoders that don't overfit towards the Identity" (Steck, 2020), NeurIPS 33. Mixed with
    a VAE as in "VASP: Variational Autoencoder and Shallow Autoencoder" (Vancura & Kordik, 2021), there as a product of
    probabilities; `base: null` leaves the linear part alone. Needs rows with their history in cond (domain.history), and 12 bytes of memory for
    each pair of items while it is fitted, 4 afterwards.

    Arguments:
        penalty: Ridge penalty of the linear part.
        dropout: Share of the inputs that the linear part learns to do without.
        base: The other decoder; null leaves the linear part alone.

    Raises:
        UsageError: more items than memory holds, or rows without their history.

    Example:
        >>> from vaehub_recommender.interactions import Interactions
        >>> from vaehub_recommender.parts.implicit import ImplicitMultinomial
        >>> rows = Interactions.of(csr_array([[1.0, 1, 0], [1, 1, 0], [0, 1, 1]]), history=True)
        >>> decoder = Ease(Spec((3,), cond=3), 1, ImplicitMultinomial(Spec((3,))), penalty=1, base=None)
        >>> decoder.initialise(rows)
        >>> decoder.weights.diagonal().tolist()
        [0.0, 0.0, 0.0]
        >>> decoder.weights[0, 1].item() > decoder.weights[0, 2].item()  # the first item goes with the second, not with the third
        True
    """

    diagonal: Tensor

    def __init__(
        self,
        spec: Spec,
        latent: int,
        likelihood: Likelihood,
        *,
        penalty: Annotated[float, Field(gt=0)] = 500.0,
        dropout: Annotated[float, Field(ge=0, lt=1)] = 0.0,
        base: Part[Decoder] | None = Catalogue,
    ) -> None:
        super().__init__(spec, latent, likelihood, base)
        self.penalty = penalty
        self.noise = dropout / (1 - dropout)  # the variance of inputs under dropout, by their square
        self.register_buffer("diagonal", torch.ones(spec.size))

    def learn(self, matrix: csr_array) -> None:
        """The closed form. Raises UsageError where memory does not hold it."""
        items = self.spec.size
        peak = KEPT * items**2 + peak_memory(items, matrix.nnz)
        require_memory(f"decoder ease: fitting weights between {items:,} items", peak, WAYS_OUT)
        products = gram(matrix)
        weights, diagonal = solve(products, self.penalty + self.noise * products.diagonal())
        self.weights.copy_(weights)
        self.diagonal.copy_(diagonal)
