"""Anything at all is a molecule in canonical form or rejected with a reason, soon and in little memory."""

from __future__ import annotations

import gzip
import io
import random
import resource
import time
import warnings
from contextlib import suppress
from functools import cache

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rdkit import Chem

from vaehub.errors import UsageError
from vaehub_molecules.chem.canonical import canonical
from vaehub_molecules.chem.canonical_many import canonical_all
from vaehub_molecules.chem.policy import Policy
from vaehub_molecules.chem.prechecks import check_text
from vaehub_molecules.chem.reasons import Reason, Rejected
from vaehub_molecules.data import sample_path
from vaehub_molecules.files import read_molecules
from vaehub_molecules.files.reading import FORMATS

FUZZ = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
SIGNS = "CNOSPFIBcnospHlr[]()123456789%0=#$:/\\.@+-*~<>"
RARE = [
    "é",
    "\0",
    " ",
    "\n",
    "[U]",
    "[Fe+2]",
    "%99",
    "%(100)",
    "[13C]",
    "C1" * 9,
    "(" * 40,
    "[" * 20,
    "c1" * 12,
    "->",
    "𝛼",
    "[C@@H]",
    "[nH]",
]


@cache
def sample():
    with gzip.open(sample_path(), "rt") as file:
        return [next(file).strip() for _ in range(500)]


def mutated(smiles, rng):
    """A molecule with up to eight accidents."""
    text = list(smiles)
    for _ in range(rng.randrange(1, 9)):
        at, to = sorted((rng.randrange(len(text) + 1), rng.randrange(len(text) + 1)))
        part = text[at:to]
        accident = rng.choice([[], [rng.choice(SIGNS)], [rng.choice(RARE)], part * 2, part[::-1], list(rng.choice(sample()))])
        text[at : at + len(part) if rng.random() < 0.5 else at] = accident
    return "".join(text)


def strings(count):
    rng = random.Random(0)
    wild = ["".join(rng.choices(SIGNS, k=rng.randrange(60))) for _ in range(count // 10)]
    long = [rng.choice(sample()) * rng.randrange(2, 300) for _ in range(count // 50)]
    rings = ["".join(f"C%{rng.randrange(10, 99)}" for _ in range(rng.randrange(2, 120))) for _ in range(count // 50)]
    return wild + long + rings + [mutated(rng.choice(sample()), rng) for _ in range(count - len(wild + long + rings))]


def check_answer(text, found, policy=Policy()):  # noqa: B008
    if isinstance(found, Rejected):
        assert found.kind in Reason
        assert 5 < len(found.reason) < 1000
        assert "\n" not in found.reason
    else:
        assert canonical(found, policy) == found
        assert len(found) > 0


def test_ten_thousand_strings():
    texts = strings(10_000)
    before = time.process_time()
    found = canonical_all(texts)
    assert time.process_time() - before < 30  # this process; the workers have a limit of 2 s for each string
    assert len(found) == 10_000
    accepted = [answer for answer in found if isinstance(answer, str)]
    assert 200 < len(accepted) < 9_000
    kinds = {answer.kind for answer in found if isinstance(answer, Rejected)}
    assert len(kinds) > 12
    assert not kinds & {Reason.CRASH, Reason.TIME, Reason.MEMORY}
    for text, answer in list(zip(texts, found, strict=True))[::20]:
        check_answer(text, answer)
    assert resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss < 2 * 2**20  # KiB


def check_string(text, policy=Policy()):  # noqa: B008
    """What becomes of one string, in this process."""
    before = time.process_time()
    try:
        found = canonical(text, policy)
    except Rejected as rejected:
        found = rejected
    assert time.process_time() - before < 2
    check_answer(text, found, policy)
    return found


@FUZZ
@given(st.text(max_size=80))
def test_any_text(text):
    check_string(text)


@FUZZ
@given(st.text(SIGNS, max_size=80))
def test_any_signs_of_smiles(text):
    check_string(text)


POLICIES = st.builds(
    Policy,
    salts=st.sampled_from(["keep", "largest", "reject"]),
    stereo=st.sampled_from(["keep", "drop"]),
    charges=st.sampled_from(["keep", "neutralise", "reject"]),
    elements=st.sampled_from([(), ("C", "N", "O", "S", "F", "Cl", "Br")]),
    max_heavy=st.integers(1, 150),
    metals=st.sampled_from(["disconnect", "keep"]),
    isotopes=st.sampled_from(["reject", "drop", "keep"]),
    tautomers=st.sampled_from(["keep", "canonical"]),
)


@FUZZ
@given(st.randoms(use_true_random=False), POLICIES)
def test_any_accident_under_any_policy(rng, policy):
    text = mutated(
        rng.choice(sample()) + rng.choice(["", ".[Na+]", ".OC(=O)C", "[N+](C)(C)C", "O[Na]", "O[13CH3]", " |&1:1|"]), rng
    )
    found = check_string(text, policy)
    if isinstance(found, str) and policy.salts == "reject":
        assert "." not in found


@given(st.text(SIGNS, max_size=200), st.integers(1, 100))
def test_limits_never_fail_otherwise(text, longest):
    with suppress(Rejected):
        check_text(text, longest)
        assert 0 < len(text) <= longest


@cache
def records():
    """Three molecules as a chemist's program writes them, with properties."""
    out = io.StringIO()
    with Chem.SDWriter(out) as writer:
        for number, smiles in enumerate(sample()[:3]):
            mol = Chem.MolFromSmiles(smiles)
            mol.SetProp("_Name", f"molecule {number}")
            mol.SetProp("activity", str(number / 3))
            writer.write(mol)
    return out.getvalue().encode()


ACCIDENTS = st.lists(
    st.tuples(
        st.floats(0, 1),
        st.integers(0, 40),
        st.one_of(st.binary(max_size=12), st.sampled_from([b"\n", b"$$$$\n", b"> <x>\n", b"999"])),
    ),
    max_size=6,
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(ACCIDENTS)
def test_any_accident_in_an_sdf_file(tmp_path, accidents):
    raw = records()
    for share, cut, put in accidents:
        at = int(share * len(raw))
        raw = raw[:at] + put + raw[at + cut :]
    is_read_or_refused(tmp_path / "a.sdf", raw)


@pytest.mark.parametrize("suffix", FORMATS)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.one_of(st.binary(max_size=200), st.text('smiles,;\t"\nCO[]()1=é', max_size=120).map(str.encode)), st.booleans())
def test_any_bytes_in_a_file(tmp_path, suffix, raw, packed):
    path = tmp_path / (f"a{suffix}.gz" if packed else f"a{suffix}")
    is_read_or_refused(path, gzip.compress(raw) if packed else raw)


def is_read_or_refused(path, raw):
    path.write_bytes(raw)
    found, message = read_or_refused(path)
    if found is None:
        assert message.startswith(str(path))
        assert "\n" not in message
    else:
        assert found.frame["smiles"].is_unique
        assert found.read == len(found.frame) + found.duplicates + len(found.rejected)


def read_or_refused(path):
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", ".*Windows-1252", UserWarning)
            return read_molecules(path), ""
    except UsageError as error:
        return None, str(error)
