"""The demo, on few images."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from vaehub.cli.app import main
from vaehub_images import demo


@pytest.mark.slow
def test_the_demo_runs_offline_and_ends_with_the_path_of_its_page(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(demo, "JUDGED", 100)
    monkeypatch.setitem(demo.SMALL, "train", demo.SMALL["train"] | {"epochs": 1, "batch_size": 2_000, "score_rows": 100})
    assert main(["demo", "images", "--out", str(tmp_path / "demo")]) == 0
    out = capsys.readouterr().out
    assert out.splitlines()[-1] == str(tmp_path / "demo" / "model" / "report.html")
    assert "of 100 test images the 40" in out
    for name, count in (("samples.png", 100), ("strangest.png", 40)):
        sheet = np.asarray(Image.open(tmp_path / "demo" / name))
        assert sheet.size >= count * 28 * 28
        assert sheet.std() > 0
