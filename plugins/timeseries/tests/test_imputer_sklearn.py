"""The imputer keeps scikit-learn's conventions: arrays, names, clones, parameters and its own checks of estimators."""

import json

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.utils.estimator_checks import parametrize_with_checks

from vaehub_timeseries import Imputer


@pytest.fixture(scope="module")
def frame():
    rng, t = np.random.default_rng(0), np.arange(240)
    values = np.stack([20 + 5 * np.sin(t / 3), 3 * np.cos(t / 3)], 1) + 0.2 * rng.standard_normal((240, 2))
    index = pd.date_range("2024-03-30", periods=240, freq="h")
    return pd.DataFrame(values, index=index, columns=["a", "b"]).mask(rng.random((240, 2)) < 0.25)


@pytest.fixture(scope="module")
def imputer(frame):
    return Imputer(window=8).fit(frame)


def test_arrays_in_arrays_out(frame):
    x = frame.to_numpy()
    out = Imputer(window=8).fit_transform(x)
    assert isinstance(out, np.ndarray)
    assert np.array_equal(out[~np.isnan(x)], x[~np.isnan(x)])
    assert isinstance(Imputer(window=8).fit(x).samples(x, 1)[0], np.ndarray)


def test_an_array_after_a_frame_has_its_columns_in_order(frame):
    frame = frame.reset_index(drop=True)
    imputer = Imputer(window=12).fit(frame)
    with pytest.warns(UserWarning, match="does not have valid feature names"):
        out = imputer.transform(frame.to_numpy())
    assert out.shape == frame.shape
    assert np.array_equal(out[frame.notna()], frame.to_numpy()[frame.notna()])


def test_set_output_and_feature_names(imputer, frame):
    assert imputer.get_feature_names_out().tolist() == ["a", "b"]
    x = frame.to_numpy()
    out = Imputer(window=8).set_output(transform="pandas").fit_transform(x)
    assert out.columns.tolist() == ["x0", "x1"]
    out = clone(imputer).set_output(transform="pandas").fit_transform(frame)
    assert out.columns.tolist() == ["a", "b"]
    assert out.index.equals(frame.index)


@pytest.mark.parametrize("call", ["transform", "score_anomalies"])
def test_unfitted(frame, call):
    with pytest.raises(NotFittedError):
        getattr(Imputer(), call)(frame)


def test_parameters_are_plain_data(imputer):
    params = imputer.get_params()
    assert json.loads(json.dumps(params)) == params | {"missing_values": list(params["missing_values"])}


@pytest.mark.filterwarnings("ignore:window=4. no series has more than:UserWarning")
@parametrize_with_checks([Imputer(window=4)])
def test_scikit_learn(estimator, check):
    check(estimator)
