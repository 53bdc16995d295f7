"""Processes that read strings, and what they do with those that would stop them."""

from __future__ import annotations

import os

from vaehub.jobs.workers import Limits
from vaehub_molecules.chem import canonical_many
from vaehub_molecules.chem.canonical import canonical, standardise
from vaehub_molecules.chem.canonical_many import canonical_all
from vaehub_molecules.chem.policy import Policy
from vaehub_molecules.chem.reasons import Reason, Rejected

ANYTHING = Policy(max_length=10**7, max_heavy=10**7)
CAGED = "C1" + "C2CC2" * 30 + "1"  # 31 ring bonds, so it goes to a worker
# PubChem 102128817, on which older releases of RDKit took hours and 200 GB (rdkit#1360)
PUBCHEM = (
    "COC1=CC=C(C=C1)C2C3=C(C=CC4=CC=CC=C43)OC5=CC6=C(C=C5)C7=NC8=C9C=CC1=CC9=C(N8)N=C3C4=C5C=CC(=C4)OC4=C(C(C8=C(C=CC9=CC=CC=C98)"
    "OC8=CC9=C(C=C8)C8=NC9=NC9=C%10C=C(C=CC%10=C(N9)N=C9C%10=C(C=C(C=C%10)OC%10=C2C2=CC=CC=C2C=C%10)C(=N9)NC2=NC(=N8)C8=C2C=C(C=C8)"
    "OC2=C(C(C8=C(C=CC9=CC=CC=C98)OC8=CC9=C(C=C8)C(=NC5=N3)N=C9NC6=N7)C3=CC=C(C=C3)OC)C3=CC=CC=C3C=C2)OC2=C(C(C3=C(O1)C=CC1=CC=CC=C13)"
    "C1=CC=C(C=C1)OC)C1=CC=CC=C1C=C2)C1=CC=C(C=C1)OC)C1=CC=CC=C1C=C4"
)


def test_workers_say_what_this_process_says(monkeypatch):
    texts = ["OCC", "xx", "", "C C", "c1ccccc1", "[CH2]", "OCC", CAGED] * 3
    expected = [answer(text) for text in texts]
    assert canonical_all(texts) == expected
    monkeypatch.setattr(canonical_many, "PARALLEL_FROM", 2)
    monkeypatch.setattr(canonical_many, "CHUNK", 2)
    assert canonical_all(texts, workers=1) == canonical_all(texts, workers=2) == expected


def answer(text):
    try:
        return canonical(text)
    except Rejected as rejected:
        return rejected


def test_policies_reach_the_workers():
    policy = Policy(stereo="drop", elements=("C", "O"), max_heavy=95)
    assert canonical_all([CAGED, CAGED + "N"], policy) == [canonical(CAGED), Rejected(Reason.ELEMENT, "N")]


def rings(size):
    """A chain so long that it goes to a worker, for its rings, and takes its time there."""
    return CAGED + "C" * size


def test_a_string_that_takes_too_long_is_found_and_the_others_are_read():
    found = canonical_all([CAGED, rings(20_000), CAGED + "O"], ANYTHING, limits=Limits(processor_seconds=0.1, memory_gib=2.0))
    assert found == [canonical(CAGED), Rejected(Reason.TIME, "over 0.1 s"), canonical(CAGED + "O")]


def test_memory_has_a_limit():
    huge, small = canonical_all([rings(1_000_000), CAGED], ANYTHING, limits=Limits(processor_seconds=20, memory_gib=0.3))
    assert isinstance(huge, Rejected)
    assert huge.kind != Reason.TIME
    assert small == canonical(CAGED)


def test_a_string_that_crashes_rdkit_costs_nobody_else(monkeypatch):
    def crashing(text, policy):
        return os._exit(1) if "N" in text else standardise(text, policy)

    monkeypatch.setattr(canonical_many, "standardise", crashing)
    assert canonical_all([CAGED, CAGED + "N"]) == [canonical(CAGED), Rejected(Reason.CRASH)]


def test_the_string_that_stopped_rdkit():
    assert isinstance(canonical_all([PUBCHEM])[0], Rejected)
    _, after = canonical_all([PUBCHEM, CAGED], Policy(max_length=1_000, max_heavy=300))
    assert after == canonical(CAGED)


def test_nothing_to_read():
    assert canonical_all([]) == []
