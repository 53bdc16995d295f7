"""The best molecules with all that is known of them, in one table: what the page shows and what the files hold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from rdkit.Chem import MolFromSmiles

from vaehub import UsageError, files
from vaehub_molecules.chem.alerts import alerts_of
from vaehub_molecules.chem.fingerprints import fingerprints, nearest, tanimoto
from vaehub_molecules.chem.groups import groups_of
from vaehub_molecules.chem.properties import property_table
from vaehub_molecules.files.writing import sdf_bytes
from vaehub_molecules.search.lineage import Lineage
from vaehub_molecules.search.pareto import front_numbers
from vaehub_molecules.search.tiles import GIVEN
from vaehub_molecules.use.neighbours import by_fingerprint

if TYPE_CHECKING:
    from vaehub_molecules.chem.cores import Core
    from vaehub_molecules.search.result import Result
    from vaehub_molecules.use.latent_space import LatentSpace

HITS = 1000  # molecules of the table
SHOWN = 100  # of the page, and those whose nearest training molecule is looked for
COLUMNS_OF_LEADS = 10  # leads up to which likeness to each has a column
COUNTS = ("hbd", "hba", "rotatable", "heavy")
MEASURES = ("qed", "logp", "sa", "mw", "tpsa", *COUNTS)


def hits_of(result: Result, space: LatentSpace | None, core: Core | None = None) -> pd.DataFrame:
    """The best molecules of a search, at most 1,000, the best first.

    Arguments:
        result: what it found.
        space: that it searched; its training molecules, where they are at hand, are compared with the first 100.
        core: whose substituents get columns R1, R2, …

    Returns:
        a frame of place, name, smiles, values, what they were made of, properties, alerts, groups, likeness to leads or, without leads, to the
        nearest molecule that the search was given, where it came from, and the nearest training molecule.
    """
    frame = ranked(result)
    if frame.empty:
        return frame
    smiles = frame["smiles"].tolist()
    mols = [MolFromSmiles(text) for text in smiles]
    measures = property_table(smiles, [name for name in MEASURES if name not in frame])
    measures = measures.astype({name: int for name in COUNTS if name in measures})
    ends = frame[["by", "call", "parent"]].assign(start=starts(result, smiles))
    parts = [
        frame.drop(columns=["by", "call", "parent"]),
        measures,
        pd.DataFrame(
            {"alerts": ["; ".join(alerts_of(mol)) for mol in mols], "groups": ["; ".join(groups_of(mol)) for mol in mols]}
        ),
        *([substituent_columns(core, mols)] if core is not None else []),
        likeness_columns(result, smiles),
        ends,
        training_columns(space, smiles),
    ]
    return pd.concat(parts, axis=1)


def ranked(result: Result) -> pd.DataFrame:
    """Place, name and SMILES of the best, with their values, and where they came from."""
    scored, order = result.trace[result.trace["score"].notna()], {"score": False}
    if result.several:
        numbers = front_numbers(result.trace[list(result.columns)].to_numpy(float), HITS)
        scored, order = result.trace.assign(front=numbers)[numbers > 0], {"front": True, "score": False}
    scored = scored.sort_values(list(order), ascending=list(order.values()), kind="stable").head(HITS).reset_index(drop=True)
    names = dict(zip(result.leads, lead_titles(result), strict=True))
    named = [names.get(smiles) or f"hit {place}" for place, smiles in enumerate(scored["smiles"], 1)]
    values = list(dict.fromkeys(["smiles", *(["front"] if result.several else []), "score", *result.columns, *result.measured]))
    return pd.concat(
        [pd.DataFrame({"place": np.arange(1, len(scored) + 1), "name": named}), scored[[*values, "by", "call", "parent"]]], axis=1
    )


def lead_titles(result: Result) -> list[str]:
    """What each lead is called: its name, else its number."""
    names = result.lead_names or [""] * len(result.leads)
    return [name or f"lead {place}" for place, name in enumerate(names, 1)]


def likeness_columns(result: Result, smiles: Sequence[str]) -> pd.DataFrame:
    """How like each molecule is to the leads, or without leads to the nearest of the molecules that the search was given."""
    if result.leads:
        similarity, titles = tanimoto(fingerprints(smiles), fingerprints(result.leads)), lead_titles(result)
        rows = similarity.argmax(1)
        several = titles if 1 < len(titles) <= COLUMNS_OF_LEADS else []
        each = {f"similarity to {title}": similarity[:, place] for place, title in enumerate(several)}
        found = {"nearest_lead": [titles[row] for row in rows], "similarity": similarity.max(1), **each}
        return pd.DataFrame(found | {"reference": [result.leads[row] for row in rows]})
    given = result.trace.loc[result.trace["by"].isin(GIVEN), "smiles"].tolist()
    if not given:
        return pd.DataFrame({"reference": [""] * len(smiles)})
    places, values = nearest(fingerprints(smiles), fingerprints(given))
    return pd.DataFrame({"similarity": values[:, 0], "reference": [given[row] for row in places[:, 0]]})


def substituent_columns(core: Core, mols: Sequence[Any]) -> pd.DataFrame:
    """The substituents at the attachment points of a core, "" for hydrogen."""
    found = [core.groups(mol) or {} for mol in mols]
    return pd.DataFrame({f"R{site}": [groups.get(site, "") for groups in found] for site in core.sites})


def starts(result: Result, smiles: Sequence[str]) -> list[str]:
    """The molecule that each line of descent began with; "" where it is the molecule itself."""
    lineage = Lineage.of(result.buffer)
    firsts = [lineage.of_molecule(text)[0].smiles for text in smiles]
    return ["" if first == text else first for first, text in zip(firsts, smiles, strict=True)]


def training_columns(space: LatentSpace | None, smiles: Sequence[str]) -> pd.DataFrame:
    """The training molecule most like each of the first 100; no columns where training molecules are not at hand."""
    try:
        train = space.domain.train["smiles"].tolist() if space is not None else []
    except (UsageError, OSError):
        train = []
    if not train:
        return pd.DataFrame(index=range(len(smiles)))
    rows, similarities = by_fingerprint(smiles[:SHOWN], train, 1)
    found = pd.DataFrame({"nearest_training": [train[row] for row in rows[:, 0]], "similarity_training": similarities[:, 0]})
    return found.reindex(range(len(smiles)))


def save_hits(hits: pd.DataFrame, best: int, folder: Path) -> None:
    """Write hits.csv, .parquet and .sdf, and the first of them as best.csv and best.sdf."""
    for name, frame in {"hits": hits, "best": hits.head(best)}.items():
        files.write_table(frame, folder / f"{name}.csv")
        files.atomic_write(folder / f"{name}.sdf", sdf_bytes(known(frame)))
    files.write_table(hits, folder / "hits.parquet")


def known(frame: pd.DataFrame) -> pd.DataFrame:
    """The same with empty texts for unknown values."""
    return frame.astype(object).where(frame.notna(), "")


def lineage_of(result: Result, smiles: Sequence[str]) -> Mapping[str, list[dict[str, Any]]]:
    """The steps to each molecule, from the first ancestor: its SMILES, its call, its values, and what proposed it."""
    lineage, calls = Lineage.of(result.buffer), {call.smiles: place for place, call in enumerate(result.buffer, 1)}
    return {
        text: [
            {
                "smiles": call.smiles,
                "call": calls[call.smiles],
                "by": call.proposal.by,
                "values": ", ".join(f"{value:.4g}" for value in call.answer.values) or call.answer.error,
            }
            for call in lineage.of_molecule(text)
        ]
        for text in smiles
    }
