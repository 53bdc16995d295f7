"""Columns of text as what they mean, and Arrow's columns as those of pandas: the same types from every kind of file."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as pat

# words that mean "missing" in many tables
MISSING_WORDS = (
    "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN", "<NA>", "N/A", "NA", "NULL", "NaN",
    "None", "n/a", "nan", "null",
)  # fmt: skip

FLAG = r"^(?i:true|false)$"
PADDED = r"^[+-]?0[0-9]+$"  # a zip code or a station, not a number
WHOLE = r"^[+-]?[0-9]+$"
PRINTED = r"^(0|-?[1-9][0-9]{0,17})$"  # whole numbers that are written in the one way in which they are printed
POINTED = PRINTED.replace("$", r"\.0$")  # in a column of floats
REAL = r"^[+-]?(?i:[0-9]+(?:\.[0-9]*)?(?:e[+-]?[0-9]+)?|\.[0-9]+(?:e[+-]?[0-9]+)?|inf|infinity|nan)$"
REALS = {".": REAL, ",": REAL.replace(r"\.", ",")}  # by the decimal mark
THOUSANDS = {".": r"^[+-]?[0-9]{1,3}(?:\.[0-9]{3})+$", ",": r"^[+-]?[0-9]{1,3}(?:,[0-9]{3})+$"}  # 12,500 may be 12500
GAPPED = {
    pa.int8(): pd.Int8Dtype(), pa.int16(): pd.Int16Dtype(), pa.int32(): pd.Int32Dtype(), pa.int64(): pd.Int64Dtype(),
    pa.uint8(): pd.UInt8Dtype(), pa.uint16(): pd.UInt16Dtype(), pa.uint32(): pd.UInt32Dtype(), pa.uint64(): pd.UInt64Dtype(),
    pa.bool_(): pd.BooleanDtype(),
}  # fmt: skip


def as_values(column: Any, decimals: str = ".") -> pd.Series[Any]:
    """Text as flags, whole numbers (any of 64 bits, with gaps too) or numbers where all of it is, else as it stands.

    A column of whole numbers of which one is padded (007) is text, as is one with a number too large for 64 bits.

    Arguments:
        column: Arrow strings (R,).
        decimals: the decimal marks to try, the first also where it may part thousands.

    >>> as_values(pa.array(["7", None])).tolist(), as_values(pa.array(["007", "8"])).tolist()
    ([7, <NA>], ['007', '8'])
    """
    if column.null_count == len(column):
        return pd.Series(np.full(len(column), np.nan))
    if all_match(column, FLAG):
        return as_pandas(pc.equal(pc.utf8_lower(column), "true"))
    trimmed = blank_is_missing(pc.utf8_trim_whitespace(column))
    if any_match(trimmed, PADDED):
        return as_pandas(column)
    if all_match(trimmed, WHOLE):
        tries = (cast(trimmed, kind) for kind in (pa.int64(), pa.uint64()))
    else:
        tries = (
            cast(pc.replace_substring(trimmed, mark, "."), pa.float64())
            for mark in decimals
            if all_match(trimmed, REALS[mark]) and (mark == decimals[0] or not any_match(trimmed, THOUSANDS[mark]))
        )
    return as_pandas(next((found for found in tries if found is not None), column))


def as_ids(column: Any) -> pd.Series[Any]:
    """Text as identifiers: whole numbers where all cells are there and are written as those are printed (all 7 or all 7.0), else as it stands.

    Arguments:
        column: Arrow strings (R,).

    >>> as_ids(pa.array(["7", "8"])).tolist(), as_ids(pa.array(["+7", "8"])).tolist()
    ([7, 8], ['+7', '8'])
    """
    return as_pandas(as_whole(column) if whole_numbers(column) and not column.null_count else column)


def as_whole(column: Any) -> Any:
    """Text of `whole_numbers` as int64, still of Arrow.

    Arguments:
        column: Arrow strings (R,).

    >>> as_whole(pa.array(["7.0", None])).to_pylist()
    [7, None]
    """
    return pc.replace_substring_regex(column, r"\.0$", "").cast(pa.int64())


def whole_numbers(column: Any) -> bool:
    """Whether all cells that are there are whole numbers as they are printed, or as floats are: nothing is lost where they are read as such.

    Arguments:
        column: Arrow strings (R,).

    >>> whole_numbers(pa.array(["7", None])), whole_numbers(pa.array(["007"]))
    (True, False)
    """
    return all_match(column, PRINTED) or all_match(column, POINTED)


def as_pandas(column: Any) -> pd.Series[Any]:
    """An Arrow column as one of pandas: whole numbers and flags with gaps in a nullable dtype.

    Arguments:
        column: of Arrow (R,).

    >>> as_pandas(pa.array([7, None])).dtype, as_pandas(pa.array([7, 8])).dtype
    (Int64Dtype(), dtype('int64'))
    """
    nullable = GAPPED.get(column.type) if column.null_count else None
    return pd.Series(column.to_pandas() if nullable is None else column.to_pandas(types_mapper={column.type: nullable}.get))


def restored(table: pa.Table) -> pd.DataFrame:
    """A table of Arrow as pandas wrote it, index included; whole numbers and flags with gaps in nullable dtypes."""
    frame: pd.DataFrame = table.to_pandas()
    for name in frame.columns:
        column = table.column(name) if isinstance(name, str) and table.schema.names.count(name) == 1 else None
        if column is not None and column.null_count and column.type in GAPPED and isinstance(frame[name].dtype, np.dtype):
            frame[name] = as_pandas(column).set_axis(frame.index)
    return frame


def blank_is_missing(column: Any) -> Any:
    """Text with no empty cell."""
    return pc.if_else(pc.equal(column, ""), None, column)


def cast(column: Any, kind: Any) -> Any:
    """Text as numbers; None where one of them is none of this kind."""
    try:
        return pc.replace_substring_regex(column, r"^\+", "").cast(kind)
    except pa.ArrowInvalid:
        return None


def all_match(column: Any, pattern: str) -> bool:
    """Whether all cells that are there match."""
    return bool(pc.all(pc.match_substring_regex(column, pattern), min_count=0).as_py())


def any_match(column: Any, pattern: str) -> bool:
    """Whether a cell matches."""
    return bool(pc.any(pc.match_substring_regex(column, pattern), min_count=0).as_py())


def is_text(kind: Any) -> bool:
    """Whether cells of this Arrow type are text."""
    return bool(pat.is_string(kind) or pat.is_large_string(kind))
