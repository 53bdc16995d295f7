"""The parts that ship with the engine, through the same hook as any plugin's."""

from __future__ import annotations

from vaehub.host.hooks import hookimpl


@hookimpl
def vaehub_components() -> dict[str, str]:
    """The domain of plain numbers, and networks, posteriors, priors, likelihoods and objectives of the core."""
    return {
        "domain/arrays": "vaehub.arrays.domain:Arrays",
        "judge/arrays": "vaehub.arrays.judge:ArraysJudge",
        "encoder/mlp": "vaehub.model.nets:MLPEncoder",
        "decoder/mlp": "vaehub.model.nets:MLPDecoder",
        "posterior/diag_normal": "vaehub.model.posteriors:DiagNormal",
        "posterior/full_normal": "vaehub.model.posteriors:FullNormal",
        "posterior/iaf": "vaehub.model.posteriors:IAF",
        "prior/standard_normal": "vaehub.model.priors:StandardNormal",
        "prior/conditional_normal": "vaehub.model.priors:ConditionalNormal",
        "prior/mixture": "vaehub.model.priors:Mixture",
        "prior/vamp": "vaehub.model.priors:Vamp",
        "prior/flow": "vaehub.model.priors:Flow",
        "likelihood/bernoulli": "vaehub.model.likelihoods:Bernoulli",
        "likelihood/continuous_bernoulli": "vaehub.model.likelihoods:ContinuousBernoulli",
        "likelihood/normal": "vaehub.model.likelihoods:Normal",
        "likelihood/laplace": "vaehub.model.likelihoods:Laplace",
        "likelihood/student_t": "vaehub.model.likelihoods:StudentT",
        "likelihood/categorical": "vaehub.model.likelihoods:Categorical",
        "likelihood/poisson": "vaehub.model.likelihoods:Poisson",
        "likelihood/negative_binomial": "vaehub.model.likelihoods:NegativeBinomial",
        "likelihood/discretized_logistic": "vaehub.model.likelihoods:DiscretizedLogistic",
        "likelihood/multinomial": "vaehub.model.likelihoods:Multinomial",
        "likelihood/per_column": "vaehub.model.likelihoods:PerColumn",
        "likelihood/zero_inflated": "vaehub.model.likelihoods:ZeroInflated",
        "objective/elbo": "vaehub.model.objectives:ELBO",
        "objective/iwae": "vaehub.model.objectives:IWAE",
        "objective/tc_vae": "vaehub.model.objectives:TCVAE",
        "objective/info_vae": "vaehub.model.objectives:InfoVAE",
        "objective/perceptual": "vaehub.model.objectives:Perceptual",
    }


@hookimpl
def vaehub_groups() -> dict[str, str]:
    """`vaehub demo …`, to which any plugin may add."""
    return {"demo": "See what a plugin can do, from data to report, on data that come with it."}
