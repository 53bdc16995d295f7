import gzip
import io
import struct
import zipfile

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from vaehub.base import Spec
from vaehub.errors import UsageError
from vaehub_images import decoding
from vaehub_images.codec import ImageCodec
from vaehub_images.digits import Digits
from vaehub_images.fashion import FashionMNIST
from vaehub_images.files import write_images
from vaehub_images.folder import ImageFolder, split_by_content
from vaehub_images.pixels import to_bytes


@pytest.fixture
def domain():
    out = Digits()
    out.codec = ImageCodec(Spec((1, 8, 8)), [str(i) for i in range(10)])
    return out


@pytest.fixture
def labelled():
    out = Digits(labels=True)
    out.codec = ImageCodec(Spec((1, 8, 8), cond=10), [str(i) for i in range(10)])
    return out


def png(array, mode=None, **options):
    out = io.BytesIO()
    Image.fromarray(array, mode).save(out, options.pop("format", "PNG"), **options)
    return out.getvalue()


def grey(seed=0, shape=(8, 8)):
    return np.random.default_rng(seed).integers(0, 256, shape, np.uint8)


def zipped(path, members, compression=zipfile.ZIP_DEFLATED):
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


@pytest.mark.parametrize("suffix", [".npy", ".npz", ""])
def test_what_is_written_can_be_read(domain, tmp_path, suffix):
    x = torch.from_numpy(grey(shape=(5, 1, 8, 8))).float() / 255
    domain.codec.write(x, tmp_path / f"out{suffix}")
    if suffix:
        assert torch.allclose(domain.codec.read(tmp_path / f"out{suffix}")[torch.arange(5)].x, x, atol=1e-7)
    else:
        assert torch.equal(domain.codec.read(tmp_path / "out")[torch.arange(5)].x, x)


def test_a_grid_shows_every_image(domain, tmp_path):
    x = torch.from_numpy(grey(shape=(6, 1, 8, 8))).float() / 255
    domain.codec.write(x, tmp_path / "grid.png")
    sheet = np.asarray(Image.open(tmp_path / "grid.png"))
    assert sheet.shape == (24, 16)
    assert np.array_equal(sheet[8:16, 8:16], grey(shape=(6, 1, 8, 8))[3, 0])


def test_levels_are_written_as_grey(tmp_path):
    domain = Digits(levels=16)
    domain.codec = ImageCodec(Spec((1, 8, 8), classes=16), [])
    x = torch.randint(16, (3, 1, 8, 8))
    domain.codec.write(x, tmp_path / "out")
    assert torch.equal(domain.codec.read(tmp_path / "out")[torch.arange(3)].x, x)


@pytest.mark.parametrize("name", ["out.bmp", "out.txt", "missing_folder/out.png"])
def test_where_nothing_can_be_written(domain, tmp_path, name):
    with pytest.raises(UsageError, match=name.split("/")[0]):
        domain.codec.write(torch.zeros(1, 1, 8, 8), tmp_path / name)


@pytest.mark.parametrize("shape", [(4, 8, 8), (4, 1, 8, 8), (4, 8, 8, 1), (4, 64), (8, 8), (1, 8, 8)])
def test_array_layouts(domain, tmp_path, shape):
    array = grey(shape=shape)
    np.save(tmp_path / "x.npy", array)
    data = domain.codec.read(tmp_path / "x.npy")
    assert np.array_equal(data.pixels.numpy().ravel(), array.ravel())


def test_colours_last_are_moved_first(tmp_path):
    domain = Digits()
    domain.codec = ImageCodec(Spec((3, 4, 5)), [])
    array = grey(shape=(2, 4, 5, 3))
    np.save(tmp_path / "x.npy", array)
    assert np.array_equal(domain.codec.read(tmp_path / "x.npy").pixels.numpy(), array.transpose(0, 3, 1, 2))


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.zeros((2, 9, 9), np.uint8), r"\(2, 9, 9\).*\(N, 1, 8, 8\)"),
        (np.full((2, 8, 8), 255.0), r"span \[255, 255\]"),
        (np.full((2, 8, 8), -1), r"span \[-1, -1\]"),
        (np.full((2, 8, 8), np.nan), r"span \[nan, nan\]"),
        (np.full((2, 8, 8), 1j), "complex"),
        (np.zeros((0, 8, 8)), "holds no image"),
        (np.array("text"), "shape"),
        (np.array([[{}]], object), "damaged"),
    ],
)
def test_arrays_out_of_range(domain, tmp_path, array, message):
    np.save(tmp_path / "x.npy", array, allow_pickle=True)
    with pytest.raises(UsageError, match=r"x\.npy.*" + message):
        domain.codec.read(tmp_path / "x.npy")


def test_labels_of_an_npz(labelled, tmp_path):
    np.savez(tmp_path / "x.npz", x=grey(shape=(2, 8, 8)), labels=[3, 9])
    batch = labelled.codec.read(tmp_path / "x.npz")[torch.arange(2)]
    assert batch.cond.argmax(-1).tolist() == [3, 9]


@pytest.mark.parametrize("labels", [[3, 10], [3], [-1, 0]])
def test_labels_out_of_range(labelled, tmp_path, labels):
    np.savez(tmp_path / "x.npz", x=grey(shape=(2, 8, 8)), labels=labels)
    with pytest.raises(UsageError, match=r"x\.npz"):
        labelled.codec.read(tmp_path / "x.npz")


def idx(array):
    return struct.pack(">HBB", 0, 8, array.ndim) + struct.pack(f">{array.ndim}I", *array.shape) + array.tobytes()


def test_idx_plain_and_zipped(domain, tmp_path):
    array = grey(shape=(3, 8, 8))
    (tmp_path / "t10k-images-idx3-ubyte").write_bytes(idx(array))
    (tmp_path / "x.gz").write_bytes(gzip.compress(idx(array)))
    for name in ("t10k-images-idx3-ubyte", "x.gz"):
        assert np.array_equal(domain.codec.read(tmp_path / name).pixels[:, 0].numpy(), array)


@pytest.mark.parametrize(
    "change", [lambda b: b[:-1], lambda b: b + b"x", lambda b: b"\1" + b[1:], lambda b: b[:3], lambda b: b""]
)
def test_damaged_idx(domain, tmp_path, change):
    (tmp_path / "x.idx").write_bytes(change(idx(grey(shape=(3, 8, 8)))))
    with pytest.raises(UsageError, match=r"x\.idx"):
        domain.codec.read(tmp_path / "x.idx")


@pytest.mark.parametrize("name", ["none.png", "none.npy", "none.npz", "none.zip", "none.idx", "none"])
def test_missing_files(domain, tmp_path, name):
    with pytest.raises(UsageError, match=name):
        domain.codec.read(tmp_path / name)


def test_pictures_of_every_mode_become_grey(domain, tmp_path):
    base = grey()
    images = {
        "l.png": png(base),
        "rgb.png": png(np.stack([base] * 3, -1)),
        "alpha.png": png(np.stack([base, base, base, np.full_like(base, 255)], -1)),
        "deep.png": png(base.astype(np.uint16) * 257),
    }
    for name, content in images.items():
        (tmp_path / name).write_bytes(content)
        x = domain.codec.read(tmp_path / name)[torch.tensor([0])].x
        assert torch.allclose(x[0, 0], torch.from_numpy(base) / 255, atol=1e-7), name


def test_transparent_pixels_are_white(domain, tmp_path):
    (tmp_path / "x.png").write_bytes(png(np.zeros((8, 8, 4), np.uint8)))
    assert domain.codec.read(tmp_path / "x.png").pixels.unique().tolist() == [255]


@pytest.mark.parametrize(
    "content", [b"", b"no picture", png(grey())[:60], b"\x89PNG\r\n\x1a\n" + b"\0" * 40, b"GIF89a" + b"\0" * 40]
)
def test_unreadable_pictures_are_named(domain, tmp_path, content):
    (tmp_path / "broken.png").write_bytes(content)
    with pytest.raises(UsageError, match=r"broken\.png"):
        domain.codec.read(tmp_path)


