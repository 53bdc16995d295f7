"""The configuration of a run: YAML and overrides in, one validated whole with every default filled in out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, Field, JsonValue, ValidationError, create_model
from pydantic_core import to_jsonable_python

from vaehub.arguments import wrong_argument
from vaehub.config.complaints import complaints
from vaehub.config.passthrough import TrainerOptions, trainer_model
from vaehub.config.schema import STRICT, Options, PartConfig, number, part_model
from vaehub.config.shipped import config_path
from vaehub.config.source import Overrides, override, read_yaml
from vaehub.errors import UsageError

__all__ = ["Config", "PartConfig", "load_config"]

LARGEST = 2**31 - 1
Count = Annotated[int, Field(ge=1, le=LARGEST), BeforeValidator(number)]
Index = Annotated[int, Field(ge=0, le=LARGEST), BeforeValidator(number)]
Decay = Annotated[float, Field(ge=0, lt=1), BeforeValidator(number)]
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
    lr: Annotated[float, Field(gt=0, description="Learning rate, the highest of the schedule."), BeforeValidator(number)] = 1e-3
    weight_decay: Annotated[
        float, Field(ge=0, description="Decoupled weight decay (AdamW); 0 is Adam."), BeforeValidator(number)
    ] = 0.0
    betas: Annotated[tuple[Decay, Decay], Field(description="Decay of the means of gradients and of their squares.")] = (
        0.9,
        0.999,
    )
    schedule: Annotated[
        Literal["constant", "cosine", "linear"], Field(description="How the learning rate goes after the warm-up.")
    ] = "cosine"
    warmup: Annotated[Index, Field(description="Steps in which the learning rate rises from 0.")] = 0


class Training(BaseModel):
    """How long, on what, and what to watch."""

    model_config = STRICT
    epochs: Annotated[Count, Field(description="Passes over the training rows.")] = 30
    batch_size: Annotated[Count, Field(description="Training rows in a step.")] = 128
    eval_batch_size: Annotated[Count, Field(description="Rows at once where nothing is learnt.")] = 1000
    seed: Annotated[Index, Field(description="Seed of weights, order and noise.")] = 0
    balanced: Annotated[bool, Field(description="Draw training rows so that every label comes equally often.")] = False
    early_stopping: Annotated[Count | None, Field(description="Stop after so many validations without a better figure.")] = None
    monitor: Annotated[str, Field(description="The validation figure by which the best epoch is kept; higher is better.")] = (
        "val_elbo"
    )
    log_every: Annotated[Count, Field(description="Steps between figures within an epoch.")] = 50
    validate_every: Annotated[Count, Field(description="Epochs between validations.")] = 1
    score_rows: Annotated[
        Index, Field(description="Training rows behind the percentiles of `vaehub score`; 0: none, and no scores.")
    ] = 10_000
    logger: Annotated[
        Literal["none", "tensorboard", "mlflow"], Field(description="Who else gets the figures of metrics.csv.")
    ] = "none"


class Settings(BaseModel):
    """What a run needs besides its parts."""

    model_config = STRICT
    latent: Annotated[int, Field(ge=1, le=65536, description="Dimensions of the code z of a row."), BeforeValidator(number)] = 2
    rereads: Annotated[Index, Field(description="How often a draw is decoded and read again before it is given.")] = 0
    optimizer: Annotated[Optimizer, Field(description="Adam, and how its learning rate goes.")] = Optimizer()
    train: Annotated[Training, Field(description="How long, on what, and what to watch.")] = Training()


class Config(Settings):
    """A whole run: the parts by kind, and the settings; `load_config` makes one.

    Arguments:
        latent: dimensions L of the code z of a row.
        rereads: how often a draw is decoded and read again before it is given.
        optimizer: Adam, and how its learning rate goes.
        train: how long, on what, and what to watch.
        domain: where the rows come from.
        encoder: the network of q(z|x,c).
        posterior: the family of q(z|x,c).
        decoder: the network of p(x|z,c).
        likelihood: the family of p(x|z,c).
        prior: p(z|c).
        objective: what is minimised.
        trainer: options of Lightning's Trainer.

    >>> load_config({"domain": "arrays", "likelihood": "normal"}).likelihood.name
    'normal'
    """

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
        return [part for kind in DEFAULT_PARTS for part in dict(self)[kind].parts()]

    def to_dict(self) -> dict[str, Any]:
        """The config in JSON types, valid as input again."""
        fields = dict(self)
        values = {key: fields[key] for key in (*DEFAULT_PARTS, *Settings.model_fields, "trainer")}
        plain: dict[str, Any] = to_jsonable_python({k: v.plain() if isinstance(v, PartConfig) else v for k, v in values.items()})
        return plain


def load_config(
    source: str | Path | Mapping[str, Any] | Config, overrides: Overrides = (), default_domain: str | None = None, **options: Any
) -> Config:
    """The config of a run, checked as a whole, every default filled in.

    Arguments:
        source: The path of a YAML file, the name of a config that comes with a plugin ("mnist"), a mapping, or a Config.
        overrides: What replaces values of it: `["latent=3", "train.epochs=5"]` or `{"latent": 3, "train": {"epochs": 5}}`.
        default_domain: The domain where the config names none.
        options: The same as overrides, but as keywords, and after them: `latent=3, train={"epochs": 5}`.

    Raises:
        UsageError: lists all that is wrong in it.

    >>> load_config({"domain": "arrays"}, ["latent=3"], train={"epochs": 5}).train.epochs
    5
    """
    given, where = contents(source)
    try:
        return validated(override(override(given, overrides), options), where, default_domain)
    except RecursionError:
        raise UsageError(f"{where}: is nested too deeply") from None
    except UnicodeError:
        raise UsageError(
            f"{where}: holds half of a character pair (\\ud800 to \\udfff), which no text has; write it out"
        ) from None


def contents(source: object) -> tuple[Mapping[str, Any], str]:
    """The mapping that a source holds, and what to call it in messages."""
    match source:
        case Config():
            return source.to_dict(), "config"
        case Mapping():
            return source, "config"
        case str() | Path():
            path = config_path(source)
            return read_yaml(path), str(path)
    raise wrong_argument(
        "config", source, "the path of a YAML file, the name of a shipped config, or a mapping such as {'domain': 'mnist'}"
    )


def validated(given: Mapping[str, Any], where: str, domain: str | None) -> Config:
    """The config, every default filled in."""
    defaults = DEFAULT_PARTS | {"domain": domain}
    fields: Any = {kind: (part_model(kind, given.get(kind), name), name or ...) for kind, name in defaults.items()}
    schema = create_model("Config", __base__=Settings, **fields, trainer=(trainer_model(given.get("trainer")), {}))
    try:
        found = schema.model_validate(given)
    except ValidationError as error:
        raise UsageError(joined_complaints(complaints(error, schema, given), where)) from None
    return Config(**{key: plain_field(value) for key, value in found})


def plain_field(value: Any) -> Any:
    """A validated field as Config holds it."""
    match value:
        case Options():
            return value.part()
        case TrainerOptions():
            return value.plain()
    return value


def joined_complaints(lines: Sequence[str], where: str) -> str:
    """One complaint on one line, several below each other."""
    return f"{where}: {lines[0]}" if len(lines) == 1 else "\n  ".join([f"{where}: {len(lines)} errors", *lines])
