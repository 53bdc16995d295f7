"""Training of the VAE on series in memory."""

from __future__ import annotations

from collections.abc import Sequence

import vaehub
from vaehub import Config, InMemory, Run, Spec, UsageError, build_domain
from vaehub_timeseries.codec import SeriesCodec
from vaehub_timeseries.domain import TimeSeries
from vaehub_timeseries.impute.experts import Floats
from vaehub_timeseries.model.em import Autocovariance
from vaehub_timeseries.splits import split

RECENT = (
    0.1  # of the steps, by which epochs are compared. They are trained on as well: what is nearest to the future tells most of it
)


def train_vae(series: Sequence[Floats], steps: int, config: Config, process: Autocovariance) -> Run:
    """The run of a config on series in scaled units, in memory."""
    domain = build_domain(config)
    if not isinstance(domain, TimeSeries):
        raise UsageError(f"config: domain is {config.domain.name}; an imputer needs domain: timeseries")
    recent = split(series, steps, RECENT)["test"] or list(series)
    judged = domain.windows(recent, steps, training=False)
    splits = {"train": domain.windows(series, steps, training=True, process=process), "val": judged, "test": judged}
    codec = SeriesCodec(Spec((steps, series[0].shape[1])), domain.reading)
    return vaehub.train(config, domain=InMemory(codec, splits), progress=False)
