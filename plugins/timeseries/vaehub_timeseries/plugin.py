"""The hooks: names only, so that listing the plugin imports nothing of it."""

from vaehub import hookimpl

PARTS = "vaehub_timeseries.parts."


@hookimpl
def vaehub_components() -> dict[str, str]:
    """Every part of this package, by kind and name."""
    return {
        "domain/timeseries": "vaehub_timeseries.domain:TimeSeries",
        "judge/timeseries": "vaehub_timeseries.judge:SeriesJudge",
        "encoder/linear_gaussian": PARTS + "linear_gaussian:LinearGaussianEncoder",
        "decoder/linear_gaussian": PARTS + "linear_gaussian:LinearGaussianDecoder",
        "encoder/belief": PARTS + "beliefs:BeliefEncoder",
        "decoder/belief": PARTS + "beliefs:BeliefDecoder",
        "objective/absolute_error": PARTS + "absolute_error:AbsoluteError",
        "encoder/masked_series": PARTS + "encoders:MaskedSeries",
        "encoder/per_step": PARTS + "encoders:StepEncoder",
        "decoder/series": PARTS + "decoders:SeriesDecoder",
        "decoder/per_step": PARTS + "decoders:StepDecoder",
        "prior/gp": PARTS + "gp:GaussianProcess",
        "posterior/banded": PARTS + "banded:Banded",
        "likelihood/self_masking": PARTS + "self_masking:SelfMasking",
        "objective/not_miwae": PARTS + "not_miwae:NotMIWAE",
    }


@hookimpl
def vaehub_commands() -> dict[str, str]:
    """`vaehub timeseries …`, and `vaehub demo timeseries`, which is called `demo imputation` as well."""
    commands = "vaehub_timeseries.commands."
    return {
        "timeseries impute": commands + "impute:impute",
        "timeseries report": commands + "impute:report",
        "timeseries generate": commands + "generate:generate",
        "timeseries forecast": commands + "forecast:forecast",
        "timeseries backtest": commands + "backtest:backtest",
        "timeseries anomalies": commands + "anomalies:anomalies",
        "demo timeseries": "vaehub_timeseries.demo:imputation",
        "demo imputation": "vaehub_timeseries.demo:imputation",
    }


@hookimpl
def vaehub_groups() -> dict[str, str]:
    """What `vaehub --help` says of the commands."""
    return {"timeseries": "Fill the gaps of tables over time, forecast, draw new series, find anomalies."}
