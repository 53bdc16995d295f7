"""Pictures as they come: turned, deep, animated, huge, and folders with what is no picture."""

from __future__ import annotations

import io
import json
import os
import struct
import subprocess
import sys
import zipfile
import zlib
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from vaehub.base import Spec
from vaehub.errors import UsageError
from vaehub_images.codec import ImageCodec
from vaehub_images.folder import ImageFolder

MARK = np.zeros((4, 8), np.uint8)
MARK[0, 0], MARK[3, 0] = 255, 120  # upright after a turn by EXIF 6 (clockwise): the bottom left pixel comes to the top left
TURNED = np.rot90(MARK, -1)


def saved(picture: Image.Image, **options) -> bytes:
    out = io.BytesIO()
    picture.save(out, **{"format": "PNG"} | options)
    return out.getvalue()


def orientation(value: int) -> Image.Exif:
    exif = Image.Exif()
    exif[0x0112] = value
    return exif


def of_shape(*shape: int) -> ImageCodec:
    return ImageCodec(Spec(shape))


def x_of(path, *shape: int) -> np.ndarray:
    return of_shape(*shape).read(path)[torch.tensor([0])].x[0].numpy()


def in_mode(mode: str) -> Image.Image:
    if mode == "I;16":
        return Image.fromarray(MARK.astype(np.uint16) * 257)
    if mode == "P+alpha":
        return Image.fromarray(MARK).convert("RGBA").quantize(4)
    return Image.fromarray(MARK).convert(mode)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "P+alpha", "RGB", "RGBA", "I;16"])
def test_orientation_is_applied_first_to_png(tmp_path, mode):
    picture = in_mode(mode)
    (tmp_path / "x.png").write_bytes(saved(picture, exif=orientation(6)))
    x = x_of(tmp_path / "x.png", 1, 8, 4)[0]
    tolerance = 1 if mode == "1" else 0.01  # dithered: the bright pixel alone is known
    assert x[0, 3] == 1
    assert abs(x[0, 0] - 120 / 255) <= tolerance
    assert x[1:].sum() == 0 or mode == "1"


@pytest.mark.parametrize("mode", ["L", "RGB", "CMYK"])
def test_orientation_is_applied_first_to_jpeg(tmp_path, mode):
    blocks = np.kron(MARK, np.ones((8, 8), np.uint8))  # JPEG blurs single pixels
    content = saved(
        Image.fromarray(blocks).convert("RGB" if mode == "CMYK" else mode).convert(mode), format="JPEG", exif=orientation(6)
    )
    (tmp_path / "x.jpg").write_bytes(content)
    assert np.abs(x_of(tmp_path / "x.jpg", 1, 64, 32)[0] - np.kron(TURNED, np.ones((8, 8))) / 255).max() < 0.05


@pytest.mark.parametrize("value", range(1, 9))
def test_every_orientation(tmp_path, value):
    turn = {1: lambda a: a, 2: np.fliplr, 3: lambda a: np.rot90(a, 2), 4: np.flipud, 5: np.transpose}
    turn |= {6: lambda a: np.rot90(a, -1), 7: lambda a: np.rot90(a, 2).T, 8: np.rot90}
    expected = turn[value](MARK)
    for name, options in (("x.png", {}), ("x.tif", {"format": "TIFF"}), ("x.webp", {"format": "WEBP", "lossless": True})):
        (tmp_path / name).write_bytes(saved(Image.fromarray(MARK), exif=orientation(value), **options))
        assert np.array_equal(x_of(tmp_path / name, 1, *expected.shape)[0], np.float32(expected) / np.float32(255)), name


def ramp(bits: int, rows: int = 64) -> np.ndarray:
    """Every value of so many bits, once."""
    return np.arange(2**bits, dtype=np.uint16).reshape(rows, -1)


def deep_folder(folder, arrays):
    folder.mkdir(exist_ok=True)
    for number, array in enumerate(arrays):
        Image.fromarray(array).save(folder / f"{number:02d}.png")
    return folder


@pytest.mark.parametrize("bits", [8, 10, 12, 16])
def test_deep_pictures_keep_their_levels(tmp_path, bits):
    """12-bit data kept 16 of 4,096 levels, and 8-bit data in 16 bits became black."""
    rng = np.random.default_rng(0)
    folder = deep_folder(tmp_path / "deep", [rng.permuted(ramp(bits, 16)) for _ in range(10)])
    domain = ImageFolder(path=str(folder), colour="grey")
    with pytest.warns(UserWarning, match=f"10 16-bit pictures, the brightest pixel {2**bits - 1:,}: read as {bits} bits"):
        train = domain.data("train")
    x = train[torch.arange(len(train))].x
    assert all(len(image.unique()) == 2**bits for image in x)
    assert (float(x.min()), float(x.max())) == (0, 1)


