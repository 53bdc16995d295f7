"""breast_cancer (scikit-learn), half of the cells hidden at random as in the MIWAE notebook: mean squared error on standardised data, and seconds.

Protocol: GitHub pamattei/miwae, MIWAE_demo_breast.ipynb: standardise all 569 x 30, `np.random.seed(1234)`, hide
floor(n * p / 2) cells, fit on what is left and impute it. Rows are cases and have no order: a window of one row.
"""

from __future__ import annotations

import argparse
import time

import numpy as np
from measure import row, table
from sklearn.datasets import load_breast_cancer
from sklearn.impute import KNNImputer


def halved() -> tuple[np.ndarray, np.ndarray]:
    """The truth (569, 30) and the same with NaN where hidden."""
    data = load_breast_cancer().data
    truth = (data - data.mean(0)) / data.std(0)
    hidden = np.random.RandomState(1234).choice(truth.size, truth.size // 2, replace=False)
    seen = truth.flatten()
    seen[hidden] = np.nan
    return truth, seen.reshape(truth.shape)


def main() -> None:
    """The rows of the Imputer, of the mean of its samples, of nearest neighbours and of the mean."""
    from vaehub_timeseries import Imputer

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", help="config of the Imputer; its default otherwise")
    parser.add_argument("--samples", type=int, default=100, help="imputations whose mean is the second row")
    options = parser.parse_args()
    truth, seen = halved()
    hidden = np.isnan(seen)

    def mse(filled: np.ndarray) -> float:
        return float(((filled - truth)[hidden] ** 2).mean())

    table("breast_cancer, 50 % hidden", "MSE", "fit + impute s", "CPU s")
    started, cpu = time.perf_counter(), time.process_time()
    imputer = Imputer(options.config, window=1).fit(seen)
    median = imputer.transform(seen)
    row("vaehub, the median", mse(median), time.perf_counter() - started, time.process_time() - cpu)
    mean = np.mean(imputer.samples(seen, options.samples), axis=0)
    row(f"vaehub, the mean of {options.samples} samples", mse(mean), time.perf_counter() - started, time.process_time() - cpu)
    row("10 nearest neighbours (scikit-learn)", mse(KNNImputer(n_neighbors=10).fit_transform(seen)), "", "")
    row("mean", mse(np.where(hidden, np.nanmean(seen, 0), seen)), "", "")
    row("MIWAE, as published", 0.2867, "", "")


if __name__ == "__main__":
    main()
