"""Objectives that an external program computes, such as docking."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import final

from vaehub import UsageError, files, hints, jobs
from vaehub_molecules.oracles.oracle import Oracle, answer_of

PREFIX = "cmd:"
SMILES_FILE, OUT_FILE = "{smiles_file}", "{out_file}"
FORM = f"write it as in 'cmd:dock.sh {SMILES_FILE} {OUT_FILE}'"
MAX_BYTES = 2**28  # of what a program writes for one batch, and of a file that its command names


@final
@dataclass(frozen=True)
class Command(Oracle):
    """A program that reads lines of SMILES and name, and writes lines of name and value, or one value for each line.

    Arguments:
        template: its command line, without a shell, with `{smiles_file}` and `{out_file}` where these files are to be named.
    """

    template: str
    batched = True

    @property
    def name(self) -> str:  # type: ignore[override]  # it follows from the template
        """cmd:TEMPLATE."""
        return PREFIX + self.template

    @property
    def label(self) -> str:
        """The name of the first file of the user's that the command names, such as the script, else that of the program."""
        return next(iter(self.named_files), Path(self.words[0])).stem

    @property
    def describe(self) -> str:
        """The command."""
        return f"what `{self.template}` writes"

    @property
    def words(self) -> list[str]:
        """The command line, word by word."""
        return shlex.split(self.template)

    @property
    def named_files(self) -> list[Path]:
        """The files that the command names, also as in --receptor=FILE, save installed programs."""
        paths = [Path(word.rpartition("=")[2]) for word in self.words]
        return [path for path in paths if path.is_file()]

    @property
    def code(self) -> str:
        """By the command and the content of the files that it names: the script, a receptor, a configuration. Installed programs are left out."""
        return jobs.digest([self.template, *(files.digest_of([files.read_bytes(path, MAX_BYTES)]) for path in self.named_files)])

    def score(self, smiles: str) -> float:
        """The value of one molecule. Raises RuntimeError where the program gives none."""
        with TemporaryDirectory() as folder:
            (answer,) = self.scores([smiles], Path(folder))
        if answer.value is None:
            raise RuntimeError(answer.error)
        return answer.value

    def scores(self, molecules: Sequence[str], folder: Path) -> list[jobs.Answer[float]]:
        """What the program writes for several molecules, which it finds under the names m1, m2, …

        Raises:
            RuntimeError: where it ends with another exit code than 0, or what it writes cannot be understood.
        """
        with TemporaryDirectory(dir=folder, ignore_cleanup_errors=True) as work:
            given, output, said = (Path(work, name) for name in ("molecules.smi", "values.txt", "said.txt"))
            names = [f"m{place}" for place in range(1, len(molecules) + 1)]
            given.write_text("".join(f"{smiles} {name}\n" for smiles, name in zip(molecules, names, strict=True)))
            with said.open("wb") as out:
                words = [word.replace(SMILES_FILE, str(given)).replace(OUT_FILE, str(output)) for word in self.words]
                environment = os.environ | {"TMPDIR": work}
                done = subprocess.run(  # noqa: S603  # the user's own command
                    [program(words[0]), *words[1:]],
                    stdin=subprocess.DEVNULL,
                    stdout=out,
                    stderr=subprocess.STDOUT,
                    env=environment,
                    check=False,
                )
            if done.returncode:
                raise RuntimeError(f"{words[0]} ended with exit code {done.returncode}: {last_line(said)}")
            if not output.is_file():
                raise RuntimeError(f"{words[0]} wrote no {OUT_FILE}: {last_line(said)}")
            values = read_values(list(files.read_lines(output, MAX_BYTES)), names)
        return [
            answer_of(number, values[name]) if name in values else jobs.Answer(None, "has no value", jobs.Failure.RAISED)
            for name in names
        ]


def command_of(text: str) -> Command:
    """The objective `cmd:TEMPLATE`. Raises UsageError where the template lacks a file, or there is no such program."""
    template = text.removeprefix(PREFIX)
    try:
        words = shlex.split(template)
    except ValueError as error:
        raise UsageError(f"objective {text!r}: {error}; {FORM}") from error
    for needed in (SMILES_FILE, OUT_FILE):
        if not any(needed in word for word in words[1:]):
            raise UsageError(f"objective {text!r}: {needed} is missing; {FORM}")
    program(words[0])
    return Command(template)


def program(word: str) -> str:
    """The path of a program: one in the current folder before one on the path. Raises UsageError where there is none that can be run."""
    here = Path(word).absolute()
    if here.is_file():
        if not os.access(here, os.X_OK):
            raise UsageError(f"objective: {word} cannot be run; make it executable (chmod +x {word})")
        return str(here)
    found = shutil.which(word)
    if found is None:
        raise UsageError(f"objective: there is no program {word!r} in this folder or on the path; give its path")
    return found


def read_values(lines: Sequence[str], names: Sequence[str]) -> Mapping[str, str]:
    """Values by name, from lines of a name and a value in any order, or from one value for each molecule in order; a heading is skipped.

    Raises:
        RuntimeError: where the lines are neither.

    >>> read_values(["name,score", "m2,-7.5"], ["m1", "m2"])
    {'m2': '-7.5'}
    >>> read_values(["-6", "-7.5"], ["m1", "m2"])
    {'m1': '-6', 'm2': '-7.5'}
    """
    rows = [line.replace(",", " ").replace(";", " ").split() for line in lines if line.strip()]
    if rows and rows[0][0] not in names and not is_number(rows[0][-1]):
        rows = rows[1:]
    if all(len(row) == 1 for row in rows):
        if len(rows) != len(names):
            raise RuntimeError(f"wrote {len(rows)} values for {len(names)} molecules; write lines of a name and a value instead")
        return dict(zip(names, (row[0] for row in rows), strict=True))
    for row in rows:
        if row[0] not in names or len(row) != 2:
            raise RuntimeError(f"wrote the line {' '.join(row)!r}; write lines of a name (m1) and a value")
    return {row[0]: row[1] for row in rows}


def number(text: str) -> float:
    """What a program wrote, as a number. Raises TypeError where it is none."""
    try:
        return float(text)
    except ValueError:
        raise TypeError(f"gave {hints.quoted(text)}, which is not one number") from None


def is_number(text: str) -> bool:
    """Whether a text is a number."""
    try:
        float(text)
    except ValueError:
        return False
    return True


def last_line(path: Path) -> str:
    """The last line that a program said, or that it said nothing."""
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - 4096))
        lines = file.read().decode("utf-8", "replace").split("\n")
    return next((line.strip()[:300] for line in reversed(lines) if line.strip()), "it said nothing")
