"""The face: a scikit-learn transformer that takes frames with gaps and gives them back without."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from numbers import Number
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin
from sklearn.utils import Tags
from sklearn.utils.validation import check_is_fitted, validate_data

from vaehub.arguments import at_least, or_none, real_number, refused, yes_or_no
from vaehub.arguments import path as as_path
from vaehub.errors import UsageError
from vaehub.files.guard import guarded
from vaehub.jobs.progress import stage
from vaehub_timeseries.frames import Panel, Reading, Schema, extend, understand, understand_as
from vaehub_timeseries.impute.anomalies import surprises
from vaehub_timeseries.impute.drawn import frame_of
from vaehub_timeseries.impute.errors import calibration_table, error_table
from vaehub_timeseries.impute.fitted import Options, learn
from vaehub_timeseries.impute.outlook import Outlook
from vaehub_timeseries.impute.saved import REMEDY, SavedImputer, load_imputer, save_imputer
from vaehub_timeseries.impute.tables import T, Table, as_given, by_level, checked, warn_of_absent
from vaehub_timeseries.impute.tuned import Judged


class Imputer(OneToOneFeatureMixin, TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Fill the gaps of time series, with calibrated uncertainty: a frame goes in, the same frame without gaps comes out.

    A linear-Gaussian model, a neural VAE on top of it and linear interpolation are blended per column and gap length by their errors on
    observed cells that are hidden for the purpose, in the frame of `fit` and again in the frame at hand. The same cells calibrate the
    intervals (split conformal). Observed cells come back bit for bit.

    config: YAML file or mapping that says how to fit. time, entity, variable, value, columns, missing_values, aggregate, step: how to read
    the frame, see `Reading`; what is left out is found out. window: steps that the model looks at together. causal: use the past only.
    fill: what a column gets in which nothing was ever observed. seed: of all random numbers. Raises UsageError for frames that cannot be
    read.
    """

    def __init__(
        self,
        config: Any = None,
        *,
        time: str | None = None,
        entity: str | None = None,
        variable: str | None = None,
        value: str | None = None,
        columns: Sequence[Hashable] | None = None,
        missing_values: Sequence[float | str] = (),
        aggregate: str | None = None,
        step: str | None = None,
        window: int | None = None,
        causal: bool = False,
        fill: float = 0.0,
        seed: int = 0,
    ) -> None:
        self.config = config
        self.time = time
        self.entity = entity
        self.variable = variable
        self.value = value
        self.columns = columns
        self.missing_values = missing_values
        self.aggregate = aggregate
        self.step = step
        self.window = window
        self.causal = causal
        self.fill = fill
        self.seed = seed

    def fit(self, X: Table, y: Any = None) -> Imputer:
        """Learn from a frame with gaps, or from an array (N, D) of N steps."""
        options = self._options()
        with stage("fitting"):
            panel = understand(self._framed(X, reset=True), self._reading())
            self.fitted_ = learn(panel, options)
            self._judge()
        return self

    def transform(self, X: T) -> T:
        """The same without gaps: the estimate with the least absolute error in every missing cell."""
        panel = self._panel(X)
        return as_given(panel.fill(self._outlook(panel).point()), X)

    def quantiles(self, X: Table, levels: Sequence[float]) -> pd.DataFrame:
        """Calibrated quantiles of every number of the frame, with columns (name, level); observed cells are their values."""
        panel = self._panel(X)
        outlook = self._outlook(panel)
        return by_level(panel, {level: outlook.quantile(level) for level in checked(levels)})

    def samples(self, X: T, n: int) -> list[T]:
        """n completed frames, drawn jointly: sums and means over a gap vary between them as they may vary in truth."""
        panel = self._panel(X)
        return [as_given(panel.fill(drawn), X) for drawn in self._outlook(panel).draws(at_least(1)("n", n), self.seed)]

    def score_anomalies(self, X: Table) -> pd.DataFrame:
        """|value - its prediction from the other cells| / calibrated sd of every observed number, NaN where nothing is observed."""
        panel = self._panel(X)
        return panel.spread(surprises(self.fitted_, panel))

    def generate(self, n: int, steps: int | None = None) -> pd.DataFrame:
        """n new series like those of `fit`, of `steps` steps (as many as the model sees at once), indexed by (series, step)."""
        check_is_fitted(self)
        drawn = self.fitted_.generate(at_least(1)("n", n), or_none(at_least(1))("steps", steps))
        return frame_of(drawn, self.schema_)

    def forecast(self, X: Table, steps: int, quantiles: Sequence[float] | None = None) -> pd.DataFrame:
        """The next `steps` rows of every series: the future as a gap. With `quantiles` these, with columns (name, level)."""
        now = self._panel(X)
        steps = at_least(1)("steps", steps)
        panel = extend(now, steps)
        outlook = self.fitted_.forecast(now, panel, steps)
        if quantiles is None:
            return panel.fill(outlook.point()).iloc[len(now.frame) :]
        return by_level(panel, {level: outlook.quantile(level) for level in checked(quantiles)}).iloc[len(now.frame) :]

    def save(self, path: str | Path) -> None:
        """Write the fitted imputer to a folder: safetensors and JSON, nothing that executes."""
        check_is_fitted(self)
        names = [*self.feature_names_in_] if "feature_names_in_" in vars(self) else []
        save_imputer(SavedImputer(self.get_params(), self.fitted_, names, self.n_features_in_), as_path("path", path))

    @classmethod
    def load(cls, path: str | Path) -> Imputer:
        """What `save` wrote, or an imputer around the model in the folder of a run of `vaehub train`."""
        folder = as_path("path", path)
        saved = load_imputer(folder)
        with guarded(folder, REMEDY):
            return cls._from_saved(saved)

    @classmethod
    def _from_saved(cls, saved: SavedImputer) -> Imputer:
        """The imputer, as fitted as it was."""
        imputer = cls(**saved.params)
        imputer.fitted_, imputer.n_features_in_ = saved.fitted, saved.width
        if saved.feature_names:
            imputer.feature_names_in_ = np.asarray(saved.feature_names, dtype=object)
        imputer._judge()
        return imputer

    @property
    def schema_(self) -> Schema:
        """What a frame must share with the one of `fit`."""
        schema: Schema = self.fitted_.schema
        return schema

    def _judge(self) -> None:
        """errors_: mean absolute errors per column beside linear interpolation, last value and mean; calibration_: coverage by level."""
        judged = Judged.of(self.fitted_.past, int(self.fitted_.known.sum()))
        self.errors_ = error_table(judged, self.fitted_.columns, self.fitted_.scale)
        self.calibration_ = calibration_table(judged, self.fitted_.numeric)

    def _reading(self) -> Reading:
        return Reading(
            self.time, self.entity, self.variable, self.value, self.columns, self.missing_values, self.aggregate, self.step
        )

    def _options(self) -> Options:
        """How to learn, checked; scikit-learn wants the constructor to take anything."""
        return Options(
            self.config,
            or_none(at_least(1))("window", self.window),
            yes_or_no("causal", self.causal),
            real_number("fill", self.fill),
            at_least(0)("seed", self.seed),
        )

    def _framed(self, X: Table, reset: bool) -> pd.DataFrame:
        """A frame as it is, anything else as a frame of numbers, checked as scikit-learn does."""
        if X is None or isinstance(X, str | PathLike | Number):
            hint = "; read the file first, with pandas.read_csv or read_parquet" if isinstance(X, str | PathLike) else ""
            raise UsageError(f"{refused('X', X, 'a pandas DataFrame or an array')}{hint}")
        if not isinstance(X, pd.DataFrame):
            return pd.DataFrame(validate_data(self, X, reset=reset, dtype=[np.float64, np.float32], ensure_all_finite=False))
        if reset:
            validate_data(self, X, skip_check_array=True)
        return X

    def _panel(self, X: Table) -> Panel:
        check_is_fitted(self)
        return understand_as(self._framed(X, reset=False), self.schema_)

    def _outlook(self, panel: Panel) -> Outlook:
        warn_of_absent(panel, self.fitted_)
        return self.fitted_.outlook(panel)

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags
