"""The form of a model file's header: what is not of it is damage."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from vaehub.files.validated import Json


def increasing(values: list[float]) -> list[float]:
    """The values, none of which is below the one before it, or NaN."""
    if any(not a <= b for a, b in zip(values, [*values[1:], values[-1]], strict=True)):
        raise ValueError("quantiles that do not increase, or are no numbers")
    return values


Quantiles = Annotated[list[float], Field(min_length=101, max_length=101), AfterValidator(increasing)]


class Scores(BaseModel):
    """101 quantiles of the scores of training rows, in nats."""

    samples: Annotated[int, Field(ge=1)]
    rows: Annotated[int, Field(ge=0)]
    elbo: Quantiles
    iw: Quantiles


class State(BaseModel):
    """What was learnt of the training rows after training."""

    model_config = ConfigDict(extra="allow")
    score: Scores | None = None


class Header(BaseModel):
    """Everything that a model file says besides its weights.

    Arguments:
        config: of the run, every default filled in.
        spec: of the data.
        codec: what was learnt of the data, as `Codec.to_json` gives it.
        plugins: name and version of those whose parts are used.
        state: what was learnt of the training rows after training.
        splits: a digest of what was in every split, by its name, where the domain gives one.
        extra_data: entries of other versions of vaehub, which are kept.
    """

    model_config = ConfigDict(extra="allow")
    config: Json
    spec: Json
    codec: Json
    plugins: dict[str, str] = {}
    state: State = State()
    splits: dict[str, str] = {}