def test_pictures_of_another_size_are_named(domain, tmp_path):
    (tmp_path / "big.png").write_bytes(png(grey(shape=(9, 8))))
    with pytest.raises(UsageError, match=r"big\.png: 9 x 8 pixels, expected 8 x 8"):
        domain.codec.read(tmp_path)


def test_empty_folders_and_archives(domain, tmp_path):
    (tmp_path / "notes.txt").write_text("nothing to see")
    for path in (tmp_path, zipped(tmp_path / "x.zip", {"notes.txt": "nothing", "__MACOSX/a.png": "x", ".hidden.png": "x"})):
        with pytest.raises(UsageError, match=r"no \.png"):
            domain.codec.read(path)


def test_zip_bombs_are_refused_unread(domain, tmp_path):
    zipped(tmp_path / "bomb.zip", {"a.png": b"\0" * (4 << 20)})
    with pytest.raises(UsageError, match=r"bomb\.zip:a\.png.*bomb"):
        domain.codec.read(tmp_path / "bomb.zip")


def test_huge_pictures_are_refused_undecoded(domain, tmp_path, monkeypatch):
    monkeypatch.setattr(decoding, "MAX_PIXELS", 63)
    (tmp_path / "x.png").write_bytes(png(grey()))
    with pytest.raises(UsageError, match=r"x\.png: 8 x 8 pixels, more than 63"):
        domain.codec.read(tmp_path / "x.png")


def test_sub_folders_are_conditions(labelled, tmp_path):
    zipped(tmp_path / "x.zip", {"3/a.png": png(grey(1)), "5/b.png": png(grey(2))})
    assert labelled.codec.read(tmp_path / "x.zip")[torch.arange(2)].cond.argmax(-1).tolist() == [3, 5]
    zipped(tmp_path / "y.zip", {"cat/a.png": png(grey(1))})
    with pytest.raises(UsageError, match=r"y\.zip: no class 'cat'"):
        labelled.codec.read(tmp_path / "y.zip")


@pytest.fixture
def album(tmp_path):
    for seed in range(20):
        folder = tmp_path / "album" / ("cats" if seed % 2 else "dogs")
        folder.mkdir(parents=True, exist_ok=True)
        content = png(grey(seed % 18, (10, 14, 3)))
        (folder / f"{seed}.png").write_bytes(content)
    return tmp_path / "album"


def test_a_folder_is_split_without_leaks(album):
    domain = ImageFolder(path=str(album), labels=True, test=0.2)
    rows = {split: {image.numpy().tobytes() for image in domain.data(split).pixels} for split in ("train", "val", "test")}
    assert domain.codec.spec == Spec((3, 10, 14), cond=2)
    assert list(domain.codec.classes) == ["cats", "dogs"]
    assert sum(len(domain.data(split)) for split in rows) == 20
    assert not rows["train"] & rows["val"] | rows["train"] & rows["test"] | rows["val"] & rows["test"]
    again = ImageFolder(path=str(album), labels=True, test=0.2)
    assert all(torch.equal(domain.data(split).pixels, again.data(split).pixels) for split in rows)


def test_a_folder_resized_and_grey(album):
    assert ImageFolder(path=str(album), resize=6, colour="grey").codec.spec.shape == (1, 6, 6)
    assert ImageFolder(path=str(album), resize=(5, 7)).codec.spec.shape == (3, 5, 7)


def test_folders_of_mixed_sizes_or_too_few(album, tmp_path):
    (album / "cats" / "odd.png").write_bytes(png(grey(99, (3, 3, 3))))
    with pytest.raises(UsageError, match=r"odd\.png: 3 x 3"):
        _ = ImageFolder(path=str(album)).codec.spec
    (tmp_path / "two").mkdir()
    for seed in range(2):
        (tmp_path / "two" / f"{seed}.png").write_bytes(png(grey(seed)))
    with pytest.raises(UsageError, match="too few"):
        _ = ImageFolder(path=str(tmp_path / "two")).codec.spec


