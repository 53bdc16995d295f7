"""A warm start: the weights of an earlier run, as far as they fit."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from torch import Tensor, nn

from vaehub.arguments import path as as_path
from vaehub.arguments import wrong_argument
from vaehub.errors import UsageError
from vaehub.run import load
from vaehub.trained import TrainedModel

NAMED = 3  # weights in one line


def source_of(init: TrainedModel | str | Path) -> tuple[str, dict[str, Tensor]]:
    """What to call a run, and its weights. Raises UsageError where there is no such run."""
    if not isinstance(init, TrainedModel | str | Path):
        raise wrong_argument("init", init, "a run, or the path of one")
    run = init if isinstance(init, TrainedModel) else load(as_path("init", init))
    return str(run.path or (init if not isinstance(init, TrainedModel) else "the given run")), dict(run.vae.state_dict())


def warm_start(model: nn.Module, source: str, weights: Mapping[str, Tensor]) -> str:
    """Give `model` every weight that has its name and shape in `weights`, and say in one line what was taken and what was not.

    Raises UsageError where nothing fits.

    >>> warm_start(nn.Linear(2, 1), "runs/a", {"weight": nn.Linear(2, 1).weight, "other": nn.Linear(1, 1).weight})
    'init: 1 of 2 weights taken from runs/a; new are: bias; left there: other'
    """
    own = dict(model.state_dict())
    taken = {name: weights[name].to(old) for name, old in own.items() if name in weights and weights[name].shape == old.shape}
    if not taken:
        raise UsageError(f"init: none of the weights of {source} has the name and shape of one of this model's; leave init out")
    model.load_state_dict(own | taken)
    new = [name if name not in weights else f"{name} (its shape is another)" for name in own if name not in taken]
    parts = [f"init: {len(taken)} of {len(own)} weights taken from {source}"]
    parts += [f"new are: {listed(new)}"] if new else []
    left = [name for name in weights if name not in own]
    return "; ".join([*parts, *([f"left there: {listed(left)}"] if left else [])])


def listed(names: list[str]) -> str:
    """The first names, and how many more there are."""
    return ", ".join(names[:NAMED]) + (f" and {len(names) - NAMED} more" if len(names) > NAMED else "")
