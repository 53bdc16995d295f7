"""Whose a run folder is: what in it vaehub wrote itself, which process holds it, and what may be deleted.

A marker says that a folder is a run of ours, a lock says which process trains in it. Nothing is deleted but files of known names in
a folder with the marker.
"""

from __future__ import annotations

import json
import os
import shutil
import uuid
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from vaehub.errors import UsageError
from vaehub.files.atomic import atomic_write, lock, part_folder, remove_parts, swap, sync_folder, sync_tree
from vaehub.signals import shielded

MARKER = ".vaehub-run"
LOCK = ".vaehub-lock"
OLD, DOOMED = ".vaehub-old", ".vaehub-old-deleted"  # an earlier run, until the new one has started; and from then on
CONFIG, BEST, LAST, STATE = "config.yaml", "model.safetensors", "last.safetensors", "resume/last.ckpt"
TRAINED = (BEST, LAST, STATE)
RECORD = "record"  # where a domain's own files are written before they are moved to the folder
OWN: dict[str, tuple[str, ...] | None] = {  # what vaehub writes in a run folder: a file, or a folder of files of these patterns
    CONFIG: None,
    BEST: None,
    LAST: None,
    "metrics.csv": None,
    "report.html": None,
    "mlflow.db": None,
    "figures": ("*.png",),
    "resume": ("last.ckpt",),
    "tensorboard": ("*",),
    "mlflow": ("*",),
}


@dataclass
class Hold:
    """A run folder while this process trains in it.

    Arguments:
        folder: RUN/.
        resume: go on with the run that is there.
    """

    folder: Path
    resume: bool  # go on with the run that is there
    changed: bool = field(default=False, init=False)  # `make_way` was called
    started: bool = field(default=False, init=False)

    def make_way(self) -> None:
        """Move an earlier run aside, now that the data and the model are known to fit, and clear what a killed process left half written."""
        for name in (*OWN, MARKER, STATE, RECORD):
            remove_parts(self.folder / name)
        if not self.resume:
            set_aside(self.folder)
        self.changed = True

    def start(self, config: bytes, record: Callable[[Path], None]) -> None:
        """Make the folder this run's, now that training begins: its marker, its config, what `record` writes to the folder that it is
        given, and an earlier run is deleted for good. Raises UsageError where a file that `record` writes is there and not ours.
        """
        before = marker_of(self.folder)
        run = uuid.uuid4().hex if before is None else before["run"]
        write_marker(self.folder, {"run": run, "written": before["written"] if before else []})
        atomic_write(self.folder / CONFIG, config)
        self.take_in(record, adopt=self.resume and before is None)
        with suppress(FileNotFoundError):
            os.rename(self.folder / OLD, self.folder / DOOMED)
        shutil.rmtree(self.folder / DOOMED, ignore_errors=True)
        self.started = True

    def take_in(self, record: Callable[[Path], None], adopt: bool) -> None:
        """Move what `record` writes into the folder and note it as ours. `adopt`: so is what an earlier version wrote there."""
        with part_folder(self.folder / RECORD) as part:
            record(part)
            for path in sorted(part.iterdir()):
                target = self.folder / path.name
                if os.path.lexists(target) and not adopt and path.name not in own_names(self.folder):
                    raise UsageError(f"{target}: is not of a run of vaehub and would be overwritten; choose another --out")
                add_written(target)
                remove(target)
                os.rename(path, target)

    def undo(self) -> None:
        """Leave the folder as it was before: for a run that never started."""
        if self.changed and not self.resume:
            for name in (*own_names(self.folder), MARKER):
                remove(self.folder / name)
        restore_old(self.folder)


