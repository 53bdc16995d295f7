"""A search on disk, line by line, so that one that was killed goes on without repeating a call."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, final

from vaehub.base import Json
from vaehub.errors import UsageError
from vaehub.files.atomic import sync_folder
from vaehub_molecules.search.buffer import Answer, Call, Proposal

FORMAT = "vaehub-search/1"
MAX_BYTES = 2**31
REMEDY = "go on with the same options, or give another output folder"


@final
@dataclass
class Batch:
    """The molecules of one round, with the answers that were written down."""

    proposals: list[Proposal]
    tally: dict[str, int]  # of what was proposed and not called, up to this round
    calls: dict[int, Call] = field(default_factory=dict)  # by place in the batch


@final
class Journal(AbstractContextManager["Journal"]):
    """Lines of JSON: the options; then for each round its molecules, and each answer when it comes. Without a path nothing is kept."""

    def __init__(self, path: Path | None, options: Json) -> None:
        self.path = path
        self.batches: list[Batch] = []
        self._file: Any = None
        if path is not None:
            self._open(path, json.loads(json.dumps(options)))

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            self._file.close()

    def begin(self, proposals: Sequence[Proposal], tally: dict[str, int]) -> Batch:
        """Write down the molecules of a round before any is called."""
        batch = Batch(list(proposals), dict(tally))
        self._write({"round": [[p.smiles, p.by, p.parent] for p in batch.proposals], "tally": batch.tally})
        self.batches.append(batch)
        return batch

    def answer(self, place: int, call: Call) -> None:
        """Write down one answer of the latest round."""
        self.batches[-1].calls[place] = call
        self._write({"place": place, **asdict(call.answer), "time": call.time})

    def sync(self) -> None:
        """Make what was written survive a power cut."""
        if self._file is not None:
            os.fsync(self._file.fileno())

    def _write(self, line: Json) -> None:
        if self._file is not None:
            self._file.write(json.dumps(line).encode() + b"\n")

    def _open(self, path: Path, options: Json) -> None:
        """Take up what is there, cut off a line that was never finished, and append from then on."""
        path.parent.mkdir(parents=True, exist_ok=True)
        whole = self._read(path, options) if path.exists() else 0
        self._file = path.open("ab", buffering=0)
        self._file.truncate(whole)
        if not whole:
            self._write({"format": FORMAT, "options": options})
            self.sync()
            sync_folder(path.parent)

    def _read(self, path: Path, options: Json) -> int:
        """Number of bytes in whole lines. Raises UsageError where the file is damaged or of other options."""
        if path.stat().st_size > MAX_BYTES:
            raise UsageError(f"{path}: {path.stat().st_size:,} bytes are more than a search may have ({MAX_BYTES:,}); {REMEDY}")
        content = path.read_bytes()
        lines = content[: content.rfind(b"\n") + 1].splitlines(keepends=True)
        for number, line in enumerate(lines):
            try:
                self._take(json.loads(line), number, options)
            except (ValueError, TypeError, KeyError, IndexError, AttributeError, RecursionError) as error:
                raise UsageError(f"{path}:{number + 1}: damaged ({error!r}); {REMEDY}") from error
        return sum(map(len, lines))

    def _take(self, line: Json, number: int, options: Json) -> None:
        if number == 0:
            self._require_same(line, options)
        elif "round" in line:
            proposals = [Proposal(*map(str, fields)) for fields in line["round"]]
            self.batches.append(Batch(proposals, {str(k): int(v) for k, v in line["tally"].items()}))
        else:
            batch, place = self.batches[-1], int(line["place"])
            answer = Answer(tuple(map(float, line["values"])), str(line["error"]), float(line["seconds"]))
            batch.calls[place] = Call(batch.proposals[place], answer, float(line["time"]))

    def _require_same(self, line: Json, options: Json) -> None:
        """Raise UsageError where the file is of another version, or of a search with other options."""
        if line["format"] != FORMAT:
            raise UsageError(f"{self.path}: is no search of this version ({FORMAT}); {REMEDY}")
        before = line["options"]
        for key in sorted(before | options):
            if before.get(key) != options.get(key):
                raise UsageError(f"{self.path}: was made with {key}={before.get(key)!r}, now {options.get(key)!r}; {REMEDY}")
