"""Filters such as year >= 1990 and genre == 'Comedy': read by a small grammar, and never executed as code."""

from __future__ import annotations

import ast
import operator
import re
import warnings
from collections.abc import Callable, Iterable, Mapping
from functools import reduce
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pandas.api import types

from vaehub import UsageError, arguments, hints
from vaehub_recommender.traits import SEPARATOR

Bools: TypeAlias = NDArray[np.bool_]
Column: TypeAlias = "pd.Series[Any]"

LONGEST = 10_000  # characters of an expression
QUOTED = re.compile(r"""('(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")|`([^`]*)`""")  # a text, or the name of a column between backticks
GRAMMAR = "give comparisons of columns with values (==, !=, <, <=, >, >=, in, not in), joined by and, or, not"
ORDERS: Mapping[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}
MIRRORED: Mapping[type[ast.cmpop], ast.cmpop] = {ast.Lt: ast.Gt(), ast.LtE: ast.GtE(), ast.Gt: ast.Lt(), ast.GtE: ast.LtE()}


def passing(text: str, table: pd.DataFrame) -> Bools:
    """Which rows of a table an expression is true for (R,).

    Names are columns, those that are no plain words between backticks. `'Comedy' in genre` asks for one of the words of a cell such as
    Comedy|Drama, or of a list; `genre in ['Comedy', 'Drama']` for the whole cell. A missing value equals nothing but None, so `!=` and `not in`
    hold for it; no order does.

    Arguments:
        text: the expression.
        table: a row for each item.

    Raises:
        UsageError: anything else than such comparisons, a column that is not there, or a value of another type than its column.

    Example:
        >>> films = pd.DataFrame({"year": [1985, 1994], "genre": ["Comedy", "Comedy|Drama"]})
        >>> passing("year >= 1990 and 'Comedy' in genre", films).tolist()
        [False, True]
    """
    names: dict[str, str] = {}
    try:
        plain = QUOTED.sub(lambda found: found[1] or plain_name(found[2], names), checked(text)).strip()
        with warnings.catch_warnings(action="ignore"):  # of the parser, such as of a backslash in a text
            tree = ast.parse(plain, mode="eval").body
        return Evaluation(table, names).mask(tree)
    except (SyntaxError, ValueError, OverflowError, MemoryError, RecursionError) as error:
        raise UsageError(f"filter: {hints.quoted(text)} cannot be read ({hints.reason(error)}); {GRAMMAR}") from None


def checked(text: object) -> str:
    """The expression. Raises UsageError for anything else."""
    if not isinstance(text, str) or not text.strip():
        raise arguments.wrong_argument("filter", text, 'an expression over columns of items, such as "year >= 1990"')
    if len(text) > LONGEST:
        raise UsageError(
            f"filter: {len(text):,} characters, at most {LONGEST:,} are read; give long lists of items as candidates"
        )
    return text


def plain_name(column: str, names: dict[str, str]) -> str:
    """A word that stands for a column whose name is none; `names` keeps which."""
    word = f"_column_{len(names)}"
    names[word] = column
    return word


class Evaluation:
    """An expression over the columns of a table, of which `names` are written otherwise."""

    def __init__(self, table: pd.DataFrame, names: Mapping[str, str]) -> None:
        self.table, self.names = table, names

    def mask(self, node: ast.expr) -> Bools:
        """For which rows it is true (R,)."""
        match node:
            case ast.BoolOp(op=ast.And(), values=values):
                return reduce(operator.and_, map(self.mask, values))
            case ast.BoolOp(op=ast.Or(), values=values):
                return reduce(operator.or_, map(self.mask, values))
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                return ~self.mask(operand)
            case ast.Compare(left=left, ops=ops, comparators=others):
                pairs = zip([left, *others], ops, others, strict=False)
                return reduce(operator.and_, (self.comparison(one, how, other) for one, how, other in pairs))
            case ast.Name():
                return self.flags(node)
            case _:
                raise not_understood(node)

    def flags(self, node: ast.Name) -> Bools:
        """A column of True and False; a missing one is False."""
        column = self.column(node)
        if not all(isinstance(value, bool | np.bool_) for value in column[column.notna()]):
            raise UsageError(f"filter: column {hints.quoted(column.name)} holds no flags; compare it with a value")
        return column.fillna(False).to_numpy(bool)

    def comparison(self, left: ast.expr, how: ast.cmpop, right: ast.expr) -> Bools:
        """One comparison of a column with a value, whichever stands first."""
        if isinstance(how, ast.NotIn | ast.NotEq | ast.IsNot):
            opposite = {ast.NotIn: ast.In(), ast.NotEq: ast.Eq(), ast.IsNot: ast.Is()}[type(how)]
            return ~self.comparison(left, opposite, right)
        if isinstance(how, ast.In):
            if isinstance(right, ast.Name):
                return has_word(self.column(right), value_of(left))
            return reduce(operator.or_, (equal(self.column(left), value) for value in values_of(right)), self.nothing())
        if not isinstance(left, ast.Name):
            left, how, right = right, MIRRORED.get(type(how), how), left
        column = self.column(left)
        if isinstance(how, ast.Is | ast.Eq):
            return equal(column, value_of(right))
        return in_order(column, ORDERS[type(how)], value_of(right))

    def nothing(self) -> Bools:
        """No row (R,)."""
        return np.zeros(len(self.table), bool)

    def column(self, node: ast.expr) -> Column:
        """The column that is named. Raises UsageError where there is none."""
        if not isinstance(node, ast.Name):
            raise not_understood(node)
        name = self.names.get(node.id, node.id)
        if name not in self.table.columns:
            raise UsageError(
                f"filter: no column {hints.quoted(name)} of items; {hints.did_you_mean(name, map(str, self.table.columns))}"
            )
        return self.table[name]


def not_understood(node: ast.AST) -> UsageError:
    """What is said of all that the grammar has no place for."""
    return UsageError(f"filter: {hints.quoted(ast.unparse(node))} is not understood; {GRAMMAR}")


def value_of(node: ast.expr) -> Any:
    """A number, a text, True, False or None."""
    match node:
        case ast.Constant(value=value) if value is None or isinstance(value, bool | int | float | str):
            return value
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float() as value)):
            return -value
        case _:
            raise not_understood(node)


def values_of(node: ast.expr) -> list[Any]:
    """The values of a list."""
    if not isinstance(node, ast.List | ast.Tuple | ast.Set):
        raise not_understood(node)
    return [value_of(value) for value in node.elts]


def equal(column: Column, value: Any) -> Bools:
    """Where a column has a value; None asks where it has none."""
    missing = column.isna().to_numpy(bool)
    if value is None:
        return missing
    cells, value = comparable(column[~missing], value)
    found = np.zeros(len(column), bool)
    found[~missing] = [bool(cell == value) for cell in cells] if cells.dtype == object else cells == value
    return found


def in_order(column: Column, order: Callable[[Any, Any], Any], value: Any) -> Bools:
    """Where a column stands so to a value."""
    missing = column.isna().to_numpy(bool)
    cells, value = comparable(column[~missing], value)
    found = np.zeros(len(column), bool)
    try:
        found[~missing] = [bool(order(cell, value)) for cell in cells] if cells.dtype == object else order(cells, value)
    except TypeError:
        raise mismatch(column, value) from None
    return found


def comparable(column: Column, value: Any) -> tuple[NDArray[Any], Any]:
    """The cells of a column without gaps, and a value of their type. Raises UsageError where it is of another."""
    if types.is_datetime64_any_dtype(column.dtype):
        return dates(column), date(value, column)
    if types.is_numeric_dtype(column.dtype) and not types.is_complex_dtype(column.dtype):
        if isinstance(value, bool | int | float):
            return column.to_numpy(), value
        raise mismatch(column, value)
    cells = column.to_numpy(object)
    if isinstance(value, str) != all(isinstance(cell, str) for cell in cells) and len(cells):
        raise mismatch(column, value)
    return cells, value


def dates(column: Column) -> NDArray[Any]:
    """Stamps without a zone, those with one in UTC."""
    zoned = column.dt.tz is not None
    return (column.dt.tz_convert("UTC").dt.tz_localize(None) if zoned else column).to_numpy("datetime64[ns]")


def date(value: Any, column: Column) -> Any:
    """A stamp from text. Raises UsageError where it is none."""
    stamps = pd.to_datetime(pd.Series([value if isinstance(value, str) else None]), errors="coerce", utc=True)
    if stamps.isna().any():
        raise UsageError(
            f"filter: column {hints.quoted(column.name)} holds times, {hints.quoted(value)} is none; write '2024-01-31'"
        )
    return dates(stamps)[0]


def mismatch(column: Column, value: Any) -> UsageError:
    """What is said of a value of another type than its column."""
    first = next(iter(column[column.notna()].tolist()), None)
    kinds = f"holds {hints.quoted(first)} ({type(first).__name__}), and is compared with {hints.quoted(value)} ({type(value).__name__})"
    return UsageError(f"filter: column {hints.quoted(column.name)} {kinds}; give a value of its type")


def has_word(column: Column, word: Any) -> Bools:
    """Where a value is one of the words of a cell, or of its list."""
    if types.is_numeric_dtype(column.dtype) or types.is_datetime64_any_dtype(column.dtype):
        raise mismatch(column, word)
    return np.fromiter((word in words_of(cell) for cell in column), bool, len(column))


def words_of(cell: Any) -> list[Any]:
    """The words between "|" of a text, the values of a list, nothing of anything else."""
    if isinstance(cell, str):
        return [word.strip() for word in cell.split(SEPARATOR)]
    return list(cell) if isinstance(cell, Iterable) else []