@pytest.mark.filterwarnings("ignore:.*16-bit pictures")
def test_later_files_are_scaled_as_the_training_set(tmp_path):
    rng = np.random.default_rng(0)
    domain = ImageFolder(path=str(deep_folder(tmp_path / "deep", [rng.permuted(ramp(12, 64)) for _ in range(10)])), colour="grey")
    loaded = ImageCodec.from_json(domain.codec.spec, json.loads(json.dumps(domain.codec.to_json())))
    dark = np.full((64, 64), 1000, np.uint16)
    Image.fromarray(dark).save(tmp_path / "dark.png")
    for codec in (domain.codec, loaded):
        assert codec.read(tmp_path / "dark.png")[torch.tensor([0])].x.unique().item() == pytest.approx(1000 / 4095, abs=1e-7)
    Image.fromarray(dark * 5).save(tmp_path / "bright.png")
    with pytest.raises(UsageError, match=r"bright\.png: 1 16-bit pictures, the brightest pixel 5,000; .* up to 4,095"):
        loaded.read(tmp_path / "bright.png")


def test_deep_pictures_of_a_model_of_bytes(tmp_path):
    """The standard scale of 16 bits; what would be black is said to be."""
    Image.fromarray(MARK.astype(np.uint16)).save(tmp_path / "x.png")
    with pytest.warns(UserWarning, match=r"brightest pixel 255 of 65,535: nearly black"):
        assert x_of(tmp_path / "x.png", 1, 4, 8).max() == np.float32(255) / np.float32(65535)


@pytest.mark.filterwarnings("ignore:.*16-bit pictures")
def test_deep_and_plain_pictures_in_one_folder(tmp_path):
    folder = deep_folder(tmp_path / "mixed", [np.full((4, 4), 10 + i, np.uint8) for i in range(10)])
    Image.fromarray(np.full((4, 4), 4095, np.uint16)).save(folder / "zz.png")
    domain = ImageFolder(path=str(folder), colour="grey")
    values = torch.cat([domain.data(split).pixels for split in ("train", "val", "test")]).unique()
    expected = torch.tensor([*(np.float32(10 + i) / np.float32(255) for i in range(10)), 1.0])
    assert torch.equal(values, expected)


@pytest.mark.filterwarnings("ignore:.*16-bit pictures")
def test_deep_pictures_are_resized(tmp_path):
    rng = np.random.default_rng(0)
    folder = deep_folder(tmp_path / "deep", [rng.integers(0, 4096, (16, 16), np.uint16) for _ in range(10)])
    domain = ImageFolder(path=str(folder), resize=8, colour="rgb")
    x = domain.data("train")[torch.arange(3)].x
    assert x.shape == (3, 3, 8, 8)
    assert torch.equal(x[:, 0], x[:, 2])
    assert 0 <= x.min() < x.max() <= 1
    assert len(x[0, 0].unique()) == 64


