"""Values that came from JSON, checked against the form that they should have."""

from __future__ import annotations

from typing import Any, TypeAlias, TypeVar

from pydantic import TypeAdapter, ValidationError

T = TypeVar("T")
Json: TypeAlias = dict[str, Any]


def validated_json(form: type[T], value: Any) -> T:
    """A value that came from JSON in the form that it should have.

    Arguments:
        form: a type such as `dict[str, int]`, a dataclass or a pydantic model.
        value: what was read.

    Raises:
        ValueError: it is of another form; the message names the first entry that is.

    >>> validated_json(dict[str, int], {"rows": "many"})
    Traceback (most recent call last):
    ValueError: rows: Input should be a valid integer
    """
    try:
        return TypeAdapter(form).validate_python(value, strict=True)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(map(str, first["loc"]))
        raise ValueError(f"{place}: {first['msg']}" if place else first["msg"]) from None
