"""All that is known of the best molecules: the table, its files, how they were made, and the part of the page that shows them."""

import json
import re
import shlex

import pandas as pd
import pytest
from rdkit.Chem import MolFromSmarts, MolFromSmiles, SDMolSupplier

from vaehub.report import Page, Section
from vaehub_molecules.chem.changes_drawn import changed_parts, changed_svg, common_part
from vaehub_molecules.chem.cores import Core
from vaehub_molecules.chem.groups import GROUPS, groups_of
from vaehub_molecules.chem.policy import Policy
from vaehub_molecules.chem.properties import property_table
from vaehub_molecules.report.explorer import Explorer
from vaehub_molecules.search.buffer import Answer, Buffer, Call, Proposal
from vaehub_molecules.search.goal import goal_of
from vaehub_molecules.search.hits import hits_of, lineage_of, save_hits
from vaehub_molecules.search.lineage import Lineage
from vaehub_molecules.search.pool import open_leads
from vaehub_molecules.search.provenance import command, provenance_of
from vaehub_molecules.search.result import Result

PHENOL, CRESOL, QUINONE, ANILINE = "Oc1ccccc1", "Cc1ccc(O)cc1", "O=C1C=CC(=O)C=C1", "Nc1ccccc1"
NAME = "<script>alert(1)</script>"


def result(leads=(PHENOL, ANILINE), names=(NAME, ""), by="lead"):
    """Two leads, a child, a grandchild, and a call that failed."""
    made = [
        (PHENOL, by, "", (0.2,), (-6.0, 94.1)),
        (ANILINE, by, "", (0.1,), (-5.0, 93.1)),
        (CRESOL, "edits", PHENOL, (0.4,), (-7.0, 108.1)),
        (QUINONE, "around", CRESOL, (0.9,), (-9.0, 108.1)),
        ("CCO", "around", CRESOL, (), ()),
    ]
    calls = [
        Call(Proposal(smiles, by, parent), Answer(values, "" if values else "gave nan", 0.1, measured), 1.0)
        for smiles, by, parent, values, measured in made
    ]
    return Result(Buffer(calls), ("dock:sigmoid(-5,-10)",), ("score",), leads, 5, ("dock", "mw"), names)


def test_the_table_has_everything():
    hits = hits_of(result(), None)
    assert hits.smiles.tolist() == [QUINONE, CRESOL, PHENOL, ANILINE]
    assert hits.name.tolist() == ["hit 1", "hit 2", NAME, "lead 2"]
    assert (hits.score.tolist(), hits.dock.tolist()) == ([0.9, 0.4, 0.2, 0.1], [-9, -7, -6, -5])
    assert hits.mw.tolist() == [108.1, 108.1, 94.1, 93.1]  # as it was measured, not once more
    assert hits.qed.tolist() == property_table(hits.smiles.tolist(), ["qed"]).qed.tolist()
    assert hits.alerts[0].startswith("pains: quinone_A(370); brenk: ")
    assert "phenol" in hits.groups[1].split("; ")
    assert hits.nearest_lead.tolist()[1:] == [NAME, NAME, "lead 2"]
    assert hits.similarity.round(3).tolist()[2:] == [1, 1]
    assert hits["similarity to lead 2"][3] == 1
    assert hits.start.tolist() == [PHENOL, PHENOL, "", ""]
    assert "nearest_training" not in hits


def test_without_leads_the_nearest_of_the_pool_is_compared_with():
    hits = hits_of(result(leads=(), names=(), by="pool"), None)
    assert hits.reference[1] == PHENOL
    assert "nearest_lead" not in hits


def test_substituents_have_columns():
    hits = hits_of(result(), None, Core("Oc1ccc([*:1])cc1"))
    assert hits.R1.tolist() == ["", "*C", "", ""]


def test_the_files_hold_the_same(tmp_path):
    hits = hits_of(result(), None)
    save_hits(hits, 2, tmp_path)
    table = pd.read_csv(tmp_path / "hits.csv", keep_default_na=False)
    assert table.columns.tolist() == hits.columns.tolist() == pd.read_parquet(tmp_path / "hits.parquet").columns.tolist()
    molecules = list(SDMolSupplier(str(tmp_path / "hits.sdf")))
    assert [mol.GetProp("_Name") for mol in molecules] == hits.name.tolist()
    assert [float(mol.GetProp("dock")) for mol in molecules] == hits.dock.tolist()
    assert set(molecules[0].GetPropNames()) == {*hits.columns} - {"name"}
    assert pd.read_csv(tmp_path / "best.csv").smiles.tolist() == [QUINONE, CRESOL]


def test_lines_of_descent():
    found = result()
    lineage = Lineage.of(found.buffer)
    assert [call.smiles for call in lineage.of_molecule(QUINONE)] == [PHENOL, CRESOL, QUINONE]
    assert lineage.of_molecule("never called") == []
    steps = lineage_of(found, [QUINONE])[QUINONE]
    assert steps[0] == {"smiles": PHENOL, "call": 1, "by": "lead", "values": "0.2"}


def test_a_circle_of_parents_ends():
    buffer = Buffer(
        [Call(Proposal("C", "edits", "CC"), Answer((1.0,)), 0), Call(Proposal("CC", "edits", "C"), Answer((1.0,)), 0)]
    )
    assert [call.smiles for call in Lineage.of(buffer).of_molecule("C")] == ["CC", "C"]


