"""The mathematics: the VAE, its parts, distributions and objectives."""

from .distributions import unrounded as unrounded
from .likelihoods import Normal as Normal
from .objectives import ELBO as ELBO
from .objectives import logs_of as logs_of
from .posteriors import DiagNormal as DiagNormal
from .posteriors import bounded_exp as bounded_exp
from .priors import Vamp as Vamp
from .vae import repeat as repeat
