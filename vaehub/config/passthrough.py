"""Options that go straight to pytorch_lightning.Trainer."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from functools import cache, partial
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any, TypeVar, cast

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, JsonValue, create_model

from vaehub.config.docstrings import arguments_of
from vaehub.config.schema import refuse

Definition = TypeVar("Definition", ast.ClassDef, ast.FunctionDef)
SCIENTIFIC = re.compile(r"[-+]?\d+(\.\d*)?[eE][-+]?\d+")
DEFAULTS = {"precision": "32-true", "accelerator": "auto"}
HALF = ("bf16-true", "16-true", "transformer-engine", "transformer-engine-float16")
OURS = {
    "callbacks": "use the hook vaehub_callbacks of a plugin",
    "logger": "use train.logger",
    "max_epochs": "use train.epochs",
    "min_epochs": "use train.epochs",
    "log_every_n_steps": "use train.log_every",
    "check_val_every_n_epoch": "use train.validate_every",
    "default_root_dir": "use --output",
    "enable_checkpointing": "runs are always saved",
    "enable_model_summary": "print(run.vae) shows the model",
    "enable_progress_bar": "vaehub has its own; train(progress=False) hides it",
    "num_sanity_val_steps": "the data are checked before training",
    "fast_dev_run": "use train.epochs and trainer.limit_train_batches",
    "use_distributed_sampler": "vaehub deals the rows out itself",
    "reload_dataloaders_every_n_epochs": "the order of rows is new in every epoch",
    "plugins": "vaehub writes its own files",
    "model_registry": "vaehub writes its own files",
    "barebones": "it would leave out the saving of the run",
}


def require_full_precision(given: object) -> object:
    """Refuse weights of half precision, in which a sum over thousands of densities is rounded away."""
    if given in HALF:
        raise ValueError(f"{given} keeps the weights themselves in half precision; use bf16-mixed, or 16-mixed on older GPUs")
    return given


class TrainerOptions(BaseModel):
    """Base of the models that `trainer_model` makes."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    def plain(self) -> dict[str, JsonValue]:
        """The options that were given, over the defaults."""
        given = self.model_dump(exclude_unset=True)
        return DEFAULTS | {key: scientific(value) for key, value in given.items()}


def scientific(value: JsonValue) -> JsonValue:
    """A number such as 1e-3, which YAML takes for a text."""
    return float(value) if isinstance(value, str) and SCIENTIFIC.fullmatch(value) else value


def trainer_model(given: object) -> type[TrainerOptions]:
    """The model of `trainer:`. Lightning's source is read only where a key is not one of the usual ones."""
    return model_of(rare=isinstance(given, Mapping) and not given.keys() <= DEFAULTS.keys() | OURS.keys())


@cache
def model_of(rare: bool) -> type[TrainerOptions]:
    """The model of the usual options, or of all; what the engine sets itself is refused."""
    free = lightning_options() if rare else {name: Field(default) for name, default in DEFAULTS.items()}
    fields: dict[str, Any] = {name: (JsonValue, field) for name, field in sorted(free.items()) if name not in OURS}
    fields["precision"] = (Annotated[JsonValue, BeforeValidator(require_full_precision)], free["precision"])
    fields |= {
        name: (Annotated[Any, BeforeValidator(partial(refuse, f"is set by vaehub: {why}"))], None) for name, why in OURS.items()
    }
    return create_model("Trainer", __base__=TrainerOptions, **cast(Any, fields))


@cache
def lightning_options() -> dict[str, Any]:
    """The options of the installed Lightning's Trainer as fields, with default and text, read from its source: importing it takes seconds."""
    package = find_spec("pytorch_lightning")
    assert package is not None
    assert package.origin is not None
    source = (Path(package.origin).parent / "trainer" / "trainer.py").read_text("utf-8")
    trainer = named(ast.parse(source).body, ast.ClassDef, "Trainer")
    init = named(trainer.body, ast.FunctionDef, "__init__")
    texts = arguments_of(ast.get_docstring(init) or "")
    defaults = {
        a.arg: ast.literal_eval(node) for a, node in zip(init.args.kwonlyargs, init.args.kw_defaults, strict=True) if node
    }
    return {name: Field(value, description=texts.get(name)) for name, value in (defaults | DEFAULTS).items()}


def named(body: list[ast.stmt], kind: type[Definition], name: str) -> Definition:
    """The definition of this name."""
    return next(node for node in body if isinstance(node, kind) and node.name == name)
