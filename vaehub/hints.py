"""The words of error messages."""

from __future__ import annotations

import re
from collections.abc import Iterable
from difflib import get_close_matches

__all__ = ["did_you_mean", "quoted", "reason"]

ALIASES = {  # other names of the field -> what it is called here, first come first served
    "gaussian": ("normal", "diag_normal", "standard_normal"),
    "diagonal_gaussian": ("diag_normal",),
    "isotropic_gaussian": ("standard_normal",),
    "mse": ("normal",),
    "l2": ("normal",),
    "mae": ("laplace",),
    "l1": ("laplace",),
    "student": ("student_t",),
    "bce": ("bernoulli",),
    "binary": ("bernoulli",),
    "binary_cross_entropy": ("bernoulli",),
    "cross_entropy": ("categorical",),
    "softmax": ("categorical",),
    "nb": ("negative_binomial",),
    "zinb": ("zero_inflated",),
    "zip": ("zero_inflated",),
    "vae": ("elbo",),
    "beta_vae": ("elbo",),
    "ae": ("elbo",),
    "autoencoder": ("elbo",),
    "importance_weighted": ("iwae",),
    "factor_vae": ("tc_vae",),
    "mmd": ("info_vae",),
    "wae": ("info_vae",),
    "gmm": ("mixture",),
    "vampprior": ("vamp",),
    "realnvp": ("flow",),
    "nsf": ("flow",),
    "maf": ("flow", "iaf"),
    "full_covariance": ("full_normal",),
    "dense": ("mlp",),
    "fc": ("mlp",),
    "cnn": ("conv",),
    "leaky_relu": ("relu",),
    "leakyrelu": ("relu",),
    "lrelu": ("relu",),
    "swish": ("silu",),
    "selu": ("elu",),
    "valid": ("val",),
    "validation": ("val",),
    "dev": ("val",),
    "training": ("train",),
    "testing": ("test",),
}
NEAR = 0.6  # of difflib: how alike two words are, 0 to 1
LISTED = 40  # names in a message


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """The nearest known word as a question, or all that are known.

    Arguments:
        word: what the user wrote.
        known: what could have been meant.

    >>> did_you_mean("gaussian", ["normal", "implicit_gaussian"])
    "did you mean 'normal'?"
    >>> did_you_mean("Film 1", ["Film 01", "Film 21"])
    "did you mean 'Film 01'?"
    >>> did_you_mean("xyz", ["normal", "laplace"])
    'known: laplace, normal'
    """
    choices = sorted(known)
    near = nearest(word, choices)
    return f"did you mean '{near}'?" if near is not None else f"known: {listed(choices)}"


def nearest(word: str, choices: list[str]) -> str | None:
    """The choice that is meant: another name of the same thing, the same word with its numbers written otherwise, or one spelt alike.

    Arguments:
        word: what the user wrote.
        choices: what could have been meant.

    Returns:
        One of the choices, or None where none is near.

    >>> nearest("bce", ["normal", "bernoulli"]), nearest("xyz", ["normal"])
    ('bernoulli', None)
    """
    plain = {without_zeros(choice): choice for choice in reversed(choices)}
    key = without_zeros(word)
    if key in plain:
        return plain[key]
    meant = [name for name in ALIASES.get(re.sub(r"[ -]", "_", word.lower()), ()) if name in choices]
    if meant:
        return meant[0]
    near = get_close_matches(key, plain, n=1, cutoff=NEAR)
    return plain[near[0]] if near else None


def without_zeros(word: str) -> str:
    """A word in small letters, its numbers without leading zeros: "Film 01" and "film 1" are one."""
    return re.sub(r"\b0+(?=\d)", "", word.lower())


def listed(choices: list[str]) -> str:
    """Names with commas between, the first of them where they are many.

    Arguments:
        choices: the names.

    >>> listed(["a", "b"]), listed([])
    ('a, b', 'none')
    """
    more = f", … ({len(choices):,} in all)" if len(choices) > LISTED else ""
    return ", ".join(choices[:LISTED]) + more or "none"


def reason(error: BaseException) -> str:
    r"""An exception in one line.

    Arguments:
        error: the exception.

    >>> reason(ValueError("not\na number")), reason(KeyboardInterrupt())
    ('ValueError: not a number', 'KeyboardInterrupt')
    """
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def quoted(value: object, limit: int = 60) -> str:
    """A value as the user wrote it, on one line and cut short.

    Arguments:
        value: anything.
        limit: most characters.

    >>> quoted("a" * 100, limit=5)
    "'aaaa…"
    """
    text = " ".join(repr(value).split()) if "\n" in repr(value) else repr(value)
    return text if len(text) <= limit else f"{text[:limit]}…"
