"""Families p(x|z,c): what a decoder's reals mean, as a distribution over the data."""

from vaehub.likelihoods.continuous import Laplace, Normal, StudentT
from vaehub.likelihoods.counts import Multinomial, NegativeBinomial, Poisson
from vaehub.likelihoods.discrete import Categorical, DiscretizedLogistic
from vaehub.likelihoods.inflated import ZeroInflated
from vaehub.likelihoods.unit import Bernoulli, ContinuousBernoulli

__all__ = [
    "Bernoulli",
    "Categorical",
    "ContinuousBernoulli",
    "DiscretizedLogistic",
    "Laplace",
    "Multinomial",
    "NegativeBinomial",
    "Normal",
    "Poisson",
    "StudentT",
    "ZeroInflated",
]