@contextmanager
def held(folder: Path, resume: bool, force: bool, needed: Collection[tuple[str, Path]]) -> Iterator[Hold]:
    """The folder of a run, held by this process alone. A run that does not start inside the block leaves nothing behind.

    Arguments:
        folder: RUN/.
        resume: go on with the run that is there.
        force: replace the run that is there.
        needed: (what it is, path) of what must not be inside a folder that is replaced.

    Raises:
        UsageError: as `require_free` does, or another process holds the folder.
    """
    made = make_folders(folder)
    try:
        with locked(folder):
            restore_old(folder)
            require_free(folder, resume, force, needed)
            hold = Hold(folder, resume and is_trained(folder))
            try:
                yield hold
            finally:
                if not hold.started:
                    with shielded():
                        hold.undo()
    finally:
        for path in made:  # the innermost first; those that hold something stay
            with suppress(OSError):
                path.rmdir()


@contextmanager
def replaced_run(folder: Path, needed: Collection[tuple[str, Path]] = ()) -> Iterator[Path]:
    """A folder to write in that takes the place of a whole run: of a model that was changed and is that run no longer.

    Killed at any time it leaves the run as it was, or the new folder.

    Arguments:
        folder: RUN/.
        needed: (what it is, path) of what must not be inside it.

    Raises:
        UsageError: it holds what is not vaehub's, or another process trains in it; then nothing was changed.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     run = Path(folder, "run")
    ...     run.mkdir()
    ...     write_marker(run, {"run": "1", "written": []})
    ...     with replaced_run(run) as part:
    ...         _ = (part / "model").write_text("another")
    ...     os.listdir(run)
    ['model']
    """
    with locked(folder):
        restore_old(folder)
        require_replaceable(folder, needed)
        own = {*own_names(folder), MARKER, LOCK}
        for path in sorted(folder.iterdir()):
            if path.name not in own:
                raise UsageError(f"{path}: is not vaehub's and would be deleted; move it, or write to another folder")
        with part_folder(folder) as part:
            yield part
            sync_tree(part)
            swap(part, folder)
        sync_folder(folder.parent)


def is_run(folder: Path) -> bool:
    """Whether vaehub's mark says that a folder is a run.

    Arguments:
        folder: its path.

    >>> is_run(Path("nowhere"))
    False
    """
    return marker_of(folder) is not None


def is_trained(folder: Path) -> bool:
    """Whether a run there has something to lose, or to go on from."""
    return any((folder / name).exists() for name in TRAINED)


def require_free(folder: Path, resume: bool, force: bool, needed: Collection[tuple[str, Path]]) -> None:
    """Raise UsageError where a run is there that would be overwritten unasked, or anything that is not vaehub's own."""
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"{folder}: is a file; choose another --out")
    run = marker_of(folder)
    trained = is_trained(folder)
    if run is None and (folder / CONFIG).exists() and trained:
        if force:
            raise UsageError(
                f"{folder}: holds a run without vaehub's mark ({MARKER}), as an earlier version wrote it, and --force deletes "
                "only what bears it; delete that folder yourself, or choose another --out"
            )
        run = {}
    elif run is None:
        require_absent(folder)
    if run is None:
        return
    for path in misplaced(folder):
        raise UsageError(f"{path}: is not what vaehub writes there; move it, or choose another --out")
    if resume:
        return
    if trained and not force:
        raise UsageError(f"{folder}: already holds a run; go on with --resume, replace it with --force, or choose another --out")
    require_replaceable(folder, needed)


def require_absent(folder: Path) -> None:
    """Raise UsageError where a file of the user has the name of one that would be written."""
    for name in OWN:
        if os.path.lexists(folder / name):
            raise UsageError(f"{folder / name}: is not of a run of vaehub and would be overwritten; choose another --out")


def require_replaceable(folder: Path, needed: Collection[tuple[str, Path]]) -> None:
    """Raise UsageError unless deleting the run takes along nothing but what vaehub wrote."""
    if folder.is_symlink():
        raise UsageError(f"{folder}: is a symbolic link, which --force does not follow; give the folder that it stands for")
    place = folder.resolve()
    for what, path in needed:
        if path.resolve().is_relative_to(place):
            raise UsageError(f"{folder}: holds {what} ({path}), so no run in it is replaced; choose another --out")
    for path in foreign(folder):
        raise UsageError(f"{path}: is not vaehub's and would be deleted; move it, or choose another --out")


