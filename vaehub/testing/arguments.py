"""Calls of public functions with arguments of every wrong kind, for tests of what users are told."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd
import torch

from vaehub.errors import UsageError

WRONG: Mapping[str, Any] = {
    "None": None,
    "word": "valid",
    "empty": "",
    "int": 7,
    "negative": -1,
    "float": 2.5,
    "nan": float("nan"),
    "list": ["a", object()],
    "mapping": {"a": 1},
    "array": np.zeros((3, 5)),
    "words": np.array([["a", "b"]]),
    "objects": np.array([[object()]]),
    "scalar": np.float64(0.5),
    "frame": pd.DataFrame({"a": [1.0, 2.0], "b": ["x", "y"]}),
    "tensor": torch.zeros(2, 2, dtype=torch.complex64),
    "object": object(),
}


def cases(calls: Mapping[str, Mapping[str, Any]]) -> list[tuple[str, str, str]]:
    """(function, argument, kind of wrong value) for calls that are all right as they stand: {function: {argument: value}}."""
    return [(name, argument, kind) for name, given in calls.items() for argument in given for kind in WRONG]


def refusal(function: Callable[..., Any], given: Mapping[str, Any], argument: str, kind: str) -> str | None:
    """What a function says to one wrong argument; None where it takes it. Any error but UsageError passes through."""
    try:
        function(**{**given, argument: WRONG[kind]})
    except UsageError as error:
        return str(error)
    return None
