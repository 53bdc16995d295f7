"""The words of error messages."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """The nearest known word as a question, or all that are known."""
    choices = sorted(known)
    near = get_close_matches(word.lower(), choices, n=1, cutoff=0.6)
    return f"did you mean '{near[0]}'?" if near else f"known: {', '.join(choices) or 'none'}"


def reason(error: BaseException) -> str:
    """An exception in one line."""
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def shown(value: object, limit: int = 60) -> str:
    """A value as the user wrote it, cut short."""
    text = repr(value)
    return text if len(text) <= limit else f"{text[:limit]}…"