def misplaced(folder: Path) -> Iterator[Path]:
    """Links, and files and folders in place of each other, under names of vaehub's own."""
    for name in own_names(folder):
        path, is_folder = folder / name, bool(OWN.get(name))
        if path.is_symlink() or (name in OWN and path.exists() and path.is_dir() != is_folder):
            yield path


def foreign(folder: Path) -> Iterator[Path]:
    """What stands in folders of vaehub's own and was not written by it."""
    for name, patterns in OWN.items():
        for path in sorted((folder / name).rglob("*") if patterns else ()):
            if path.is_symlink() or not any(fnmatchcase(path.name, one) for one in patterns or ()):
                yield path


def own_names(folder: Path) -> list[str]:
    """Names in a run folder that are vaehub's own: those that every run has, and what its marker lists."""
    return [*OWN, *((marker_of(folder) or {}).get("written", ()))]


def marker_of(folder: Path) -> dict[str, Any] | None:
    """What the marker says; None where the folder is no run of ours."""
    path = folder / MARKER
    if path.is_symlink() or not path.is_file() or path.stat().st_size > 2**20:
        return None
    try:
        found = json.loads(path.read_bytes())
        names = [str(name) for name in found["written"]]
        return {"run": str(found["run"]), "written": [n for n in names if n == Path(n).name and not n.startswith(".")]}
    except (ValueError, KeyError, TypeError, RecursionError):
        return {"run": uuid.uuid4().hex, "written": []}  # damaged, but nobody else's


def write_marker(folder: Path, content: dict[str, Any]) -> None:
    """Mark the folder as a run of ours."""
    atomic_write(folder / MARKER, json.dumps(content, sort_keys=True).encode())


def add_written(path: Path) -> None:
    """Note that a file or folder directly in a run folder was written by vaehub, so that --force replaces it too.

    Arguments:
        path: of the file or folder.
    """
    content = marker_of(path.parent)
    if content is not None and path.name not in (*OWN, *content["written"]):
        write_marker(path.parent, content | {"written": sorted({*content["written"], path.name})})


def set_aside(folder: Path) -> None:
    """Move what an earlier run left out of the way, its marker last. A folder without the marker is left alone."""
    if not (folder / MARKER).exists():
        return
    (folder / OLD).mkdir()
    for name in (*own_names(folder), MARKER):
        with suppress(FileNotFoundError):
            os.rename(folder / name, folder / OLD / name)


def restore_old(folder: Path) -> None:
    """Put an earlier run back whose successor never started; finish the deletion of one whose successor did."""
    if (folder / OLD).is_dir():
        for path in sorted((folder / OLD).iterdir()):
            remove(folder / path.name)
            os.rename(path, folder / path.name)
        (folder / OLD).rmdir()
        sync_folder(folder)
    if (folder / DOOMED).is_dir() and not (folder / DOOMED).is_symlink():
        shutil.rmtree(folder / DOOMED)


def remove(path: Path) -> None:
    """Delete a file or a folder; of a symbolic link only the link."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def make_folders(folder: Path) -> list[Path]:
    """Create the folder where it is not there; what had to be created, the innermost first."""
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"{folder}: is a file; choose another --out")
    made = [path for path in (folder, *folder.parents) if not path.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    return made


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """The folder's lock, which ends with the block or with the process. A folder that holds no run afterwards keeps no lock file."""
    path = folder / LOCK
    handle = open_lock(path)
    try:
        os.ftruncate(handle, 0)
        os.pwrite(handle, str(os.getpid()).encode(), 0)
        yield
    finally:
        os.ftruncate(handle, 0)
        if not (folder / MARKER).exists():
            path.unlink(missing_ok=True)
        os.close(handle)


def open_lock(path: Path) -> int:
    """The open and locked file. Raises UsageError that names the process which holds it."""
    while True:
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o666)
        if not lock(handle):
            holder = os.pread(handle, 20, 0).decode(errors="replace") or "another process"
            os.close(handle)
            raise UsageError(f"{path.parent}: process {holder} trains here; wait for its end, or choose another --out")
        with suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(handle), path.stat()):  # else its last holder has deleted it
                return handle
        os.close(handle)
