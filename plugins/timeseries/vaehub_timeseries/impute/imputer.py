"""The facade: a scikit-learn transformer that takes frames with gaps and gives them back without."""

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

from vaehub import UsageError, arguments, files, jobs
from vaehub_timeseries.anomalies.table import event_table
from vaehub_timeseries.frames import Panel, ReadOptions, Schema, extend, to_panel, to_panel_as
from vaehub_timeseries.frames.generated import generated_frame
from vaehub_timeseries.impute.anomalies import anomaly_scores
from vaehub_timeseries.impute.blend import CrossValidation
from vaehub_timeseries.impute.errors import calibration_table, error_table
from vaehub_timeseries.impute.fitted import FitOptions, fit_imputer
from vaehub_timeseries.impute.predictive import Predictive
from vaehub_timeseries.impute.saved import REMEDY, SavedImputer, load_imputer, save_imputer
from vaehub_timeseries.impute.tables import (
    T,
    Table,
    checked_levels,
    checked_share,
    in_input_type,
    quantile_frame,
    warn_of_empty_columns,
)


class Imputer(OneToOneFeatureMixin, TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Fill the gaps of time series, with calibrated uncertainty: a frame goes in, the same frame without gaps comes out.

    A linear-Gaussian model, a neural VAE on top of it and linear interpolation are blended per column and gap length by their errors on
    observed cells that are hidden for the purpose, in the frame of `fit` and again in the frame at hand. The same cells calibrate the
    intervals (split conformal). Observed cells come back bit for bit.

    Arguments:
        config: YAML file, name of a shipped config or mapping that says how to train the VAE; chosen by the size of the data, if not given.
        time: Column or index level of stamps; found, if not given.
        entity: Column that tells series apart; found, if not given and rows share a stamp.
        variable: Long form: column of the variables' names.
        value: Long form: column of the values.
        columns: Columns to impute; the others are used and come back as they are.
        missing_values: Values that mean missing, such as -200.
        aggregate: "mean": several rows of one series at one time are averaged; an error, if not given.
        step: Time between rows, such as "15min"; found, if not given.
        window: Steps that the model sees at once; chosen, if not given, and no longer than the longest series.
        causal: Whether a cell is filled from earlier ones alone.
        fill: Value of a column in which nothing was ever observed.
        seed: Of all random numbers.

    Attributes:
        errors_: Per column, in its units: mean absolute errors on held-out cells of the imputer, linear interpolation, last value and mean;
            coverage of the 90 % interval; number of cells.
        calibration_: Nominal coverage of central intervals, and how often they held the truth.
        schema_: What a frame must share with the one of `fit`.

    >>> t = np.arange(60.0)
    >>> frame = pd.DataFrame({"a": np.sin(t / 3), "b": np.cos(t / 3)}).mask(np.eye(60, 2, dtype=bool))
    >>> imputer = Imputer(window=6).fit(frame)
    >>> filled = imputer.transform(frame)
    >>> int(filled.isna().sum().sum()), filled["a"][1:].equals(frame["a"][1:])
    (0, True)
    >>> imputer.forecast(frame, 2).index.tolist()
    [60, 61]
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
        """Learn from a frame with gaps.

        Arguments:
            X: Frame, or array (N, D) of N steps, NaN = missing.
            y: Ignored; scikit-learn's pipelines pass it.

        Returns:
            The imputer itself.

        Raises:
            UsageError: an option is of a wrong kind, or the frame cannot be read; the message names the column and row.
        """
        options = self._fit_options()
        with jobs.stage("fitting"):
            panel = to_panel(self._as_frame(X, reset=True), self._read_options())
            self.fitted_ = fit_imputer(panel, options)
            self._set_errors()
        return self

    def transform(self, X: T) -> T:
        """The same without gaps: the calibrated median, which has the least absolute error, in every missing cell.

        Arguments:
            X: Frame or array with the columns of `fit`.

        Returns:
            What was given, in the same order and dtypes; observed cells are the same bits.

        Raises:
            UsageError: a column is absent, new or of another kind than in `fit`.
        """
        panel = self._panel(X)
        return in_input_type(panel.fill(self._predictive(panel).point()), X)

    def quantiles(self, X: Table, levels: Sequence[float]) -> pd.DataFrame:
        """Calibrated quantiles of every number of the frame; observed cells are their values.

        Arguments:
            X: As for `transform`.
            levels: Numbers between 0 and 1.

        Returns:
            The rows of X, with columns (name, level).

        Raises:
            UsageError: a level is not between 0 and 1, or as for `transform`.
        """
        panel = self._panel(X)
        predictive = self._predictive(panel)
        return quantile_frame(panel, {level: predictive.quantile(level) for level in checked_levels(levels)})

    def samples(self, X: T, n: int) -> list[T]:
        """Completed frames, drawn jointly: sums and means over a gap vary between them as they may vary in truth.

        Arguments:
            X: As for `transform`.
            n: How many.

        Returns:
            n frames like that of `transform`, for `pool` for instance.

        Raises:
            UsageError: n < 1, or as for `transform`.
        """
        panel = self._panel(X)
        return [
            in_input_type(panel.fill(drawn), X)
            for drawn in self._predictive(panel).draws(arguments.at_least(1)("n", n), self.seed)
        ]

    def score_anomalies(self, X: Table) -> pd.DataFrame:
        """|value - its prediction from the other cells| / calibrated sd of every observed number.

        Arguments:
            X: As for `transform`.

        Returns:
            The rows of X and its columns of numbers, NaN where nothing is observed.

        Raises:
            UsageError: as for `transform`.
        """
        panel = self._panel(X)
        return panel.spread(anomaly_scores(self.fitted_, panel))

    def find_anomalies(self, X: Table, false_alarms: float = 1e-3) -> pd.DataFrame:
        """Events instead of cells: spikes, stuck sensors, level shifts, drifts, changes of variance or rhythm, and columns that move together.

        Detectors judge (value - prediction) / calibrated sd, of cells and of whole blocks predicted from what lies outside of them, by how rare
        that is in the frame itself; see `vaehub_timeseries.anomalies.detectors` for their sources. Overlapping ones are one event.

        Arguments:
            X: As for `transform`.
            false_alarms: Events a step that chance may bring about, in all columns together, at most.

        Returns:
            A row an event, in order of time: the entity, if there are several; columns, the oddest first; start and end, stamps of the frame's
            own; rows; kind; strength, -log10 of how many such events chance brings a step; reason, in words.

        Raises:
            UsageError: false_alarms is not between 0 and 1, or as for `transform`.

        >>> rng = np.random.default_rng(0)
        >>> frame = pd.DataFrame({"a": np.sin(np.arange(400) / 4) + 0.1 * rng.normal(size=400)})
        >>> frame.loc[200:229, "a"] = 0.5
        >>> events = Imputer(window=24).fit(frame).find_anomalies(frame)
        >>> events[["columns", "start", "end", "kind", "reason"]].values.tolist()
        [['a', 200, 229, 'stuck', '30 equal readings in a row (0.5) where 1 is usual']]
        """
        panel = self._panel(X)
        return event_table(self.fitted_, panel, checked_share("false_alarms", false_alarms))

    def generate(self, n: int, steps: int | None = None) -> pd.DataFrame:
        """New series like those of `fit`.

        Arguments:
            n: How many.
            steps: Length of each; that of a window, if not given.

        Returns:
            The columns of `fit`, indexed by (series, step).

        Raises:
            UsageError: n or steps < 1, or nothing was observed in the data of `fit`.
        """
        check_is_fitted(self)
        drawn = self.fitted_.generate(arguments.at_least(1)("n", n), arguments.or_none(arguments.at_least(1))("steps", steps))
        return generated_frame(drawn, self.schema_)

    def forecast(self, X: Table, steps: int, quantiles: Sequence[float] | None = None) -> pd.DataFrame:
        """The next rows of every series: the future as a gap.

        Arguments:
            X: As for `transform`.
            steps: How many rows after the end of each series.
            quantiles: Numbers between 0 and 1; the median is given, if none are.

        Returns:
            The new rows, their stamps continued; with `quantiles` these, with columns (name, level).

        Raises:
            UsageError: steps < 1, a quantile is not between 0 and 1, or as for `transform`.
        """
        now = self._panel(X)
        steps = arguments.at_least(1)("steps", steps)
        panel = extend(now, steps)
        predictive = self.fitted_.forecast(now, panel, steps)
        if quantiles is None:
            return panel.fill(predictive.point()).iloc[len(now.frame) :]
        return quantile_frame(panel, {level: predictive.quantile(level) for level in checked_levels(quantiles)}).iloc[
            len(now.frame) :
        ]

    def save(self, path: str | Path) -> None:
        """Write the fitted imputer to a folder: safetensors and JSON, nothing that executes.

        Arguments:
            path: The folder; an imputer that is there is replaced, whole or not at all.

        Raises:
            UsageError: the folder holds something else, or cannot be written.
        """
        check_is_fitted(self)
        names = [*self.feature_names_in_] if "feature_names_in_" in vars(self) else []
        save_imputer(SavedImputer(self.get_params(), self.fitted_, names, self.n_features_in_), arguments.path("path", path))

    @classmethod
    def load(cls, path: str | Path) -> Imputer:
        """What `save` wrote, or an imputer around the model in the folder of a run of `vaehub train`.

        Arguments:
            path: The folder.

        Raises:
            UsageError: there is no such folder, it holds neither, or a file in it is damaged.
        """
        folder = arguments.path("path", path)
        saved = load_imputer(folder)
        with files.guarded(folder, REMEDY):
            return cls._from_saved(saved)

    @classmethod
    def _from_saved(cls, saved: SavedImputer) -> Imputer:
        """The imputer, as fitted as it was."""
        imputer = cls(**saved.params)
        imputer.fitted_, imputer.n_features_in_ = saved.fitted, saved.width
        if saved.feature_names:
            imputer.feature_names_in_ = np.asarray(saved.feature_names, dtype=object)
        imputer._set_errors()
        return imputer

    @property
    def schema_(self) -> Schema:
        """What a frame must share with the one of `fit`."""
        schema: Schema = self.fitted_.schema
        return schema

    def _set_errors(self) -> None:
        """errors_: mean absolute errors per column beside linear interpolation, last value and mean; calibration_: coverage by level."""
        validation = CrossValidation.of(self.fitted_.held_out, int(self.fitted_.modelled.sum()))
        self.errors_ = error_table(validation, self.fitted_.columns, self.fitted_.scale)
        self.calibration_ = calibration_table(validation, self.fitted_.numeric)

    def _read_options(self) -> ReadOptions:
        return ReadOptions(
            self.time, self.entity, self.variable, self.value, self.columns, self.missing_values, self.aggregate, self.step
        )

    def _fit_options(self) -> FitOptions:
        """How to learn, checked; scikit-learn wants the constructor to take anything."""
        return FitOptions(
            self.config,
            arguments.or_none(arguments.at_least(1))("window", self.window),
            arguments.yes_or_no("causal", self.causal),
            arguments.real_number("fill", self.fill),
            arguments.at_least(0)("seed", self.seed),
        )

    def _as_frame(self, X: Table, reset: bool) -> pd.DataFrame:
        """A frame as it is, anything else as a frame of numbers, checked as scikit-learn does."""
        if X is None or isinstance(X, str | PathLike | Number):
            hint = "; read the file first, with pandas.read_csv or read_parquet" if isinstance(X, str | PathLike) else ""
            raise UsageError(f"{arguments.wrong_argument('X', X, 'a pandas DataFrame or an array')}{hint}")
        if not isinstance(X, pd.DataFrame):
            values = validate_data(self, X, reset=reset, dtype=[np.float64, np.float32], ensure_all_finite=False)
            return pd.DataFrame(values, columns=None if reset else list(self.schema_.dtypes))
        if reset:
            validate_data(self, X, skip_check_array=True)
        return X

    def _panel(self, X: Table) -> Panel:
        check_is_fitted(self)
        return to_panel_as(self._as_frame(X, reset=False), self.schema_)

    def _predictive(self, panel: Panel) -> Predictive:
        warn_of_empty_columns(panel, self.fitted_)
        return self.fitted_.predictive(panel)

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags
