"""Molecules from a file of any kind."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from vaehub import UsageError, files, hints
from vaehub_molecules.chem.canonical import DEFAULT_POLICY
from vaehub_molecules.chem.canonical_many import StandardisedOrRejected, standardise_all, standardise_blocks
from vaehub_molecules.chem.changes import Standardised
from vaehub_molecules.chem.cxsmiles import split_extension
from vaehub_molecules.chem.policy import Policy
from vaehub_molecules.chem.reasons import Rejected
from vaehub_molecules.files.merging import merge_duplicates
from vaehub_molecules.files.molecule_table import MoleculeTable
from vaehub_molecules.files.numbers import to_numbers
from vaehub_molecules.files.records import MAX_BYTES, ChangedLine, Records, RejectedLine
from vaehub_molecules.files.sampling import Sample, sample_answers
from vaehub_molecules.files.sdf import sdf_records
from vaehub_molecules.files.smi import smi_records
from vaehub_molecules.files.tables import table_records


class Format(NamedTuple):
    """How a kind of file is split into records, and how their texts become SMILES."""

    records: Callable[[Path, str | None], Records]
    answers: Callable[[list[str], Policy, int | None], list[StandardisedOrRejected]] = standardise_all
    holds_smiles: bool = True


FORMATS = {
    ".smi": Format(smi_records),
    ".smiles": Format(smi_records),
    ".txt": Format(smi_records),
    **{suffix: Format(table_records) for suffix in files.SUFFIXES if suffix != ".txt"},
    ".sdf": Format(sdf_records, standardise_blocks, holds_smiles=False),
}


def read_molecules(
    path: Path | str,
    policy: Policy = DEFAULT_POLICY,
    column: str | None = None,
    workers: int | None = None,
    numbers: Sequence[str] = (),
    sample: Sample | None = None,
) -> MoleculeTable:
    """Canonical, unique molecules of a .smi, .smiles, .txt, .sdf, .csv, .tsv, .parquet or .feather file, each also .gz.

    Of molecules that come twice the median of each measurement is kept, and of all else the first.

    Arguments:
        path: the file.
        policy: which molecules are accepted, and in which form.
        column: that of the SMILES in a table; found by its usual names, if not given.
        workers: processes that read many molecules; one a core, if not given.
        numbers: columns that are measurements, where the table has them; a warning counts the text in them, which is unknown.
        sample: how many molecules are read of the file; all, if not given.

    Returns:
        a frame of molecules with all else that the file says of them, the lines that were rejected, and the columns of numbers in which
        records of the same molecule differ.

    Raises:
        UsageError: that names the file: there is none, it cannot be read, no molecule in it is accepted, or one of `numbers` has none.

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     _ = Path(folder, "some.csv").write_text("smiles,pic50\\nOCC,5.5\\nC1CC,6\\n")
    ...     found = read_molecules(Path(folder, "some.csv"))
    >>> found.frame.to_dict("list"), [line.reason for line in found.rejected]
    ({'smiles': ['CCO'], 'pic50': [5.5]}, ['a ring number without its pair (1)'])
    """
    path = Path(path)
    kind, records = read_records(path, column)

    def read(texts: list[str]) -> list[StandardisedOrRejected]:
        return kind.answers(texts, policy, workers)

    records, answers = (records, read(records.texts)) if sample is None else sample_answers(records, read, sample)
    found = collected(path, records, answers, numbers)
    if found.frame.empty:
        raise UsageError(f"{path}: none of {found.read:,} is accepted: {found.complaints()}")
    return found


def read_strings(path: Path, column: str | None = None) -> list[str]:
    """SMILES as they stand in a file, repeated and invalid ones included; canonical ones of SDF and CXSMILES, "" where these have none.

    Raises UsageError that names the file: there is none, it cannot be read, or it is empty.
    """
    kind, records = read_records(path, column)
    strings = list(records.texts)
    drawn = [row for row, text in enumerate(strings) if not kind.holds_smiles or split_extension(text.strip())[1]]
    answers = kind.answers([strings[row] for row in drawn], DEFAULT_POLICY, None)
    for row, answer in zip(drawn, answers, strict=True):
        strings[row] = answer.smiles if isinstance(answer, Standardised) else ""
    return strings + [""] * len(records.broken)


def read_records(path: Path, column: str | None) -> tuple[Format, Records]:
    """What stands in a file. Raises UsageError where it cannot be read, or is empty."""
    kind = FORMATS[files.suffix_of(path, tuple(FORMATS)).removesuffix(".gz")]
    files.regular_file(path, MAX_BYTES)
    with files.guarded(path, "mend it or write it anew"):
        records = kind.records(path, column)
    if not records.texts and not records.broken:
        raise UsageError(f"{path}: no molecule in it, the file is empty; give one with a SMILES string in each line")
    return kind, records


def collected(path: Path, records: Records, answers: list[StandardisedOrRejected], numbers: Sequence[str] = ()) -> MoleculeTable:
    """The molecules with what else is known of them, and those that were rejected."""
    good = [isinstance(answer, Standardised) for answer in answers]
    frame = records.others.loc[good].copy()
    frame.insert(0, "smiles", [answer.smiles for answer in answers if isinstance(answer, Standardised)])
    for name in frame.columns.intersection(list(numbers)):
        frame[name] = to_numbers(frame[name], f"{path}: column {hints.quoted(name)}")
    unique, conflicts = merge_duplicates(frame)
    rows = list(zip(records.numbers, records.texts, answers, strict=True))
    bad = [RejectedLine(number, text, answer) for number, text, answer in rows if isinstance(answer, Rejected)]
    rejected = sorted(bad + records.broken, key=lambda line: line.number)
    changed = [
        ChangedLine(number, text, *answer) for number, text, answer in rows if isinstance(answer, Standardised) and answer.changes
    ]
    return MoleculeTable(path, unique, rejected, len(frame) - len(unique), conflicts, changed)
