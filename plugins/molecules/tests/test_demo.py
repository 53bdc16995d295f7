"""The demo, on few molecules."""

from __future__ import annotations

import re

import pytest

from vaehub_molecules import demo


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_the_demo_ends_with_the_path_of_its_page(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(demo, "CALLS", 20)
    monkeypatch.setattr(demo, "DRAWN", 30)
    demo.molecules(tmp_path / "demo")
    out = capsys.readouterr().out
    assert out.splitlines()[-1] == str(tmp_path / "demo" / "search" / "report.html")
    assert "30 drawn" in out
    assert "known ring systems" in out
    assert float(re.search(r"30 unseen molecules: ([\d.]+)% come back exactly", out).group(1)) > 30
    assert (tmp_path / "demo" / "search" / "report.html").read_text().count("<svg") > 1
    assert (tmp_path / "demo" / "samples.png").exists()
