"""What there is to say of an object, in a line for `repr` and in a table for a notebook."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from html import escape


class Described(ABC):
    """An object that says what it is, at the prompt and in a notebook.

    >>> class Shop(Described):
    ...     def facts(self):
    ...         return {"rows": 3, "path": None}
    >>> Shop()
    Shop(rows=3)
    """

    @abstractmethod
    def facts(self) -> Mapping[str, object]:
        """What there is to say of it in a few words, by name; None is left out."""

    def __repr__(self) -> str:
        return as_text(type(self).__name__, self.facts())

    def _repr_html_(self) -> str:
        return as_html(type(self).__name__, self.facts())


def as_text(name: str, facts: Mapping[str, object]) -> str:
    """One line; facts that are None are left out.

    >>> as_text("Run", {"domain": "mnist", "latent": 8, "path": None})
    'Run(domain=mnist, latent=8)'
    """
    return f"{name}({', '.join(f'{key}={value}' for key, value in facts.items() if value is not None)})"


def as_html(name: str, facts: Mapping[str, object]) -> str:
    """A small table; facts that are None are left out.

    >>> as_html("Run", {"path": "a<b"})
    '<table><caption>Run</caption><tbody><tr><th style="text-align:left">path</th><td>a&lt;b</td></tr></tbody></table>'
    """
    rows = "".join(
        f'<tr><th style="text-align:left">{escape(str(key))}</th><td>{escape(str(value))}</td></tr>'
        for key, value in facts.items()
        if value is not None
    )
    return f"<table><caption>{escape(name)}</caption><tbody>{rows}</tbody></table>"
