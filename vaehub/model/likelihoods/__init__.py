"""Families p(x|z,c): what a decoder's reals mean, as a distribution over the data."""

from vaehub.model.likelihoods.columns import PerColumn
from vaehub.model.likelihoods.continuous import Laplace, Normal, StudentT
from vaehub.model.likelihoods.counts import Multinomial, NegativeBinomial, Poisson
from vaehub.model.likelihoods.discrete import Categorical, DiscretizedLogistic
from vaehub.model.likelihoods.inflated import ZeroInflated
from vaehub.model.likelihoods.unit import Bernoulli, ContinuousBernoulli

__all__ = [
    "Bernoulli",
    "Categorical",
    "ContinuousBernoulli",
    "DiscretizedLogistic",
    "Laplace",
    "Multinomial",
    "NegativeBinomial",
    "Normal",
    "PerColumn",
    "Poisson",
    "StudentT",
    "ZeroInflated",
]
