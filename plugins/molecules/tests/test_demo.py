"""The demo, on few molecules."""

from __future__ import annotations

from importlib.util import find_spec

import pytest

from vaehub_molecules import demo


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_the_demo_ends_with_the_path_of_its_page(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(demo, "CALLS", 20)
    monkeypatch.setattr(demo, "DRAWN", 30)
    monkeypatch.setitem(demo.CONFIG, "train", {**demo.CONFIG["train"], "epochs": 1})
    demo.molecules(tmp_path / "demo", rows=150)
    out = capsys.readouterr().out
    assert out.splitlines()[-1] == str(tmp_path / "demo" / "search" / "report.html")
    assert "30 drawn" in out
    assert "unseen molecules: 0.0% come back exactly, " in out
    assert ("FCD of the drawn molecules to them: " in out) is (find_spec("fcd_torch") is not None)
    assert (tmp_path / "demo" / "search" / "report.html").read_text().count("<svg") > 1
    assert (tmp_path / "demo" / "samples.png").exists()
