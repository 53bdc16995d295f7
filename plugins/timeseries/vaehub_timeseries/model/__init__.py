"""The model of series: a stationary Gaussian process in closed form, and a VAE that corrects it."""
