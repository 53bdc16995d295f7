"""A linear-Gaussian VAE, built from the ordinary parts, against its closed-form evidence."""

import math

import torch
from torch.distributions import MultivariateNormal

from vaehub.base import Batch, Spec
from vaehub.model.likelihoods import Normal
from vaehub.model.nets import MLPDecoder, MLPEncoder
from vaehub.model.posteriors import FullNormal
from vaehub.model.priors import StandardNormal
from vaehub.model.vae import VAE

NOISE = 0.5


def set_affine(net, weight, bias):
    (layer,) = net
    with torch.no_grad():
        layer.weight.copy_(weight)
        layer.bias.copy_(bias)


def probabilistic_pca(size=6, latent=3):
    """A VAE of affine maps whose q is the exact posterior, its data, and their closed-form evidence log N(x; b, W W^T + s^2 I)."""
    torch.manual_seed(0)
    spec, s = Spec((size,)), NOISE
    w, b, x = torch.randn(size, latent).double(), torch.randn(size).double(), torch.randn(5, size).double()
    vae = VAE(
        MLPEncoder(spec, FullNormal(latent), hidden=[]),
        MLPDecoder(spec, latent, Normal(spec, scale=NOISE), hidden=[]),
        StandardNormal(spec, latent),
    ).double()
    set_affine(vae.decoder.net, w, b)
    covariance = torch.linalg.inv(torch.eye(latent).double() + w.T @ w / s**2)
    gain, root = covariance @ w.T / s**2, torch.linalg.cholesky(covariance)
    unit = root / root.diagonal().unsqueeze(1)
    weight = torch.zeros(vae.encoder.posterior.features, size).double()
    weight[:latent] = gain
    set_affine(
        vae.encoder.net, weight, torch.cat([-gain @ b, root.diagonal().log(), unit[*torch.tril_indices(latent, latent, -1)]])
    )
    evidence = MultivariateNormal(b, w @ w.T + s**2 * torch.eye(size).double()).log_prob(x)
    return vae, x, evidence


def test_linear_gaussian_vae_agrees_with_its_closed_form_evidence():
    vae, x, evidence = probabilistic_pca()
    terms = vae(Batch(x), samples=20)
    weight = terms.log_px + terms.log_pz - terms.log_qz
    torch.testing.assert_close(weight, evidence.expand(20, -1), atol=1e-10, rtol=0)
    torch.testing.assert_close(weight.logsumexp(0) - math.log(20), evidence, atol=1e-10, rtol=0)


def test_linear_gaussian_evidence_bound_is_below_and_tight_in_the_closed_form_kl():
    vae, x, evidence = probabilistic_pca()
    terms = vae(Batch(x), samples=4000)
    error = terms.log_px.std(0) / math.sqrt(4000)
    assert ((terms.elbo - evidence).abs() < 5 * error).all()
    with torch.no_grad():
        vae.encoder.net[0].bias[0] += 0.5
    worse = vae(Batch(x), samples=4000)
    assert (worse.elbo < evidence).all()
