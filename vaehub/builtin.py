"""The parts that ship with the engine, through the same hook as any plugin's."""

from __future__ import annotations

from vaehub.hooks import hookimpl


@hookimpl
def vaehub_components() -> dict[str, str]:
    """Networks, posteriors, priors, likelihoods and objectives of the core."""
    return {
        "encoder/mlp": "vaehub.nets:MLPEncoder",
        "decoder/mlp": "vaehub.nets:MLPDecoder",
        "posterior/diag_normal": "vaehub.posteriors:DiagNormal",
        "posterior/full_normal": "vaehub.posteriors:FullNormal",
        "posterior/iaf": "vaehub.posteriors:IAF",
        "prior/standard_normal": "vaehub.priors:StandardNormal",
        "prior/conditional_normal": "vaehub.priors:ConditionalNormal",
        "prior/mixture": "vaehub.priors:Mixture",
        "prior/vamp": "vaehub.priors:Vamp",
        "prior/flow": "vaehub.priors:Flow",
        "likelihood/bernoulli": "vaehub.likelihoods:Bernoulli",
        "likelihood/continuous_bernoulli": "vaehub.likelihoods:ContinuousBernoulli",
        "likelihood/normal": "vaehub.likelihoods:Normal",
        "likelihood/laplace": "vaehub.likelihoods:Laplace",
        "likelihood/student_t": "vaehub.likelihoods:StudentT",
        "likelihood/categorical": "vaehub.likelihoods:Categorical",
        "likelihood/poisson": "vaehub.likelihoods:Poisson",
        "likelihood/negative_binomial": "vaehub.likelihoods:NegativeBinomial",
        "likelihood/discretized_logistic": "vaehub.likelihoods:DiscretizedLogistic",
        "likelihood/multinomial": "vaehub.likelihoods:Multinomial",
        "likelihood/zero_inflated": "vaehub.likelihoods:ZeroInflated",
        "objective/elbo": "vaehub.objectives:ELBO",
        "objective/iwae": "vaehub.objectives:IWAE",
        "objective/tc_vae": "vaehub.objectives:TCVAE",
        "objective/info_vae": "vaehub.objectives:InfoVAE",
        "objective/perceptual": "vaehub.objectives:Perceptual",
    }
