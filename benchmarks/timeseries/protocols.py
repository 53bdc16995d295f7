"""The published protocols of imputation that the benchmarks here follow: which rows, how they are split, scaled and hidden.

Every loader takes the folder of data and gives a `Split`, standardised, NaN = never observed, so that a cell is scored only where it was hidden.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.random import RandomState

STATIC = ("RecordID", "Age", "Gender", "ICUType", "Height")
HOURS = 48
# fmt: off
CSDI_ORDER = [  # the order in which its masks are drawn
    "DiasABP", "HR", "Na", "Lactate", "NIDiasABP", "PaO2", "WBC", "pH", "Albumin",
    "ALT", "Glucose", "SaO2", "Temp", "AST", "Bilirubin", "HCO3", "BUN", "RespRate",
    "Mg", "HCT", "SysABP", "FiO2", "K", "GCS", "Cholesterol", "NISysABP", "TroponinT",
    "MAP", "TroponinI", "PaCO2", "Platelets", "Urine", "NIMAP", "Creatinine", "ALP",
]
# fmt: on
BEIJING = [("point", 0.1, 0, 0), ("point", 0.5, 0, 0), ("point", 0.9, 0, 0), ("subseq", 0.5, 18, 0), ("block", 0.0055, 6, 6)]
BEIJING_DAY = 24


class Split(NamedTuple):
    """Windows (N, T, D), NaN = not observed. `val` and `test` hold the truth also where it is hidden, which only scoring may read."""

    name: str
    train: np.ndarray
    val: np.ndarray
    val_hidden: np.ndarray
    test: np.ndarray
    test_hidden: np.ndarray
    variables: list[str]

    @property
    def val_given(self) -> np.ndarray:
        """The validation windows as a model may see them."""
        return np.where(self.val_hidden, np.nan, self.val)

    @property
    def given(self) -> np.ndarray:
        """The test windows as a model may see them."""
        return np.where(self.test_hidden, np.nan, self.test)


def load_harness(tools: str | Path | None) -> ModuleType:
    """tsi_cells.py of the folder `tools`: the ten cells, their masks and their two reference imputers."""
    if tools is None:
        raise SystemExit("--tools: give the folder with tsi_cells.py")
    spec = importlib.util.spec_from_file_location("tsi_cells", Path(tools) / "tsi_cells.py")
    if spec is None or spec.loader is None:
        raise FileNotFoundError(Path(tools) / "tsi_cells.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def physionet_saits(root: str | Path, rate: float = 0.1, seed: int = 0) -> Split:
    """PhysioNet 2012 as in "SAITS" (Du, Côté & Liu, 2023), doi:10.1016/j.eswa.2023.119619: its gene_PhysioNet2012_dataset.py.

    37 variables x 48 hours, the mean of an hour's values (`pivot_table`), stays without a second hour left out, no outlier or -1
    touched; 80 % of the stays against 20 % test, then 20 % of the 80 % for validation; scaled by the training stays; `rate` of all
    that is observed in validation, and in test, is hidden, drawn from the whole split at once. The paper has sets a, b and c (11,988
    stays); those that are in the folder are used.
    """
    table = pd.concat([stays(root, letter) for letter in "abc" if stay_file(root, letter).exists()])
    table = table[table.groupby("record_id")["hour"].transform("max") > 0]
    variables = sorted(set(table["variable"]) - set(STATIC))
    values = hourly(table[table["hour"] < HOURS], variables, "mean")
    rng = RandomState(seed)
    order = rng.permutation(len(values))
    rest, test = np.split(order, [round(0.8 * len(order))])
    val, train = np.split(rest, [round(0.2 * len(rest))])
    values = standardise(values, values[train])
    hidden = [hide(values[rows], rate, rng) for rows in (val, test)]
    return Split("SAITS protocol", values[train], values[val], hidden[0], values[test], hidden[1], variables)


def physionet_csdi(root: str | Path, fold: int = 0, rate: float = 0.1, seed: int = 1) -> Split:
    """PhysioNet 2012 set-a as in "CSDI" (Tashiro et al., 2021), arXiv:2107.03502: its dataset_physio.py, fold by fold and mask by mask.

    35 variables (no Weight, no MechVent) x 48 hours, the last value of an hour; the stays without any value fall out there as an
    exception (3,997 are left); scaled by everything that is observed in all stays; `rate` of every stay's cells is hidden; a fifth of
    the stays is the test, 70 % of all the training. Its CRPS is of standardised values too (exe_physio.py: scaler=1).
    """
    table = stays(root, "a")
    values = hourly(table[table["hour"] < HOURS], CSDI_ORDER, "last")
    rng = RandomState(seed)
    hidden = np.stack([hide(stay, rate, rng) for stay in values])
    train, val, test = csdi_fold(len(values), fold, seed)
    values = standardise(values, values)
    return Split(f"CSDI protocol, fold {fold}", values[train], values[val], hidden[val], values[test], hidden[test], CSDI_ORDER)


def csdi_fold(count: int, fold: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rows of train, validation and test, as get_dataloader(seed, nfold) draws them."""
    rows = np.arange(count)
    RandomState(seed).shuffle(rows)
    start, end = int(fold * 0.2 * count), int((fold + 1) * 0.2 * count)
    rest = np.delete(rows, np.arange(start, end))
    RandomState(seed).shuffle(rest)
    train, val = np.split(rest, [int(0.7 * count)])
    return train, val, rows[start:end]


