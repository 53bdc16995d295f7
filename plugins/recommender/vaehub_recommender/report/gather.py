"""From a recommender to what the page shows."""

from __future__ import annotations

from dataclasses import replace
from importlib.metadata import version
from typing import TYPE_CHECKING

from vaehub import UsageError, report
from vaehub_recommender.api.fitted import Fitted
from vaehub_recommender.api.query import require_users
from vaehub_recommender.report.examples import examples
from vaehub_recommender.report.findings import Findings
from vaehub_recommender.report.item_names import kinds_of, names_of
from vaehub_recommender.report.maps import has_codes, map_of_items, map_of_users
from vaehub_recommender.report.try_it import try_it, widget

if TYPE_CHECKING:
    from vaehub_recommender.judge import Judged
    from vaehub_recommender.recommender import Recommender

HOW = {
    "strong": "Judged on users whom the model has never seen: it was shown four fifths of their items, and had to find the rest.",
    "last": "Judged by the latest item of each user, which was kept from the model.",
    "random": "Judged by a random fifth of each user's items, which was kept from the model.",
    "temporal": "Judged by what everybody had from a moment on, which was kept from the model.",
}
GIVEN = "Judged by items that were kept from the model."
ANEW = "For that, a model like this one was trained without them."


def gather(recommender: Recommender, judged: Judged | None = None) -> Findings:
    """All that the page shows; the recommender is judged where it has not been. Raises UsageError for one that knows no users."""
    if recommender.fitted.new_items is not None:  # the page is on what the model has learnt
        recommender = recommender.of(replace(recommender.fitted, new_items=None))
    fitted = require_users(recommender.fitted)
    protocol = fitted.run.config.domain.options["split"] if fitted.run.path else "strong"
    names, kinds, coded = names_of(fitted), kinds_of(fitted), has_codes(fitted)
    box = try_it(recommender, names)
    return Findings(
        about=about(fitted),
        judged=judged or recommender.evaluate(protocol),
        how=GIVEN if judged else HOW[protocol] if fitted.run.path else f"{HOW[protocol]} {ANEW}",
        users=map_of_users(fitted, kinds) if coded else None,
        items=map_of_items(fitted, names, kinds) if coded else None,
        examples=examples(recommender, names),
        made=provenance(fitted),
        choice=fitted.choice,
        box=None if box is None else widget(box, whole=not coded),
        training=training_curves(fitted),
    )


def training_curves(fitted: Fitted) -> list[report.Block]:
    """What the epochs tell, where several were kept."""
    try:
        epochs = fitted.run.history
    except UsageError:
        return []
    return list(report.learning_curves(epochs, fitted.run.config.train.monitor)) if len(epochs) > 1 else []


def about(fitted: Fitted) -> str:
    """Users, items and interactions, in a line."""
    users, items = fitted.log.matrix.shape
    cells = fitted.log.matrix.nnz
    counts = (report.plural(users, "user"), report.plural(items, "item"), report.plural(cells, "interaction"))
    return f"{', '.join(counts)}: {cells / users:.0f} items a user, {cells / users / items:.2%} of all pairs"


def provenance(fitted: Fitted) -> dict[str, str]:
    """Model and versions."""
    config = fitted.run.config
    parts = {
        "encoder": config.encoder,
        "posterior": config.posterior,
        "decoder": config.decoder,
        "likelihood": config.likelihood,
        "prior": config.prior,
        "objective": config.objective,
    }
    names = ", ".join(f"{kind} {part.name}" for kind, part in parts.items())
    versions = ", ".join(f"{name} {version(name)}" for name in ("vaehub", "vaehub-recommender", "torch"))
    return {"model": f"{names}; {config.latent} latent dimensions", "versions": versions}
