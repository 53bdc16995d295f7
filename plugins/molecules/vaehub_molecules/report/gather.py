"""From a run to what its page shows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pandas as pd
import torch

from vaehub.data.rows import Subset
from vaehub.evaluation.doctor import diagnose
from vaehub.evaluation.importance import evidence
from vaehub.evaluation.judge import judge_of_run
from vaehub.report.run_page import verdict, versions
from vaehub.run import Run
from vaehub_molecules.chem.properties import table
from vaehub_molecules.report.cards import TOLD, Card, told
from vaehub_molecules.report.charts import bars, histogram, latent_map
from vaehub_molecules.report.findings import Measure, Neighbourhood, RunFindings
from vaehub_molecules.report.look import Picture, picture
from vaehub_molecules.report.measures import measures
from vaehub_molecules.use.codec import Codec, canonical_or_empty
from vaehub_molecules.use.interpolate import interpolate
from vaehub_molecules.use.neighbours import neighbours
from vaehub_molecules.use.reconstruct import reconstruct
from vaehub_molecules.use.sample import counts

DRAWN = 1000  # samples that are looked at
SHOWN, PAIRS, QUERIES, NEAR, STEPS = 24, 12, 2, 5, 8  # cards of each kind
MAPPED = 3000  # points of the map, and molecules of each histogram
SEARCHED = 20_000  # training molecules among which neighbours are sought
GROUPS = ("training molecules", "samples", "unseen molecules")


def gather(run: Run) -> RunFindings:
    """All that the page shows. Needs the training data. Raises UsageError for a run of other things than molecules."""
    codec = Codec(run)
    test = unseen(codec)
    texts, samples = drawn(codec, test)
    found = diagnose(run)
    figures = judge_of_run(run).metrics(run, "test")
    train = codec.domain.train["smiles"].tolist()
    return RunFindings(
        title=run.path.resolve().name if run.path else "model",
        about=about(codec, len(train), len(test)),
        healthy=not found,
        verdict=" ".join([verdict(found), *(f"{f.name} ({f.severity}): {f.evidence}." for f in found)]),
        tiles=tiles(figures, codec),
        measures=measures(figures),
        samples=sample_cards(codec, samples[:SHOWN], texts[:SHOWN]),
        counts=counts(texts, codec.known, codec.policy).line(),
        pairs=pair_cards(codec, test[:PAIRS]),
        neighbours=neighbourhoods(codec, test[:QUERIES], train[:SEARCHED]),
        way=way_cards(codec, test),
        histograms=histograms(train, [s for s in samples if s], test),
        maps=maps(codec, test or train, run),
        made=made(run),
    )


def unseen(codec: Codec) -> list[str]:
    """Test molecules that the model can read."""
    return [smiles for smiles in codec.domain.frame("test")["smiles"] if codec.knows(smiles)]


def about(codec: Codec, train: int, test: int) -> str:
    """What it was trained on, in a line."""
    size = f"{train:,} molecules to train on, {test:,} unseen ones to judge by"
    return f"{size}; {len(codec.vocabulary) - 1} symbols, strings of up to {codec.vocabulary.length - 1}, {codec.latent} latent dimensions"


def drawn(codec: Codec, test: Sequence[str]) -> tuple[list[str], list[str]]:
    """Strings drawn from the prior, and the molecules that they are."""
    given = codec.rows([test[i % len(test)] for i in range(DRAWN)]).cond if test else None
    texts = codec.strings(codec.prior(DRAWN, 0, given), codec.writer.temperature, cond=given)
    return texts, canonical_or_empty(texts, codec.policy)


def sample_cards(codec: Codec, samples: Sequence[str], texts: Sequence[str]) -> list[Card]:
    """Samples, marked where they are no molecule or were trained on."""
    known = codec.known.holds(list(samples))
    return [sample_card(*each) for each in zip(samples, texts, told(samples), known, strict=True)]


def sample_card(smiles: str, text: str, note: str, known: bool) -> Card:
    """One sample."""
    if not smiles:
        return Card("", "not a molecule", (text[:120],), "bad")
    return Card(smiles, "seen in training" if known else "", (note, smiles))


def pair_cards(codec: Codec, test: Sequence[str]) -> list[tuple[Card, Card]]:
    """Unseen molecules beside what comes back of them."""
    return [
        (Card(row.smiles, "given", (row.smiles,)), returned_card(row.returned, row.exact, row.similarity))
        for row in rows_of(reconstruct(codec, test))
    ]


def returned_card(smiles: str, exact: bool, similarity: float) -> Card:
    """What came back of one."""
    if exact:
        return Card(smiles, "returned exactly", ("",), "good")
    return Card(smiles, f"returned: Tanimoto {similarity:.2f}" if smiles else "returned: not a molecule", (smiles,), "bad")


def neighbourhoods(codec: Codec, queries: Sequence[str], among: Sequence[str]) -> list[Neighbourhood]:
    """Unseen molecules with the training molecules most like them."""
    if not queries:
        return []
    frame = neighbours(codec, queries, among, NEAR)
    words = {"code": "distance {:.2f}", "fingerprint": "Tanimoto {:.2f}"}
    return [
        Neighbourhood(
            Card(str(query), "given", (str(query),)),
            {
                str(by): [Card(row.smiles, words[str(by)].format(row.value), (row.smiles,)) for row in rows_of(rows)]
                for by, rows in part.groupby("by", sort=False)
            },
        )
        for query, part in frame.groupby("query", sort=False)
    ]


def way_cards(codec: Codec, test: Sequence[str]) -> list[Card]:
    """The way from one unseen molecule to another."""
    if len(test) < 2:
        return []
    way = interpolate(codec, test[0], test[1], STEPS)
    return [
        Card(
            row.smiles,
            f"at {row.at:.2f}",
            (f"Tanimoto {row.to_first:.2f} to the first, {row.to_last:.2f} to the last", row.smiles),
        )
        for row in rows_of(way)
    ]


def histograms(*groups: Sequence[str]) -> list[Picture]:
    """Properties of training molecules, samples and unseen molecules."""
    frames = {name: table(list(part[:MAPPED]), tuple(TOLD)) for name, part in zip(GROUPS, groups, strict=True)}
    alt = "Distribution among training molecules, samples and unseen molecules."
    return [
        picture(word, histogram(name, {group: frame[name].to_numpy(float) for group, frame in frames.items()}), f"{word}: {alt}")
        for name, word in TOLD.items()
    ]


def maps(codec: Codec, smiles: Sequence[str], run: Run) -> list[Picture]:
    """Where molecules lie, by logP, and what each dimension carries."""
    shown, used = list(smiles[:MAPPED]), use_of_dimensions(run)
    if len(shown) < 3:
        return [used]
    codes = codec.encode(shown).double().numpy()
    values = table(shown, ("logp",))["logp"].to_numpy(float)
    return [picture("Latent map", latent_map(codes, values, "logp"), "Codes of molecules, coloured by logP."), used]


def use_of_dimensions(run: Run) -> Picture:
    """KL of every dimension, or where that of the prior is no sum over dimensions, how far the means spread."""
    data = run.data("test")
    e = evidence(run.vae, Subset(data, torch.arange(min(MAPPED, len(data)))), 1)
    if e.kl_per_dim.shape[1] == e.mean.shape[1]:
        kl = bars(e.kl_per_dim.mean(0).tolist(), "KL, nats a molecule")
        return picture("KL per dimension", kl, "KL of each dimension of z.")
    spread = bars(e.mean.var(0).tolist(), "variance of the mean of q(z|x) over molecules")
    return picture("Use of each dimension", spread, "Variance of each dimension's mean over molecules.")


def rows_of(frame: pd.DataFrame) -> Iterator[Any]:
    """The rows of a table, with names."""
    return iter(frame.itertuples())


def tiles(figures: Mapping[str, Any], codec: Codec) -> list[Measure]:
    """The figures to read first, of those that there are."""
    chosen = {
        "validity": ("valid samples", "of drawn strings"),
        "novelty": ("new samples", "of different valid samples"),
        "exact_reconstruction": ("come back exactly", "of unseen molecules"),
        "kl": ("KL", "nats a molecule: what z carries"),
        "active_units": ("active units", f"of {codec.latent} dimensions"),
        "fcd": ("FCD", "to test molecules; lower is better"),
    }
    known = {name.lower(): value for name, value in figures.items()}
    shares = ("validity", "novelty", "exact_reconstruction")
    return [
        Measure(word, f"{known[name]:.1%}" if name in shares else f"{known[name]:.3g}", note)
        for name, (word, note) in chosen.items()
        if name in known
    ]


def made(run: Run) -> dict[str, str]:
    """Parts and versions."""
    parts = {kind: part["name"] for kind, part in run.config.to_dict().items() if isinstance(part, dict) and "name" in part}
    return parts | versions(run)
