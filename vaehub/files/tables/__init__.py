"""Tables from and to files, for the engine and all plugins: .csv, .tsv, .txt, .parquet, .feather, .arrow, each also .gz, in any case."""

from vaehub.files.tables.dialect import Dialect
from vaehub.files.tables.names import SUFFIXES, check_output, matched_suffix, suffix_of
from vaehub.files.tables.reading import CHUNK_ROWS, Table, find_dialect, open_table, read_table
from vaehub.files.tables.text import read_lines
from vaehub.files.tables.values import MISSING_WORDS, as_ids, as_pandas, as_values, as_whole, whole_numbers
from vaehub.files.tables.writing import write_table

__all__ = [
    "CHUNK_ROWS",
    "MISSING_WORDS",
    "SUFFIXES",
    "Dialect",
    "Table",
    "as_ids",
    "as_pandas",
    "as_values",
    "as_whole",
    "check_output",
    "find_dialect",
    "matched_suffix",
    "open_table",
    "read_lines",
    "read_table",
    "suffix_of",
    "whole_numbers",
    "write_table",
]