def deep_colour_png(kind: int, channels: int) -> bytes:
    """A PNG of 16 bits a colour, which Pillow cannot write."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = struct.pack(">IIBBBBB", 8, 4, 16, kind, 0, 0, 0)
    rows = b"".join(b"\0" + bytes(range(2 * channels * 8)) for _ in range(4))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


@pytest.mark.parametrize(("kind", "channels"), [(2, 3), (4, 2), (6, 4)])
def test_colours_of_sixteen_bits_lose_half_of_them_and_say_so(tmp_path, kind, channels):
    (tmp_path / "x.png").write_bytes(deep_colour_png(kind, channels))
    with pytest.warns(UserWarning, match=r"x\.png: 1 of 1 pictures: 16 bits a colour are read as 8"):
        of_shape(3, 4, 8).read(tmp_path / "x.png")


@pytest.mark.parametrize(("low", "high", "good"), [(0, 1, True), (0, 2, False), (-1, 1, False), (0, np.nan, False)])
def test_pictures_of_real_numbers(tmp_path, low, high, good):
    array = np.array([[low, high]], np.float32)
    Image.fromarray(array).save(tmp_path / "x.tiff")
    if good:
        return np.testing.assert_array_equal(x_of(tmp_path / "x.tiff", 1, 1, 2)[0], array)
    with pytest.raises(UsageError, match=r"x\.tiff: pixels span"):
        x_of(tmp_path / "x.tiff", 1, 1, 2)


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".PNG"])
def test_every_format_is_found_in_a_folder(tmp_path, suffix):
    Image.fromarray(np.full((4, 8), 77, np.uint8)).save(tmp_path / f"x{suffix}")
    assert np.abs(x_of(tmp_path, 1, 4, 8) * 255 - 77).max() < 1.5


@pytest.mark.parametrize("suffix", [".png", ".gif", ".webp", ".tiff"])
def test_of_several_frames_the_first_is_read(tmp_path, suffix):
    first, second = (Image.fromarray(np.full((4, 8), value, np.uint8)) for value in (255, 0))
    first.save(tmp_path / f"x{suffix}", save_all=True, append_images=[second])
    with pytest.warns(UserWarning, match="1 of 1 pictures: of several frames the first is read"):
        assert x_of(tmp_path, 1, 4, 8).min() > 0.98


def test_what_is_no_picture_is_counted_in_one_line(tmp_path):
    Image.fromarray(MARK).save(tmp_path / "x.png")
    for name in ("a.heic", "b.heic", "README"):
        (tmp_path / name).write_text("no picture")
    (tmp_path / "lost.png").symlink_to(tmp_path / "nowhere.png")
    os.mkfifo(tmp_path / "pipe.png")
    (tmp_path / ".DS_Store").write_text("hidden")
    with pytest.warns(UserWarning, match="5 of 6 files left out: ") as warned:
        assert len(of_shape(1, 4, 8).read(tmp_path)) == 1
    [said] = [str(w.message) for w in warned]
    assert all(part in said for part in ("2 .heic", "1 without suffix", "1 broken link", "1 no regular file"))


def nested(folder, names):
    for number, name in enumerate(names):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.full((4, 8), number, np.uint8)).save(folder / name)
    with zipfile.ZipFile(folder.with_suffix(".zip"), "w") as archive:
        for name in names:
            archive.write(folder / name, name)
    return folder, folder.with_suffix(".zip")


@pytest.mark.parametrize(("wrapper", "inner"), [("", ""), ("", "indoor/"), ("pictures/", ""), ("my/pictures/", "close/up/")])
def test_the_first_sub_folder_is_the_class(tmp_path, wrapper, inner):
    names = [f"{wrapper}{animal}/{inner}{i}.png" for animal in ("cats", "dogs") for i in range(10)]
    for path in nested(tmp_path / "set", names):
        domain = ImageFolder(path=str(path), labels=True)
        assert domain.codec.spec.cond == 2
        assert list(domain.codec.classes) == ["cats", "dogs"]


@pytest.mark.parametrize("name", ["x.png", "x.npy", "x.npz", "x.zip", "x.idx", "x.gz", "x"])
def test_a_pipe_is_refused_without_waiting(tmp_path, name):
    os.mkfifo(tmp_path / name)
    with pytest.raises(UsageError, match=f"{name}: .*file"):
        of_shape(1, 8, 8).read(tmp_path / name)


def test_a_device_is_refused():
    with pytest.raises(UsageError, match=r"/dev/zero: .*file"):
        of_shape(1, 8, 8).read(Path("/dev/zero"))


BOMB = """
import resource, sys
from pathlib import Path
from vaehub.errors import UsageError
from vaehub_images.folder import ImageFolder
base = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
domain = ImageFolder(path=sys.argv[1], resize=8)
assert domain.data("train").pixels.shape[1:] == (3, 8, 8)
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - base) >> 10)
"""


@pytest.mark.slow
def test_large_pictures_are_decoded_one_at_a_time(tmp_path):
    """Four of 8,000 x 8,000 with transparency took more than 3 GB in four threads."""
    huge = saved(Image.new("RGBA", (6000, 6000), (0, 0, 0, 200)), compress_level=1)
    for number in range(8):
        small = saved(Image.new("RGBA", (8, 8), (number, 0, 0, 200)))
        (tmp_path / f"{number}.png").write_bytes(huge if number < 4 else small)
    found = subprocess.run([sys.executable, "-c", BOMB, str(tmp_path)], capture_output=True, text=True, check=True)
    assert int(found.stdout) < 600  # MiB: one takes about 450


STARVED = """
import resource, sys
import numpy as np
from PIL import Image
from vaehub_images.decoding import PictureFormat, decode
from vaehub_images.pictures import Picture
content = open(sys.argv[1], "rb").read()
used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + (64 << 20), used + (64 << 20)))
decode(Picture("big.png", None, lambda: content), PictureFormat(1, None, False))
"""


def test_too_little_memory_is_a_reason(tmp_path):
    Image.new("RGB", (6000, 6000)).save(tmp_path / "big.png", compress_level=1)
    found = subprocess.run([sys.executable, "-c", STARVED, str(tmp_path / "big.png")], capture_output=True, text=True)
    assert "UsageError: big.png: too little memory to decode it" in found.stderr


@pytest.mark.slow
def test_arrays_that_unpack_to_much_more_are_refused_unread(tmp_path, monkeypatch):
    np.savez_compressed(tmp_path / "x.npz", x=np.zeros((300 << 20,), np.uint8))
    with pytest.raises(UsageError, match=r"x\.npz: [\d,]+ bytes that unpack to"):
        of_shape(1, 8, 8).read(tmp_path / "x.npz")


def test_an_archive_whose_array_promises_more_than_it_holds(tmp_path):
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "|u1", "fortran_order": False, "shape": (800 << 30, 8, 8)})
    with zipfile.ZipFile(tmp_path / "x.npz", "w") as archive:
        archive.writestr("x.npy", header.getvalue() + bytes(64))
    with pytest.raises(UsageError, match=r"x\.npz: damaged"):
        of_shape(1, 8, 8).read(tmp_path / "x.npz")
