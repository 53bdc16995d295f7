"""The facade: a scikit-learn transformer that takes frames with gaps and gives them back without."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin
from sklearn.utils import Tags
from sklearn.utils.validation import check_is_fitted, validate_data

from vaehub import UsageError, arguments, files, jobs
from vaehub_timeseries.anomalies.table import event_table
from vaehub_timeseries.frames import Panel, ReadOptions, Schema, extend, to_panel, to_panel_as
from vaehub_timeseries.frames.gap_limits import GapLimits
from vaehub_timeseries.impute.anomalies import anomaly_scores
from vaehub_timeseries.impute.backtest import rolling_backtest
from vaehub_timeseries.impute.blend import CrossValidation
from vaehub_timeseries.impute.constraints import checked_constraints
from vaehub_timeseries.impute.errors import calibration_table, error_table
from vaehub_timeseries.impute.fit import fit_imputer
from vaehub_timeseries.impute.fitted import FitOptions
from vaehub_timeseries.impute.flags import flag_frame, indicated_columns, indicator_name, with_indicators
from vaehub_timeseries.impute.inputs import Given, read_given
from vaehub_timeseries.impute.predictive import Predictive
from vaehub_timeseries.impute.saved import REMEDY, SavedImputer, load_imputer, save_imputer
from vaehub_timeseries.impute.tables import T, Table, checked_levels, checked_share, quantile_frame, warn_of_empty_columns
from vaehub_timeseries.marginals.bounds import checked_bounds, given_bounds
from vaehub_timeseries.marginals.table import marginal_table
from vaehub_timeseries.model.correction import UNTRIED, NetworkGain
from vaehub_timeseries.model.periods import periods_in_steps


class Imputer(OneToOneFeatureMixin, TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Fill the gaps of time series, with calibrated uncertainty: a frame goes in, the same frame without gaps comes out.

    A linear-Gaussian model, a network on top of it where that pays, and linear interpolation are blended per column and gap length by their errors on
    observed cells that are hidden for the purpose, in the frame of `fit` and again in the frame at hand. The same cells calibrate the
    intervals (split conformal). Observed cells come back bit for bit.

    Arguments:
        config: YAML file, name of a shipped config or mapping that says how to train the VAE; chosen by the size of the data, if not given.
        time: Column or index level of stamps; found, if not given.
        entity: Column that tells series apart, or "none"; found, if not given.
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
        dayfirst: Whether 3/10/2004 is in October; found, if not given.
        date_format: Of stamps that are text, as in strptime: "%d.%m.%Y %H:%M"; found, if not given.
        bounds: Between which values a column lies: {"pv": (0, None)}, or one pair for all; found where data pile up at an end, if not given.
        season: Periods of rhythms: a number of steps, "D", "W", "Y", "12h" or a list of them; found, if not given; False for none.
        max_gap: Longest gap that is filled: a whole number of steps, or a length of time such as "6h". A longer one stays as it is, all of
            it (pandas' `interpolate(limit=…)` fills its first cells), in `transform`, `quantiles` and `samples`.
        limit_area: "inside": only gaps between observed cells are filled; "outside": only those before the first and after the last.
        add_indicator: Whether `transform` adds a column `missingindicator_…` for every column with missing cells in the data of `fit`.
        freq: Frequency of pandas, such as "h" or "MS": rows that were left out are put in, with their stamps, and filled.
        constraints: What holds between columns: ["a + b = total", "low <= high"]. Estimates, draws, forecasts and new series fulfil it.

    Attributes:
        errors_: Per column, in its units: mean absolute errors on held-out cells of the imputer, linear interpolation, last value, mean, and
            the same phase of the last period and of all others (NaN without a rhythm); coverage of the 90 % interval; number of cells.
        calibration_: Nominal coverage of central intervals, and how often they held the truth.
        marginals_: Per column of numbers: its bounds, the transform that it is modelled under, and how they were found.
        schema_: What a frame must share with the one of `fit`.
        network_: Whether a network corrects the closed form, by how much it lowered the error where it was tried, and the seconds that took.

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
        dayfirst: bool | None = None,
        date_format: str | None = None,
        bounds: Any = None,
        season: Any = None,
        max_gap: int | str | None = None,
        limit_area: str | None = None,
        add_indicator: bool = False,
        freq: str | None = None,
        constraints: Sequence[str] | None = None,
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
        self.dayfirst = dayfirst
        self.date_format = date_format
        self.bounds = bounds
        self.season = season
        self.max_gap = max_gap
        self.limit_area = limit_area
        self.add_indicator = add_indicator
        self.freq = freq
        self.constraints = constraints

    def fit(self, X: Table, y: Any = None) -> Imputer:
        """Learn from a frame with gaps.

        Arguments:
            X: Frame or column of pandas or polars, array (T, D) of T steps, or array (N, T, D) of N series, also as {"X": array}; NaN = missing.
            y: Ignored; scikit-learn's pipelines pass it.

        Returns:
            The imputer itself.

        Raises:
            UsageError: an option is of a wrong kind, or the frame cannot be read; the message names the column and row.
        """
        options = self._fit_options()
        with jobs.stage("fitting"):
            given = self._given(X, reset=True)
            panel = to_panel(given.frame, self._read_options())
            GapLimits.of(self.max_gap, self.limit_area, panel.schema)
            self._check_indicator(given)
            self.fitted_ = fit_imputer(panel, options)
            self.indicated_ = indicated_columns(panel)
            self._set_errors()
        return self

    def transform(self, X: T) -> T:
        """The same without gaps: the calibrated median, which has the least absolute error, in every missing cell.

        Arguments:
            X: As for `fit`, with its columns.

        Returns:
            What was given, in the same order and dtypes; observed cells are the same bits.

        Raises:
            UsageError: a column is absent, new or of another kind than in `fit`.
        """
        given, panel = self._read(X)
        filled = panel.fill(self._predictive(panel).point())
        if self._check_indicator(given):
            filled = with_indicators(filled, panel, self.indicated_)
        return cast(T, given.restore(filled))

    def flags(self, X: Table) -> pd.DataFrame:
        """What became of every cell of the columns to impute, and how far to trust it.

        Arguments:
            X: As for `transform`.

        Returns:
            The rows of `transform`, with columns (name, what): `flag` is "observed", "estimated", "missing" (it is left so, see `max_gap`) or
            "default" (nothing at hand says what it is: the mean of the column in the data of `fit`, or `fill`); `half_width` is half the
            width of the 90 % interval in the column's units, 0 where it is observed, NaN where it is left missing, for categories and for `fill`;
            `gap` is the length of the gap in steps, 0 where it is observed.

        Raises:
            UsageError: as for `transform`.

        >>> frame = pd.DataFrame({"a": np.sin(np.arange(40.0))})
        >>> frame.iloc[[10, 20, 21, 22]] = np.nan
        >>> Imputer(max_gap=2, window=4).fit(frame).flags(frame)["a"]["flag"].value_counts().to_dict()
        {'observed': 36, 'missing': 3, 'estimated': 1, 'default': 0}
        """
        panel = self._panel(X)
        return flag_frame(panel, self._predictive(panel))

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
        given, panel = self._read(X)
        return [
            cast(T, given.restore(panel.fill(drawn)))
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

    def generate(self, n: int, steps: int | None = None, *, entity: Hashable = None, start: Any = None) -> pd.DataFrame:
        """New series like those of `fit`, each column with the values that it has there, as often as there.

        Arguments:
            n: How many.
            steps: Length of each; that of a window, if not given.
            entity: Of the data of `fit`, whose levels they have; any, if not given.
            start: Their first stamp; the next after the data of `fit`, if not given.

        Returns:
            The columns of `fit`, indexed by (series, step), then by entity and time where the data have those.

        Raises:
            UsageError: n or steps < 1, no such entity or stamp, or nothing was observed in the data of `fit`.
        """
        check_is_fitted(self)
        length = arguments.or_none(arguments.at_least(1))("steps", steps)
        return self.fitted_.generate(arguments.at_least(1)("n", n), length, entity, start)

    def forecast(
        self, X: Table, steps: int, quantiles: Sequence[float] | None = None, future: pd.DataFrame | None = None
    ) -> pd.DataFrame:
        """The next rows of every series: the future as a gap.

        Arguments:
            X: As for `transform`.
            steps: How many rows after the end of each series.
            quantiles: Numbers between 0 and 1; the median is given, if none are.
            future: What is known of rows ahead: their stamps (and entities) and some of the columns of X, such as a weather forecast.

        Returns:
            The new rows, their stamps continued; with `quantiles` these, with columns (name, level).

        Raises:
            UsageError: steps < 1, a quantile is not between 0 and 1, `future` does not fit, or as for `transform`.
        """
        now = self._panel(X)
        steps = arguments.at_least(1)("steps", steps)
        if not isinstance(future, pd.DataFrame | None):
            raise arguments.wrong_argument("future", future, "a pandas DataFrame")
        panel = extend(now, steps, future)
        predictive = self.fitted_.forecast(now, panel, steps)
        if quantiles is None:
            return panel.fill(predictive.point()).iloc[len(now.frame) :]
        return quantile_frame(panel, {level: predictive.quantile(level) for level in checked_levels(quantiles)}).iloc[
            len(now.frame) :
        ]

    def backtest(self, X: Table, steps: int, origins: int = 5) -> pd.DataFrame:
        """Forecasts from earlier ends of a table beside what came: an imputer like this is fitted anew on the rows before each origin.

        Arguments:
            X: Frame or array in the wide form, as for `fit`.
            steps: Rows to forecast at every origin.
            origins: How many, evenly spaced over the later half of every entity.

        Returns:
            Per column and method (imputer, seasonal_naive, drift and, where statsmodels is installed, ets): mean absolute error in the column's
            units; MASE, the same over the naive error in the past; CRPS; coverage of the 90 % interval; number of cells.

        Raises:
            UsageError: steps or origins < 1, the table is too short or in the long form, or as for `fit`.
        """
        steps, origins = arguments.at_least(1)("steps", steps), arguments.at_least(1)("origins", origins)
        self._fit_options()
        frame = X if isinstance(X, pd.DataFrame) else pd.DataFrame(np.asarray(X, dtype=np.float64)).add_prefix("x")
        return rolling_backtest(self, frame, to_panel(frame, self._read_options()), steps, origins)

    def save(self, path: str | Path) -> None:
        """Write the fitted imputer to a folder: safetensors and JSON, nothing that executes.

        Arguments:
            path: The folder; an imputer that is there is replaced, whole or not at all.

        Raises:
            UsageError: the folder holds something else, or cannot be written.
        """
        check_is_fitted(self)
        names = [*self.feature_names_in_] if "feature_names_in_" in vars(self) else []
        saved = SavedImputer(self.get_params(), self.fitted_, names, self.n_features_in_, self.indicated_)
        save_imputer(saved, arguments.path("path", path))

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
        imputer.indicated_ = saved.indicated
        if saved.feature_names:
            imputer.feature_names_in_ = np.asarray(saved.feature_names, dtype=object)
        imputer._set_errors()
        return imputer

    @property
    def schema_(self) -> Schema:
        """What a frame must share with the one of `fit`."""
        schema: Schema = self.fitted_.schema
        return schema

    @property
    def seasons_(self) -> tuple[float, ...]:
        """The periods of the rhythms that were found in the data of `fit` or given, in steps."""
        structure = self.fitted_.structure
        return () if structure is None else structure.periods

    @property
    def trends_(self) -> list[Hashable]:
        """The columns whose trend is continued."""
        structure, columns = self.fitted_.structure, self.fitted_.columns
        return [] if structure is None else [columns[c] for c in np.flatnonzero(structure.trend.span)]

    @property
    def network_(self) -> NetworkGain:
        """What a network brought beside the closed form on windows that it was not trained on."""
        model = self.fitted_.model
        return UNTRIED if model is None else model.gain

    @property
    def marginals_(self) -> pd.DataFrame:
        """Per column of numbers: lower and upper bound, transform, where data pile up, and how that was found."""
        fitted, channels = self.fitted_, self.schema_.channels
        return marginal_table(
            fitted.scaler.marginals,
            [channel.column for channel in channels],
            [channel.kind for channel in channels],
            given_bounds(fitted.options.bounds, channels),
        )

    def _set_errors(self) -> None:
        """errors_: mean absolute errors per column beside linear interpolation, last value and mean; calibration_: coverage by level."""
        validation = CrossValidation.of(self.fitted_.held_out, int(self.fitted_.modelled.sum()))
        self.errors_ = error_table(validation, self.fitted_.columns, self.fitted_.scale)
        self.calibration_ = calibration_table(validation, self.fitted_.numeric)

    def _read_options(self) -> ReadOptions:
        return ReadOptions(
            self.time,
            self.entity,
            self.variable,
            self.value,
            self.columns,
            self.missing_values,
            self.aggregate,
            self.step,
            dayfirst=self.dayfirst,
            date_format=self.date_format,
            freq=self.freq,
        )

    def _fit_options(self) -> FitOptions:
        """How to learn, checked; scikit-learn wants the constructor to take anything."""
        periods_in_steps(self.season, step=1.0)  # what is wrong with any step is said before the frame is read
        return FitOptions(
            self.config,
            arguments.or_none(arguments.at_least(1))("window", self.window),
            arguments.yes_or_no("causal", self.causal),
            arguments.real_number("fill", self.fill),
            arguments.at_least(0)("seed", self.seed),
            checked_bounds(self.bounds),
            self.season,
            checked_constraints(self.constraints),
        )

    def _check_indicator(self, given: Given) -> bool:
        """Whether columns of indicators are asked for. Raises UsageError where there is no room for them."""
        if arguments.yes_or_no("add_indicator", self.add_indicator) and given.is_column:
            raise UsageError("add_indicator: a single column has no room for indicators; give a frame, X.to_frame()")
        return self.add_indicator

    def _given(self, X: Any, reset: bool) -> Given:
        """What was handed in, arrays checked as scikit-learn does."""

        def validate(values: Any) -> Any:
            return validate_data(self, values, reset=reset, dtype=[np.float64, np.float32], ensure_all_finite=False)

        given = read_given(X, validate, None if reset else self.schema_)
        if reset and given.is_named:
            validate_data(self, given.frame, skip_check_array=True)
        return given

    def _read(self, X: Any) -> tuple[Given, Panel]:
        """What was handed in, and its panel, of which only the gaps that are to be filled are."""
        check_is_fitted(self)
        given = self._given(X, reset=False)
        limits = GapLimits.of(self.max_gap, self.limit_area, self.schema_)
        return given, to_panel_as(given.frame, given.schema(self.schema_)).leaving_gaps(limits)

    def _panel(self, X: Any) -> Panel:
        return self._read(X)[1]

    def _predictive(self, panel: Panel) -> Predictive:
        warn_of_empty_columns(panel, self.fitted_)
        return self.fitted_.predictive(panel)

    def get_feature_names_out(self, input_features: Any = None) -> Any:
        """The names of the columns that `transform` gives.

        Arguments:
            input_features: Names of the columns of `fit`, where they have none.

        Returns:
            Array of text: these, and those of the indicators.
        """
        names = super().get_feature_names_out(input_features)
        if not self.add_indicator:
            return names
        by_label = dict(zip(self.schema_.dtypes, names, strict=True))
        return np.append(names, np.array([indicator_name(by_label[label]) for label in self.indicated_], dtype=object))

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags
