"""Arrays from files: headers are judged before memory is taken."""

from __future__ import annotations

import io
import os
import tracemalloc
import zipfile

import numpy as np
import pytest
from numpy.lib import format as npy

from vaehub.errors import UsageError
from vaehub.files import guard
from vaehub.files.arrays import opened_npz, read_npy


def promising(shape, dtype="<f8", content=b""):
    """An .npy whose header promises an array that is not behind it."""
    file = io.BytesIO()
    npy.write_array_header_1_0(file, {"descr": dtype, "fortran_order": False, "shape": shape})
    return file.getvalue() + content


@pytest.mark.parametrize("array", [np.arange(6.0).reshape(2, 3), np.asfortranarray(np.eye(3)), np.zeros((0, 4)), np.array(3)])
def test_arrays_come_back(tmp_path, array):
    np.save(tmp_path / "a.npy", array)
    np.savez_compressed(tmp_path / "a.npz", x=array, y=np.arange(3))
    assert (read_npy(tmp_path / "a.npy") == array).all()
    with opened_npz(tmp_path / "a.npz") as arrays:
        assert arrays.files == ["x", "y"]
        assert arrays["x"].shape == array.shape


@pytest.mark.parametrize("shape", [(10**11,), (10**6, 10**6), (2**62, 4), (-1, 3), (10**30,)])
def test_a_header_that_promises_more_than_there_is_takes_no_memory(tmp_path, shape):
    (tmp_path / "a.npy").write_bytes(promising(shape, content=bytes(80)))
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        archive.writestr("x.npy", promising(shape, content=bytes(80)))
    tracemalloc.start()
    with pytest.raises(UsageError, match=r"a\.npy: damaged"):
        read_npy(tmp_path / "a.npy")
    with pytest.raises(UsageError, match=r"a\.npz: damaged"), opened_npz(tmp_path / "a.npz"):
        pass
    assert tracemalloc.get_traced_memory()[1] < 2**20
    tracemalloc.stop()


def test_nothing_is_unpickled(tmp_path):
    np.save(tmp_path / "a.npy", np.array([{}], dtype=object), allow_pickle=True)
    np.savez(tmp_path / "a.npz", x=np.array([{}], dtype=object))
    with pytest.raises(UsageError, match="holds Python objects"):
        read_npy(tmp_path / "a.npy")
    with pytest.raises(UsageError, match="holds Python objects"), opened_npz(tmp_path / "a.npz"):
        pass


def test_a_bomb_is_refused_by_its_directory(tmp_path, monkeypatch):
    monkeypatch.setattr(guard, "FREE_BYTES", 1000)
    np.savez_compressed(tmp_path / "bomb.npz", x=np.zeros(10**6))
    with pytest.raises(UsageError, match=r"bomb\.npz: .* unpack to more than"), opened_npz(tmp_path / "bomb.npz"):
        pass


@pytest.mark.parametrize("content", [b"", b"PK torn", promising((2,), "<U7")[:40], b"\x93NUMPY\x03\x00" + bytes(40)])
def test_damaged_files_are_named(tmp_path, content):
    for name in ("a.npy", "a.npz"):
        (tmp_path / name).write_bytes(content)
    with pytest.raises(UsageError, match=r"a\.npy: damaged"):
        read_npy(tmp_path / "a.npy")
    with pytest.raises(UsageError, match=r"a\.npz: damaged"), opened_npz(tmp_path / "a.npz"):
        pass


def test_a_pipe_is_refused_and_does_not_block(tmp_path):
    os.mkfifo(tmp_path / "a.npy")
    with pytest.raises(UsageError, match="is a pipe"):
        read_npy(tmp_path / "a.npy")
