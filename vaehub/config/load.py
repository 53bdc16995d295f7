"""The configuration of a run: YAML and overrides in, one validated whole with every default filled in out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, Field, JsonValue, ValidationError, create_model
from pydantic_core import to_jsonable_python

from vaehub.config.build import build_domain, build_objective, build_vae
from vaehub.config.complaints import complaints
from vaehub.config.passthrough import TrainerOptions, trainer_model
from vaehub.config.schema import STRICT, Options, PartConfig, number, part_model
from vaehub.config.source import override, read_yaml
from vaehub.errors import UsageError

__all__ = ["Config", "PartConfig", "build_domain", "build_objective", "build_vae", "load_config"]

LARGEST = 2**31 - 1
Count = Annotated[int, BeforeValidator(number), Field(ge=1, le=LARGEST)]
Index = Annotated[int, BeforeValidator(number), Field(ge=0, le=LARGEST)]
Real = Annotated[float, BeforeValidator(number)]
Decay = Annotated[Real, Field(ge=0, lt=1)]
DEFAULT_PARTS = {
    "domain": None,
    "encoder": "mlp",
    "posterior": "diag_normal",
    "decoder": "mlp",
    "likelihood": "bernoulli",
    "prior": "standard_normal",
    "objective": "elbo",
}


class Optimizer(BaseModel):
    """Adam, or AdamW with weight decay, and how its learning rate goes."""

    model_config = STRICT
    lr: Annotated[Real, Field(gt=0)] = 1e-3
    weight_decay: Annotated[Real, Field(ge=0)] = 0.0
    betas: tuple[Decay, Decay] = (0.9, 0.999)
    schedule: Literal["constant", "cosine", "linear"] = "cosine"
    warmup: Index = 0  # steps


class Training(BaseModel):
    """How long, on what, and what to watch."""

    model_config = STRICT
    epochs: Count = 30
    batch_size: Count = 128
    eval_batch_size: Count = 1000
    seed: Index = 0
    balanced: bool = False
    early_stopping: Count | None = None  # validations without improvement
    monitor: str = "val_elbo"  # higher is better
    log_every: Count = 50  # steps
    validate_every: Count = 1  # epochs
    score_rows: Index = 10_000  # training rows behind the percentiles of `vaehub score`; 0: none, and no scores
    logger: Literal["none", "tensorboard", "mlflow"] = "none"  # beside metrics.csv, under the run folder


class Settings(BaseModel):
    """What a run needs besides its parts."""

    model_config = STRICT
    latent: Annotated[int, BeforeValidator(number), Field(ge=1, le=65536)] = 2
    optimizer: Optimizer = Optimizer()
    train: Training = Training()


class Config(Settings):
    """A whole run: the parts by kind, and the settings."""

    domain: PartConfig
    encoder: PartConfig
    posterior: PartConfig
    decoder: PartConfig
    likelihood: PartConfig
    prior: PartConfig
    objective: PartConfig
    trainer: dict[str, JsonValue]

    def parts(self) -> list[PartConfig]:
        """Every part that is used, nested ones too."""
        return [part for kind in DEFAULT_PARTS for part in getattr(self, kind).parts()]

    def to_dict(self) -> dict[str, Any]:
        """The config in JSON types, valid as input again."""
        values = {key: getattr(self, key) for key in (*DEFAULT_PARTS, *Settings.model_fields, "trainer")}
        plain: dict[str, Any] = to_jsonable_python({k: v.plain() if isinstance(v, PartConfig) else v for k, v in values.items()})
        return plain


def load_config(source: str | Path | Mapping[str, Any], overrides: Sequence[str] = (), domain: str | None = None) -> Config:
    """The config in a YAML file or a mapping, with `key.sub=value` overrides. Raises UsageError that lists all that is wrong in it.

    `domain`: its name where the config gives none.
    """
    where = "config" if isinstance(source, Mapping) else str(source)
    given: Any = source if isinstance(source, Mapping) else read_yaml(Path(source))
    try:
        return validated(override(given, overrides), where, domain)
    except RecursionError:
        raise UsageError(f"{where}: is nested too deeply") from None
    except UnicodeError:
        raise UsageError(
            f"{where}: holds half of a character pair (\\ud800 to \\udfff), which no text has; write it out"
        ) from None


def validated(given: Mapping[str, Any], where: str, domain: str | None) -> Config:
    """The config, every default filled in."""
    defaults = DEFAULT_PARTS | {"domain": domain}
    fields: Any = {kind: (part_model(kind, given.get(kind), name), name or ...) for kind, name in defaults.items()}
    schema = create_model("Config", __base__=Settings, **fields, trainer=(trainer_model(given.get("trainer")), {}))
    try:
        found = schema.model_validate(given)
    except ValidationError as error:
        raise UsageError(listed(complaints(error, schema, given), where)) from None
    return Config(**{key: settled(getattr(found, key)) for key in schema.model_fields})


def settled(value: Any) -> Any:
    """A validated field as Config holds it."""
    match value:
        case Options():
            return value.part()
        case TrainerOptions():
            return value.plain()
    return value


def listed(lines: Sequence[str], where: str) -> str:
    """One complaint on one line, several below each other."""
    return f"{where}: {lines[0]}" if len(lines) == 1 else "\n  ".join([f"{where}: {len(lines)} errors", *lines])
