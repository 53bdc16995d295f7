"""The mathematics: the VAE, its parts, distributions and objectives."""
