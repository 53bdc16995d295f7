"""A part of a page in which molecules are sorted, filtered, selected and taken away, offline."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Any, final

import pandas as pd
from markupsafe import Markup
from rdkit.Chem import MolFromSmiles, MolToMolBlock
from rdkit.Chem.rdDepictor import Compute2DCoords

from vaehub import report
from vaehub_molecules.chem.changes_drawn import changed_svg

LABELS = {"qed": "QED", "logp": "logP", "sa": "SA", "mw": "weight", "tpsa": "TPSA", "hbd": "donors", "hba": "acceptors"}
LABELS |= {"heavy": "heavy atoms", "similarity_training": "similarity to training", "nearest_training": "nearest in training"}
LABELS |= {"nearest_lead": "nearest lead"}
HIDDEN = ("place", "reference")  # columns that the table of the page lacks
ON_CARDS = ("qed", "logp", "sa", "mw")
NOTE = (
    "Orange: what is new beside the nearest lead or, without leads, the nearest molecule that the search was given; where these share less than a "
    "third of the atoms, beside the molecule that it was made of. Keys: arrows go from one molecule to the next, Space selects, C copies its "
    "SMILES, Enter shows where it came from, / goes to sorting and filters."
)


@final
@dataclass(frozen=True)
class Explorer:
    """Molecules with all that is known of them.

    Arguments:
        frame: place, name, smiles, reference, numbers and texts, one molecule a row; `groups` and `alerts` with "; " between.
        values: columns of what was sought, which head each card.
        measured: columns of what these were made of.
        lineages: of each molecule, the steps from where its line began: smiles, call, by, values.
    """

    frame: pd.DataFrame
    values: Sequence[str]
    measured: Sequence[str]
    lineages: Mapping[str, Sequence[Mapping[str, Any]]]

    def widget(self, title: str, note: str = "") -> report.Widget:
        """The part of the page."""
        here = files(__package__)
        head, script = (here.joinpath(f"explorer.{kind}").read_text(encoding="utf-8") for kind in ("html", "js"))
        cards = Markup("").join(self._card(row) for row in self.frame.to_dict("records"))
        return report.Widget(title, head.replace("CARDS", cards), script, self._data(), " ".join(filter(None, (NOTE, note))))

    def _data(self) -> dict[str, object]:
        """What the script reads."""
        shown = [str(name) for name in self.frame if name not in HIDDEN]
        numeric = [name for name in shown if pd.api.types.is_numeric_dtype(self.frame[name]) and name != "call"]
        rows = self.frame[shown].astype(object).where(self.frame[shown].notna(), None).to_numpy().tolist()
        return {
            "head": shown,
            "labels": [LABELS.get(name, name.replace("_", " ")) for name in shown],
            "numeric": [shown.index(name) for name in numeric],
            "rows": [[rounded(cell) for cell in row] for row in rows],
            "blocks": [mol_block(row["smiles"], row["name"]) for row in self.frame.to_dict("records")],
        }

    def _card(self, row: Mapping[Any, Any]) -> Markup:
        """A molecule: values, drawing, properties, alerts, and where it came from."""
        smiles, steps = row["smiles"], self.lineages[row["smiles"]]
        references = {row.get("nearest_lead") or "the nearest given": row["reference"], "its parent": row["parent"]}
        drawing, reference = changed_svg(smiles, {name: text for name, text in references.items() if text})
        shown = [*self.measured, *(name for name in ON_CARDS if name in row and name not in self.measured)]
        lines = [
            "" if row["name"] == f"hit {row['place']}" else row["name"],
            ", ".join(f"{LABELS.get(name, name)} {row[name]:.3g}" for name in shown if name not in self.values),
            f"Tanimoto {row['similarity']:.2f} to {row['nearest_lead']}" if row.get("nearest_lead") else "",
            f"Tanimoto {row['similarity_training']:.2f} to training" if row.get("similarity_training", 0) > 0 else "",
            f"call {row['call']:,}, by {row['by']}" + (f", front {row['front']}" if "front" in row else ""),
            f"marked: new beside {reference}" if reference else "",
        ]
        return CARD.format(
            place=row["place"] - 1,
            title=f"{row['place']}. {self._title(row)}",
            name=row["name"],
            drawing=report.Drawing(drawing, f"the molecule {smiles}").markup,
            lines=Markup("").join(Markup("<span>{}</span>").format(line) for line in lines if line),
            alerts=Markup('<span class="warning">{}</span>').format(row["alerts"]) if row["alerts"] else "",
            smiles=smiles,
            steps=report.plural(len(steps) - 1, "step"),
            lineage=Markup("").join(STEP.format(**step) for step in steps),
        )

    def _title(self, row: Mapping[Any, Any]) -> str:
        """The values of a molecule."""
        return ", ".join(f"{row[name]:.4g}" if name == "score" else f"{name} {row[name]:.4g}" for name in self.values)


CARD = Markup(
    '<figure class="item hit" tabindex="-1" data-at="{place}"><label><input type="checkbox" aria-label="Select {name}"> <b>{title}</b></label>'
    "{drawing}{lines}{alerts}<code>{smiles}</code>"
    '<button type="button" class="copy" tabindex="-1">Copy SMILES</button>'
    "<details><summary tabindex='-1'>{steps} from the start</summary><ol>{lineage}</ol></details></figure>\n"
)
STEP = Markup("<li>{values} <span>call {call}, by {by}</span><code>{smiles}</code></li>")


def rounded(cell: Any) -> Any:
    """A number with as many digits as a reader needs."""
    return float(f"{cell:.5g}") if isinstance(cell, float) else cell


def mol_block(smiles: str, name: str) -> str:
    """The mol block of a molecule with flat coordinates."""
    mol = MolFromSmiles(smiles)
    Compute2DCoords(mol)
    mol.SetProp("_Name", name)
    return str(MolToMolBlock(mol))
