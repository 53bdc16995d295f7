"""The sections of a run's page that are about molecules."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pandas as pd

from vaehub import TrainedModel, evaluation, report
from vaehub_molecules.chem.canonical import canonical_or_empty
from vaehub_molecules.chem.properties import property_table
from vaehub_molecules.report.cards import PROPERTIES, card, property_lines
from vaehub_molecules.report.charts import latent_figure, property_figure
from vaehub_molecules.report.measures import described_figures
from vaehub_molecules.use.counts import count_samples
from vaehub_molecules.use.interpolate import interpolate
from vaehub_molecules.use.latent_space import LatentSpace
from vaehub_molecules.use.neighbours import neighbours
from vaehub_molecules.use.reconstruct import reconstruct

DRAWN = 1000  # samples that are looked at
SHOWN, PAIRS, QUERIES, NEAR, STEPS = 24, 12, 2, 5, 8  # cards of each kind
MAPPED = 3000  # points of the map, and molecules of each histogram
SEARCHED = 20_000  # training molecules among which neighbours are sought
GROUPS = ("training molecules", "samples", "unseen molecules")
WORTH = (
    "Side by side, for one without the other says little: "
    "a collapsed model can draw fine molecules, and know nothing of those it is shown."
)
BACK = (
    "Unseen molecules, encoded to the mean of q(z|x) and decoded. What does not come back exactly is marked; "
    "Tanimoto: of counted ECFP4, 1 is alike."
)
NEARBY = "Training molecules nearest to an unseen one: by code, as the model sees it, and by fingerprint, as a chemist may."
WAY = "Different molecules on the great circle between the codes of the first and the last."


def run_sections(run: TrainedModel) -> Sequence[report.Section]:
    """What the model is worth, draws, gives back, takes for alike, and where molecules lie. Needs the training data.

    Raises UsageError for a run of other things than molecules.
    """
    space = LatentSpace(run)
    test, train = readable_test_molecules(space), space.domain.train["smiles"].tolist()
    texts, samples = draw_samples(space, test)
    summary = f"Drawn from the prior, none left out: {count_samples(texts, space.trained_on, space.policy).line()}."
    if (profile := space.codec.profile) is not None:
        likeness = profile.likeness([smiles for smiles in samples if smiles])
        summary = ". ".join(filter(None, (summary.rstrip("."), likeness.line(), likeness.warning()))) + "."
    sections = [
        report.Section("What it is worth", measure_tables(run), f"{data_summary(space, len(train), len(test))}. {WORTH}"),
        report.Section("New molecules", single_cards(sample_cards(space, samples[:SHOWN], texts[:SHOWN])), summary),
        report.Section("What comes back", [report.Cards(pairs)] if (pairs := pair_cards(space, test[:PAIRS])) else [], BACK),
        report.Section("What lies near", list(neighbourhoods(space, test[:QUERIES], train[:SEARCHED])), NEARBY),
        report.Section("From one to another", single_cards(interpolation_cards(space, test)), WAY),
        report.Section(
            "Properties", [report.Beside(histograms(train, [s for s in samples if s], test)), *latent_maps(space, test or train)]
        ),
    ]
    return [section for section in sections if section.blocks]


def single_cards(cards: Sequence[report.Card]) -> list[report.Block]:
    """Cards in a grid, each by itself."""
    return [report.Cards([[each] for each in cards])] if cards else []


def measure_tables(run: TrainedModel) -> list[report.Block]:
    """Figures by kind, each with what it says."""
    return [
        report.Table(("figure", "value", "what it says"), [[m.name, m.value, m.meaning] for m in kept], kind, words=True)
        for kind, kept in described_figures(evaluation.domain_metrics(run)).items()
    ]


def readable_test_molecules(space: LatentSpace) -> list[str]:
    """Test molecules that the model can read."""
    return [smiles for smiles in space.domain.frame("test")["smiles"] if space.can_read(smiles)]


def data_summary(space: LatentSpace, train: int, test: int) -> str:
    """What it was trained on, in a line."""
    size = f"{train:,} molecules to train on, {test:,} unseen ones to judge by"
    return f"{size}; {len(space.vocabulary) - 1} symbols, strings of up to {space.vocabulary.length - 1}, {space.latent} latent dimensions"


def draw_samples(space: LatentSpace, test: Sequence[str]) -> tuple[list[str], list[str]]:
    """Strings drawn from the prior, and the molecules that they are."""
    given = space.rows([test[i % len(test)] for i in range(DRAWN)]).cond if test else None
    texts = space.strings(space.prior(DRAWN, 0, given), space.decoder.temperature, cond=given)
    return texts, canonical_or_empty(texts, space.policy)


def sample_cards(space: LatentSpace, samples: Sequence[str], texts: Sequence[str]) -> list[report.Card]:
    """Samples, marked where they are no molecule or were trained on."""
    seen = space.trained_on.holds(list(samples))
    return [sample_card(*each) for each in zip(samples, texts, property_lines(samples), seen, strict=True)]


def sample_card(smiles: str, text: str, note: str, seen: bool) -> report.Card:
    """One sample."""
    if not smiles:
        return card("", "not a molecule", (text[:120],), "error")
    return card(smiles, "seen in training" if seen else "", (note,))


def pair_cards(space: LatentSpace, test: Sequence[str]) -> list[tuple[report.Card, report.Card]]:
    """Unseen molecules beside what comes back of them."""
    return [
        (card(row.smiles, "given"), returned_card(row.returned, row.exact, row.similarity))
        for row in rows_of(reconstruct(space, test))
    ]


def returned_card(smiles: str, exact: bool, similarity: float) -> report.Card:
    """What came back of one."""
    if exact:
        return card(smiles, "returned exactly", tone="good")
    return card(smiles, f"returned: Tanimoto {similarity:.2f}" if smiles else "returned: not a molecule", tone="error")


def neighbourhoods(space: LatentSpace, queries: Sequence[str], among: Sequence[str]) -> Iterator[report.Cards]:
    """Unseen molecules with the training molecules most like them, by code and by fingerprint."""
    if not queries:
        return
    frame = neighbours(space, queries, among, NEAR)
    words = {"code": "distance {:.2f}", "fingerprint": "Tanimoto {:.2f}"}
    for (query, by), rows in frame.groupby(["query", "by"], sort=False):
        near = [[card(row.smiles, words[str(by)].format(row.value))] for row in rows_of(rows)]
        yield report.Cards([[card(str(query), "given")], *near], f"Nearest by {by}")


def interpolation_cards(space: LatentSpace, test: Sequence[str]) -> list[report.Card]:
    """The way from one unseen molecule to another."""
    if len(test) < 2:
        return []
    path = interpolate(space, test[0], test[1], STEPS)
    return [
        card(row.smiles, f"at {row.at:.2f}", (f"Tanimoto {row.to_first:.2f} to the first, {row.to_last:.2f} to the last",))
        for row in rows_of(path)
    ]


def histograms(*groups: Sequence[str]) -> list[report.Figure]:
    """Properties of training molecules, samples and unseen molecules."""
    frames = {name: property_table(list(part[:MAPPED]), tuple(PROPERTIES)) for name, part in zip(GROUPS, groups, strict=True)}
    return [
        property_figure(name, word, {group: frame[name].to_numpy(float) for group, frame in frames.items()})
        for name, word in PROPERTIES.items()
    ]


def latent_maps(space: LatentSpace, smiles: Sequence[str]) -> list[report.Block]:
    """Where molecules lie, by logP and by QED."""
    shown = list(smiles[:MAPPED])
    if len(shown) < 3:
        return []
    codes = space.encode(shown).double().numpy()
    values = property_table(shown, ("logp", "qed"))
    return [report.Beside([latent_figure(codes, values[name].to_numpy(float), name) for name in ("logp", "qed")])]


def rows_of(frame: pd.DataFrame) -> Iterator[Any]:
    """The rows of a table, with names."""
    return iter(frame.itertuples())
