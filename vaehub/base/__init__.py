"""The contract: rows, distributions, parts and domains. What a plugin subclasses is here, and imports as `from vaehub import ...`."""

from vaehub.base.domain import Codec, Domain
from vaehub.base.outcome import Outcome, draw, estimate, expectation, full_precision
from vaehub.base.parts import (
    Decoder,
    Encoder,
    Example,
    Family,
    Features,
    Likelihood,
    Logs,
    Model,
    Objective,
    Part,
    Posterior,
    Prior,
)
from vaehub.base.rows import Batch, Data, Json, Kind, Spec, Step
from vaehub.base.terms import Terms

__all__ = [
    "Batch",
    "Codec",
    "Data",
    "Decoder",
    "Domain",
    "Encoder",
    "Example",
    "Family",
    "Features",
    "Json",
    "Kind",
    "Likelihood",
    "Logs",
    "Model",
    "Objective",
    "Outcome",
    "Part",
    "Posterior",
    "Prior",
    "Spec",
    "Step",
    "Terms",
    "draw",
    "estimate",
    "expectation",
    "full_precision",
]