def widget(**options):
    found = result(**options)
    hits = hits_of(found, None)
    return hits, Explorer(hits, found.columns, found.measured, lineage_of(found, hits.smiles.tolist())).widget("4 molecules")


def test_the_page_shows_the_table():
    hits, made = widget()
    page = Page("x", [Section("Best", [made])]).html()
    assert made.data["head"] == [name for name in hits if name not in ("place", "reference")]
    assert [row[made.data["head"].index("dock")] for row in made.data["rows"]] == [-9, -7, -6, -5]
    assert {made.data["head"][column] for column in made.data["numeric"]} >= {"score", "dock", "qed", "sa", "similarity"}
    assert page.count('class="item hit"') == 4
    assert "dock -9, weight 108" in page
    assert "2 steps from the start" in page
    assert "marked: new beside" in page
    assert NAME not in page
    assert all(block.startswith(f"{name}\n") for block, name in zip(made.data["blocks"], hits.name, strict=True))
    assert not re.search(r'<script[^>]* src|<link|url\((?!#)|href="http|fetch\(', page)


def test_what_is_new_is_marked():
    shared = common_part(MolFromSmiles(CRESOL), MolFromSmiles(PHENOL))
    assert changed_parts(MolFromSmiles(CRESOL), shared) == ([0], [0])
    assert common_part(MolFromSmiles(QUINONE), MolFromSmiles("CCN")) is None
    assert changed_parts(MolFromSmiles("CCCC"), MolFromSmarts("CC.CC"))[0] == []
    drawn, name = changed_svg(CRESOL, {"far": "CCN", "near": PHENOL})
    assert (name, "#FFD18C" in drawn) == ("near", True)
    drawn, name = changed_svg(CRESOL, {"itself": CRESOL})
    assert (name, "#FFD18C" in drawn) == ("", False)


def test_groups_are_told_apart():
    assert all(MolFromSmarts(smarts) is not None for smarts in GROUPS.values())
    assert groups_of(MolFromSmiles("CCOC(=O)C")) == ["ester"]
    assert groups_of(MolFromSmiles("CC(=O)O")) == ["acid"]
    assert groups_of(MolFromSmiles("CN(C)C(=O)NC")) == ["amide", "urea"]
    assert groups_of(MolFromSmiles("CCN(C)C")) == ["amine, tertiary"]
    assert groups_of(MolFromSmiles("CCNC")) == ["amine, secondary"]
    assert groups_of(MolFromSmiles("CCN")) == ["amine, primary"]
    assert groups_of(MolFromSmiles("CC(C)=O")) == ["aldehyde or ketone"]
    assert groups_of(MolFromSmiles("FC(F)(F)C#N")) == ["fluorine", "nitrile", "trifluoromethyl"]


SETTINGS = {
    "objective": ["min:sa", "min:mw"], "minimize": True, "combine": "sum", "weights": [1, 2.5], "cond": ["qed=0.9", 2], "budget": 5,
    "method": "hybrid", "seed": 0, "start file": "my leads.smi", "pool file": None, "model": "abc",
    "constraints": {"similarity": None, "scaffold": "*c1ccccc1", "elements": ("C", "N"), "forbid": ("[N+]", "O=S"), "similarity_each": 0.3},
}  # fmt: skip


def test_the_command_makes_the_same_search(tmp_path):
    words = shlex.split(command(None, tmp_path, SETTINGS))
    assert words[3] == "MODEL"
    text = " ".join(words[4:])
    assert text.startswith(
        "--objective sa --objective mw --minimize --weight 1 --weight 2.5 --combine sum --cond qed=0.9,2 --start my leads.smi"
    )
    assert "--scaffold *c1ccccc1 --element C --element N --forbid [N+] --forbid O=S --similarity-each 0.3" in text
    assert "--pool" not in text


def test_provenance_is_whole(tmp_path):
    made = provenance_of(result(), goal_of(["min:sa", "mw:..300"]), None, tmp_path, SETTINGS)
    assert [each["name"] for each in made["objectives"]] == ["sa", "mw"]
    assert made["leads"] == [{"smiles": PHENOL, "name": NAME}, {"smiles": ANILINE, "name": ""}]
    assert made["counts"] == {"calls": 5, "errors": 1}
    assert made["settings"]["constraints"]["forbid"] == ("[N+]", "O=S")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00", made["date"])
    json.dumps(made)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("leads.smi", "OCC ethanol\nCCO again\nCCN\n"),
        ("leads.csv", "smiles,ID\nOCC,ethanol\nCCN,\n"),
    ],
)
def test_leads_keep_their_names(tmp_path, name, content):
    path = tmp_path / name
    path.write_text(content)
    leads = open_leads(path, Policy())
    assert (leads.smiles, leads.names) == (("CCO", "CCN"), ("ethanol", ""))


def test_leads_of_python():
    assert open_leads({"OCC": "ethanol", "CCN": ""}, Policy()).names == ("ethanol", "")
    assert open_leads("OCC", Policy()).smiles == ("CCO",)
    assert open_leads(["OCC", "CCO"], Policy()).names == ("",)
