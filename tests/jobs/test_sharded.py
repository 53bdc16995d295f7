"""Jobs over files, with a stand-in that counts words: what is done stays done, and nothing outside the folder is touched."""

from __future__ import annotations

import json
import os
from dataclasses import replace

import pytest

from vaehub.errors import UsageError
from vaehub.jobs.displays import showing
from vaehub.jobs.manifest import Manifest
from vaehub.jobs.progress import Display
from vaehub.jobs.sharded import Work, Writer, run_sharded
from vaehub.jobs.shards import Formats

TEXTS = Formats("texts", "counts", (".txt", ".txt.gz"), ".csv")
OPTIONS = {"model": "m", "k": 3}


class Lengths(Writer):
    def __init__(self, file):
        self.file, self.counts = file, {"words": 0, "pieces": 0}

    def add(self, lengths):
        self.file.write("".join(f"{length}\n" for length in lengths).encode())
        self.counts["words"] += len(lengths)
        self.counts["pieces"] += 1
        return len(lengths)

    def close(self):
        self.file.write(b"end\n")


def counting(size, read=None):
    """The lengths of the words of a text, so many at once."""
    read = [] if read is None else read

    def pieces(path):
        read.append(path.name)
        words = path.read_text().split()
        if "torn" in words:
            raise UsageError(f"{path}: torn")
        for start in range(0, max(1, len(words)), size):
            yield words[start : start + size]

    def lengths(words):
        yield list(map(len, words))

    return Work(pieces, lengths, Lengths, "words")


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "home/in/deep").mkdir(parents=True)
    for name, text in {"a": "one three", "b": "five", "deep/c": ""}.items():
        (tmp_path / f"home/in/{name}.txt").write_text(text)
    return tmp_path / "home"


def do(folder, size=2, made_by=OPTIONS, force=False, read=None, out="out", skip_bad=False):
    job = TEXTS.plan(folder / "in", folder / out)
    manifest = Manifest.open(job, "test/1", made_by, force)
    run_sharded(job, manifest, replace(counting(size, read), skip_bad=skip_bad))
    return manifest


def results(folder, out="out"):
    return {path.relative_to(folder / out).as_posix(): path.read_text() for path in sorted((folder / out).rglob("*.csv"))}


def test_every_file_has_its_result_whatever_the_pieces(folder):
    expected = {"a.csv": "3\n5\nend\n", "b.csv": "4\nend\n", "deep/c.csv": "end\n"}
    assert do(folder).counts == {"words": 3, "pieces": 3}
    do(folder, size=1, out="single")
    assert results(folder) == results(folder, "single") == expected


def test_shards_do_not_matter(folder):
    do(folder)
    (folder / "in/b.txt").unlink()
    (folder / "in/a.txt").write_text("one three five")
    do(folder, out="fewer")
    assert "".join(results(folder).values()).replace("end\n", "") == "".join(results(folder, "fewer").values()).replace(
        "end\n", ""
    )


def test_what_is_done_is_not_done_again(folder):
    do(folder)
    read = []
    do(folder, read=read)
    assert read == []
    (folder / "in/b.txt").write_text("changed")
    (folder / "out/a.csv").unlink()
    do(folder, read=read)
    assert read == ["a.txt", "b.txt"]


def test_an_error_keeps_what_is_done_and_the_next_run_goes_on(folder):
    (folder / "in/b.txt").write_text("torn")
    with pytest.raises(UsageError, match="torn"):
        do(folder)
    assert list(results(folder)) == ["a.csv"]
    (folder / "in/b.txt").write_text("five")
    read = []
    do(folder, read=read)
    assert read == ["b.txt", "c.txt"]


def test_another_model_needs_force(folder):
    do(folder)
    with pytest.raises(UsageError, match="was made with model='m', now 'other'; write elsewhere, or start anew with --force"):
        do(folder, made_by=OPTIONS | {"model": "other"})
    do(folder, made_by=OPTIONS | {"model": "other"}, force=True)


def foreign(folder, outputs):
    """A manifest that somebody else wrote."""
    (folder / "out").mkdir(exist_ok=True)
    entries = {
        f"gone{number}.txt": {"digest": "", "output": str(output), "bytes": size, "counts": {}, "seconds": 0}
        for number, (output, size) in enumerate(outputs)
    }
    content = {"format": "test/1", "made_by": {}, "shards": entries, "skipped": {}}
    (folder / "out/_manifest.json").write_text(json.dumps(content))


def test_a_foreign_manifest_deletes_nothing_outside_its_folder_and_nothing_that_is_no_result(folder):
    outside = folder.parent / "precious.csv"
    outside.write_text("1")
    beside = folder / "precious.csv"
    beside.write_text("1")
    (folder / "out").mkdir()
    (folder / "out/notes.txt").write_text("1")
    (folder / "out/longer.csv").write_text("mine")
    (folder / "out/link.csv").symlink_to(outside)
    (folder / "out/up").symlink_to(folder)
    (folder / "out/folder.csv").mkdir()
    (folder / "out/old.csv").write_text("1")
    names = ["../precious.csv", "../../precious.csv", outside, "notes.txt", "longer.csv", "link.csv", "up/precious.csv"]
    foreign(folder, [(name, 1) for name in [*names, "folder.csv", "old.csv", "absent.csv", "", "."]])
    do(folder, force=True)
    assert outside.read_text() == beside.read_text() == "1"
    there = {path.name for path in (folder / "out").iterdir()}
    assert {"notes.txt", "longer.csv", "link.csv", "up", "folder.csv"} <= there
    assert "old.csv" not in there


def test_a_foreign_manifest_makes_nothing_be_written_elsewhere(folder):
    outside = folder.parent / "precious.csv"
    outside.write_text("1")
    foreign(folder, [])
    content = json.loads((folder / "out/_manifest.json").read_text())
    entry = {"digest": "x", "output": "../../precious.csv", "bytes": 1, "counts": {}, "seconds": 0}
    content |= {"made_by": OPTIONS, "shards": {"a.txt": entry}}
    (folder / "out/_manifest.json").write_text(json.dumps(content))
    (folder / "in/a.txt").write_text("torn")
    with pytest.warns(UserWarning, match="torn"):
        do(folder, skip_bad=True)
    assert outside.read_text() == "1"
    assert list(results(folder)) == ["b.csv", "deep/c.csv"]


class Recorder(Display):
    def __init__(self):
        super().__init__()
        self.seen = []

    def changed(self):
        self.seen.append(self.words())


def test_progress_counts_files_and_what_is_in_them(folder):
    recorder = Recorder()
    with showing(recorder):
        do(folder)
    assert any(line.startswith("working on files, file 2/3") and line.endswith("1 words") for line in recorder.seen)


def test_a_pipe_is_refused_and_does_not_block(tmp_path):
    os.mkfifo(tmp_path / "pipe.txt")
    job = TEXTS.plan(tmp_path / "pipe.txt", tmp_path / "out.csv")
    with pytest.raises(UsageError, match=r"pipe\.txt: is a pipe"):
        run_sharded(job, Manifest.open(job, "test/1", OPTIONS, force=False), counting(2))