def stay_file(root: str | Path, letter: str) -> Path:
    """The long table of one of the sets of PhysioNet 2012."""
    return Path(root) / "physionet2012" / f"set-{letter}.parquet"


def stays(root: str | Path, letter: str) -> pd.DataFrame:
    """Rows (record_id, hour, variable, value) in the order of the original files."""
    table = pd.read_parquet(stay_file(root, letter))
    return table.assign(hour=table["minute"] // 60, variable=table["variable"].astype(str))


def hourly(table: pd.DataFrame, variables: list[str], take: str) -> np.ndarray:
    """Stays (N, 48, D) that have a value at all, by `take` ("mean" or "last") of the values of an hour."""
    known = table[table["variable"].isin(variables)]
    cells = known.groupby(["record_id", "hour", "variable"])["value"].agg(take).dropna()
    record, hour, variable = (cells.index.get_level_values(i) for i in range(3))
    names, row = np.unique(record, return_inverse=True)
    values = np.full((len(names), HOURS, len(variables)), np.nan)
    values[row, hour, pd.Index(variables).get_indexer(variable)] = cells.to_numpy()
    return values


def beijing(root: str | Path, harness: ModuleType, seed: int = 0) -> Iterator[Split]:
    """Beijing multi-site air as in TSI-Bench (Du et al., 2024), arXiv:2406.12747: BenchPOTS' preprocess_beijing_air_quality.

    12 stations x 11 variables, windows of 24 hours; the first 28 months train, the next 10 validate, the last 10 (2016-05 to 2017-02)
    test (the SAITS paper has them the other way round); scaled by the training hours; all three are masked by the same pattern.
    851, 304 and 303 windows as published.
    """
    hours = beijing_hours(root)
    month = pd.DatetimeIndex(hours.index).to_period("M")
    parts = np.split(hours.to_numpy(float), np.searchsorted(month, month.unique()[[28, 38]]))
    windows = [harness.windows(standardise(part, parts[0]), BEIJING_DAY)[:-1] for part in parts]
    for pattern, rate, length, width in BEIJING:
        rng = RandomState(seed)
        masks = [harness.draw_mask(part.shape, pattern, rate, length, width, rng) for part in windows]
        (train, val, test), (gone, *hidden) = windows, masks
        hidden = [mask & ~np.isnan(part) for mask, part in zip(hidden, (val, test), strict=True)]
        name = f"Beijing {pattern}{50 if width else round(100 * rate)}"
        yield Split(name, np.where(gone, np.nan, train), val, hidden[0], test, hidden[1], list(hours.columns))


def beijing_hours(root: str | Path) -> pd.DataFrame:
    """The 132 numeric columns by the hour, station after station in the order of the alphabet."""
    table = pd.read_parquet(Path(root) / "beijing_multisite_air" / "prsa.parquet")
    table.index = pd.DatetimeIndex(pd.to_datetime(table[["year", "month", "day", "hour"]]))
    table = table.drop(columns=["No", "year", "month", "day", "hour", "wd"])
    stations = {str(name): part.drop(columns="station") for name, part in table.groupby("station", observed=True)}
    return pd.concat([part.add_prefix(f"{station}_") for station, part in stations.items()], axis=1)


def standardise(values: np.ndarray, by: np.ndarray) -> np.ndarray:
    """`values` (…, D) with the mean 0 and the deviation 1 of what is observed in `by`."""
    axes = tuple(range(by.ndim - 1))
    deviation = np.nanstd(by, axis=axes)
    scaled: np.ndarray = (values - np.nanmean(by, axis=axes)) / np.where(deviation > 0, deviation, 1.0)
    return scaled


def hide(values: np.ndarray, rate: float, rng: RandomState) -> np.ndarray:
    """A mask of int(rate x observed) of the observed cells, True = hidden."""
    seen = np.flatnonzero(~np.isnan(values))
    hidden = np.zeros(values.size, bool)
    hidden[rng.choice(seen, int(len(seen) * rate), replace=False)] = True
    return hidden.reshape(values.shape)