@given(st.lists(st.integers(0, 30), min_size=6, max_size=60), st.integers(0, 5))
def test_splits_are_disjoint_and_keep_copies_together(values, seed):
    pixels = torch.tensor(values, dtype=torch.uint8).view(-1, 1, 1, 1)
    rows = split_by_content(pixels, {"val": 0.1, "test": 0.2}, seed)
    assert sorted(torch.cat(list(rows.values())).tolist()) == list(range(len(values)))
    sets = [set(pixels[index].flatten().tolist()) for index in rows.values()]
    assert sum(len(s) for s in sets) == len(set(values))


@pytest.fixture
def fashion(tmp_path):
    for prefix, rows in (("train", 12), ("t10k", 5)):
        (tmp_path / f"{prefix}-images-idx3-ubyte").write_bytes(idx(grey(shape=(rows, 28, 28))))
        (tmp_path / f"{prefix}-labels-idx1-ubyte.gz").write_bytes(gzip.compress(idx(np.arange(rows, dtype=np.uint8) % 10)))
    return tmp_path


def test_fashion_from_files(fashion):
    domain = FashionMNIST(path=str(fashion), validation=2, labels=True)
    assert [len(domain.data(split)) for split in ("train", "val", "test")] == [10, 2, 5]
    assert domain.codec.spec.cond == 10
    assert domain.codec.condition(["ankle boot"]).argmax() == 9


def test_fashion_that_is_not_there_or_wrong(fashion, tmp_path):
    with pytest.raises(UsageError, match=r"domain\.download=true"):
        _ = FashionMNIST(path=str(tmp_path / "none")).codec.spec
    (fashion / "t10k-labels-idx1-ubyte.gz").write_bytes(gzip.compress(idx(np.full(5, 11, np.uint8))))
    with pytest.raises(UsageError, match=r"t10k-labels.*0\.\.9"):
        _ = FashionMNIST(path=str(fashion), validation=2).codec.spec


GOOD = {
    "a.png": png(grey()),
    "b.jpg": png(grey(1), format="JPEG"),
    "c.npy": None,
    "d.zip": None,
    "e.idx": idx(grey(shape=(2, 8, 8))),
}


def contents(name):
    if GOOD[name] is not None:
        return GOOD[name]
    out = io.BytesIO()
    if name == "c.npy":
        np.save(out, grey(shape=(2, 8, 8)))
    else:
        zipped(out, {"x/1.png": png(grey(2)), "y/2.png": png(grey(3))})
    return out.getvalue()


@settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(sorted(GOOD)), st.data())
def test_damaged_files_are_read_or_named(domain, tmp_path, name, data):
    content = bytearray(contents(name))
    for _ in range(data.draw(st.integers(0, 3))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    (tmp_path / name).write_bytes(content[: data.draw(st.integers(0, len(content)))])
    try:
        read = domain.codec.read(tmp_path / name)
    except UsageError as error:
        assert name in str(error)  # noqa: PT017 - either outcome is right
    else:
        x = read[torch.arange(len(read))].x
        assert x.shape[1:] == (1, 8, 8)
        assert 0 <= x.min() <= x.max() <= 1


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=300), st.sampled_from([".png", ".jpg", ".npy", ".npz", ".zip", ".idx", ".gz"]))
def test_noise_is_never_an_image(domain, tmp_path, content, suffix):
    (tmp_path / f"noise{suffix}").write_bytes(content)
    with pytest.raises(UsageError, match="noise"):
        domain.codec.read(tmp_path / f"noise{suffix}")


def test_an_npy_whose_header_ends_in_mid_air_is_named(tmp_path):
    """numpy.lib.format tokenises the header and lets a TokenError through: found by the test of damaged files."""
    path = tmp_path / "c.npy"
    path.write_bytes(b"\x93NUMPY\x01\x00\x04\x00{(\n\n")
    with pytest.raises(UsageError, match=r"c\.npy"):
        Digits().codec.read(path)


@pytest.mark.parametrize("name", ["x.NPZ", "x.Npy", "x.PNG", "x.npz"])
def test_images_are_written_under_the_very_name_that_was_given(tmp_path, name):
    write_images(torch.zeros(2, 1, 4, 4), tmp_path / name, to_bytes)
    assert [path.name for path in tmp_path.iterdir()] == [name]
