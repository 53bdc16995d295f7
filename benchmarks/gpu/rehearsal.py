"""Small data in the form of what the parts read, to rehearse them where the real ones and a GPU are not at hand."""

from __future__ import annotations

import gzip
import sys
from pathlib import Path

import numpy as np
import pandas as pd

BENCHMARKS = Path(__file__).resolve().parents[1]
SAMPLE = BENCHMARKS.parent / "plugins" / "molecules" / "vaehub_molecules" / "data" / "sample.smi.gz"
STAYS, READINGS = 80, 60

sys.path.insert(0, str(BENCHMARKS / "timeseries"))
from protocols import CSDI_ORDER, HOURS, stay_file  # noqa: E402 - the scripts of a folder import each other by their bare names


def write_data(folder: Path) -> Path:
    """The folder, with moses/ and physionet2012/ in it."""
    (folder / "moses").mkdir(parents=True, exist_ok=True)
    smiles = [line.split()[0] for line in gzip.decompress(SAMPLE.read_bytes()).decode().splitlines() if line.strip()]
    (folder / "moses" / "train.smi").write_text("\n".join(smiles[:400]))
    (folder / "moses" / "test.smi").write_text("\n".join(smiles[400:500]))
    stay_file(folder, "a").parent.mkdir(exist_ok=True)
    stays().to_parquet(stay_file(folder, "a"))
    return folder.resolve()


def stays() -> pd.DataFrame:
    """Rows (record_id, minute, variable, value) of made-up stays in hospital."""
    rng = np.random.default_rng(0)
    record = np.repeat(np.arange(STAYS), READINGS)
    minute = rng.integers(0, HOURS * 60, len(record))
    variable = rng.choice(CSDI_ORDER[:6], len(record))
    value = rng.normal(size=STAYS)[record] + 0.1 * rng.normal(size=len(record))
    table = pd.DataFrame({"record_id": record, "minute": minute, "variable": variable, "value": value})
    return table.sort_values(["record_id", "minute"], ignore_index=True)
