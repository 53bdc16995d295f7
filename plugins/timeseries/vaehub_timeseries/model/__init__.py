"""The model of series: a stationary Gaussian process in closed form, and a VAE that corrects it."""

from vaehub_timeseries.model.experts import Experts, fit_experts

__all__ = ["Experts", "fit_experts"]
