"""The hooks: names only, so that listing the plugin imports nothing of it."""

from vaehub import hookimpl

PARTS = "vaehub_recommender.parts."


@hookimpl
def vaehub_components() -> dict[str, str]:
    """Every part of this package, by kind and name."""
    return {
        "domain/recommender": "vaehub_recommender.domain:Recommendation",
        "judge/recommender": "vaehub_recommender.judge.run_judge:RecommendationJudge",
        "encoder/bag": PARTS + "bag:BagEncoder",
        "encoder/recency": PARTS + "recency:RecencyEncoder",
        "encoder/recvae": PARTS + "recvae:DenseEncoder",
        "decoder/catalogue": PARTS + "catalogue:Catalogue",
        "decoder/ease": PARTS + "ease:Ease",
        "decoder/linear": PARTS + "linear:Linear",
        "decoder/sparse_linear": PARTS + "sparse_linear:SparseLinear",
        "decoder/item_knn": PARTS + "item_knn:ItemKnn",
        "encoder/hierarchical": PARTS + "hierarchy:HierarchicalEncoder",
        "prior/hierarchical_vamp": PARTS + "hierarchy:HierarchicalVamp",
        "posterior/narrow": PARTS + "narrow:Narrow",
        "likelihood/implicit_multinomial": PARTS + "implicit:ImplicitMultinomial",
        "likelihood/implicit_logistic": PARTS + "implicit:ImplicitLogistic",
        "likelihood/implicit_gaussian": PARTS + "implicit:ImplicitGaussian",
        "objective/recvae": PARTS + "recvae:RecVAE",
    }


@hookimpl
def vaehub_commands() -> dict[str, str]:
    """`vaehub recommender …` and `vaehub demo recommender`."""
    commands = "vaehub_recommender.commands."
    return {
        "recommender recommend": commands + "recommend:recommend",
        "recommender evaluate": commands + "evaluate:evaluate",
        "recommender explain": commands + "explain:explain",
        "recommender similar": commands + "explain:similar",
        "recommender update": commands + "update:update",
        "recommender forget": commands + "update:forget",
        "recommender report": commands + "evaluate:report",
        "demo recommender": "vaehub_recommender.demo:recommender",
    }


@hookimpl
def vaehub_groups() -> dict[str, str]:
    """What `vaehub --help` says of the commands."""
    return {"recommender": "Recommend items to known and new users, and say why."}
