"""Tables from files, whole or a piece at a time."""

from __future__ import annotations

import csv
import io
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, TextIO, final

import pandas as pd
import pyarrow as pa
import pyarrow.csv as pacsv

from vaehub.errors import UsageError
from vaehub.files.guard import guarded, most_in_memory, regular_file
from vaehub.files.tables.columnar import batches_of, cells_of, dataset_of
from vaehub.files.tables.dialect import SEPARATORS, UNIT, Dialect, Row, dialect_of, rows_of, starts_with_row
from vaehub.files.tables.names import COLUMNAR, JSON_LINES, SUFFIXES, suffix_of
from vaehub.files.tables.text import Chunks, by_lines, open_text, tabbed
from vaehub.files.tables.values import as_ids, as_pandas, as_values, restored
from vaehub.hints import did_you_mean

MAX_BYTES = 32 << 30  # of a text, unpacked, and of a table in memory
BLOCK = 1 << 20  # bytes of a text that are read at once, some of them ahead; rows are shorter
CHUNK_ROWS = 1 << 17  # that are read at once
REMEDY = "mend it or write it anew"


class Table(ABC):
    """A table in a file: path, names of its columns, and its rows a piece at a time."""

    typed: bool  # whether cells come with types; else all are text
    named = True  # whether the file says what its columns are called; else their names count on from 0

    def __init__(self, path: Path, names: list[str]) -> None:
        self.path, self.names = path, names

    @abstractmethod
    def batches(self, columns: Sequence[str] | None = None, rows: int = CHUNK_ROWS) -> Iterator[pa.RecordBatch]:
        """The rows a piece at a time; memory does not grow with the file.

        Arguments:
            columns: names of those to read; None: all.
            rows: at most, in a piece.

        Raises:
            UsageError: a column is not there, or the file is damaged.
        """

    @abstractmethod
    def rows(self) -> Iterator[Row]:
        """Every row, whatever its width, with the number of the line on which it ends, or of the row where there are no lines. Raises UsageError."""

    @abstractmethod
    def kind(self, column: str) -> Any:
        """The Arrow type of a column."""

    @abstractmethod
    def values(self, column: Any) -> pd.Series[Any]:
        """A column of a batch or of all of them, as what it means (R,)."""

    @abstractmethod
    def ids(self, column: Any) -> pd.Series[Any]:
        """The same as identifiers: text is taken for whole numbers only where it is written as those are printed."""

    def frame(self, columns: Sequence[str] | None = None, ids: Sequence[str] = (), index: bool = False) -> pd.DataFrame:
        """All rows.

        Arguments: columns: which, by default all; ids: those of them that are identifiers; index: put back the index that was written
        with all of the columns: what pandas noted in Parquet, the unnamed first column of a text.
        Raises: UsageError that names the file, and the line or the column.
        """
        names = self.chosen(columns)
        with guarded(self.path, REMEDY):
            table = self._whole(names) if columns else self._without_blanks(self._whole(names))
            if index and columns is None:
                return self._with_index(table)
            parts = {name: (self.ids if name in ids else self.values)(table[name]) for name in table.column_names}
            return pd.DataFrame(parts, pd.RangeIndex(table.num_rows))

    def chosen(self, columns: Sequence[str] | None) -> list[str]:
        """These columns, or all. Raises UsageError for one that is absent or there twice."""
        names = list(self.names if columns is None else columns)
        for name in names:
            if (times := self.names.count(name)) != 1:
                what = f"there {times} times; rename all but one" if times else f"absent; {did_you_mean(name, self.names[:50])}"
                raise UsageError(f"{self.path}: column {name!r} is {what}")
        return names

    def _whole(self, names: list[str]) -> pa.Table:
        """All rows of some columns, no more than memory may hold."""
        parts, size, most = [], 0, most_in_memory(MAX_BYTES)
        for batch in self.batches(names):
            parts.append(batch)
            size += max(batch.nbytes, 8 * batch.num_rows * batch.num_columns)
            if size > most:
                raise UsageError(f"more than {most:,} bytes in memory; split it")
        return pa.Table.from_batches(parts) if parts else self._empty(names)

    def _without_blanks(self, table: pa.Table) -> pa.Table:
        """Without columns that mean nothing."""
        return table

    @abstractmethod
    def _with_index(self, table: pa.Table) -> pd.DataFrame: ...

    @abstractmethod
    def _empty(self, names: list[str]) -> pa.Table: ...


@final
class TextTable(Table):
    """A table of text: cells as they stand there, blank ones and those that say so missing."""

    typed = False

    def __init__(
        self, path: Path, missing: Sequence[str], limit: int, nameless: bool = False, dialect: Dialect | None = None
    ) -> None:
        self.limit, self.missing = limit, missing
        if dialect is None:
            with guarded(path, REMEDY), open_text(path, limit) as file:
                dialect = dialect_of(file, nameless)
        self.dialect = dialect
        self.named = self.dialect.named
        super().__init__(path, self.dialect.names)

    def batches(self, columns: Sequence[str] | None = None, rows: int = CHUNK_ROWS) -> Iterator[pa.RecordBatch]:
        """Columns of strings."""
        names = self.chosen(columns)
        if not self.names:
            raise UsageError(f"{self.path}: is empty; give a table with a line of names")
        places = [str(self.names.index(name)) for name in names]  # their names may be odd, or there twice
        with guarded(self.path, REMEDY), self._body() as file:
            if not file.peek(1):
                return
            try:
                last = None
                for block in self._blocks(file, places):
                    last = block if block.num_rows else last
                    for start in range(0, block.num_rows, rows):
                        yield block.slice(start, rows).rename_columns(names)
            except pa.ArrowInvalid as error:
                raise self._complaint(error) from error
        if last is not None and str(last.columns[-1][-1]).endswith("\n"):
            self._require_closed()

    def rows(self) -> Iterator[Row]:
        """Every row below the names, whatever its width, with the number of the line on which it ends. Raises UsageError."""
        cells: list[str] = []
        with guarded(self.path, REMEDY):
            for number, cells in self._rows():
                yield number, cells
        if cells and cells[-1].endswith("\n"):
            self._require_closed()

    def kind(self, column: str) -> Any:
        """Text."""
        return pa.string()

    def values(self, column: Any) -> pd.Series[Any]:
        """Flags and numbers where all cells are, with the decimal mark of the file."""
        return as_values(column, self.dialect.decimals)

    def ids(self, column: Any) -> pd.Series[Any]:
        """Whole numbers that are written as they are printed, or text."""
        return as_ids(column)

    def _body(self) -> io.BufferedReader:
        """The text from the line of names on, its cells parted by a single character."""
        file = open_text(self.path, self.limit, self.dialect.encoding)
        file.read(self.dialect.skip)
        separator = self.dialect.separator
        if separator == " ":
            return io.BufferedReader(Chunks(by_lines(file, tabbed)))
        if len(separator) > 1:
            return io.BufferedReader(Chunks(by_lines(file, lambda lines: lines.replace(separator.encode(), UNIT.encode()))))
        return file

    @property
    def _separator(self) -> str:
        """Between the cells of the body."""
        separator = self.dialect.separator
        return "\t" if separator == " " else UNIT if len(separator) > 1 else separator

    def _blocks(self, file: Any, places: list[str]) -> Any:
        """The rows as Arrow reads them; the line of names is read as a row and passed over, for it may have any names."""
        kinds = {str(place): pa.string() for place in range(len(self.names))}
        return pacsv.open_csv(
            file,
            pacsv.ReadOptions(column_names=list(kinds), skip_rows_after_names=int(self.named), block_size=BLOCK),
            pacsv.ParseOptions(delimiter=self._separator, newlines_in_values=True, ignore_empty_lines=len(kinds) > 1),
            pacsv.ConvertOptions(
                include_columns=places, column_types=kinds, strings_can_be_null=True, null_values=["", *self.missing]
            ),
        )

    def _rows(self, strict: bool = False) -> Iterator[Row]:
        """The rows as Python reads them: slower, with the numbers of their lines."""
        with self._body() as file:
            text = io.TextIOWrapper(file, "utf-8", newline="")
            rows = rows_of(lines_of(text), self._separator, strict)
            for number, cells in islice(rows, int(self.named), None):
                yield self.dialect.lines + number, cells

    def _complaint(self, error: pa.ArrowInvalid) -> UsageError | pa.ArrowInvalid:
        """What is wrong with the rows, with the line where one is of another width."""
        if "straddling" in str(error):
            self._require_closed()
            return UsageError(f"{self.path}: has a row of more than {BLOCK:,} bytes; split it, or give the table as Parquet")
        width = len(self.names)
        torn = next(((number, cells) for number, cells in self._rows() if len(cells) != width), None)
        if torn is None:
            return error
        return UsageError(f"{self.path}: line {torn[0]}: {len(torn[1])} cells where the first line has {width}; {REMEDY}")

    def _require_closed(self) -> None:
        """Raise UsageError where the file ends within quotes, so that all behind them was taken for one cell."""
        last = 1
        try:
            for number, _ in self._rows(strict=True):
                last = number
        except csv.Error as error:
            raise UsageError(f"{self.path}: below line {last}: {error}; is there a quote that is never closed?") from error

    def _without_blanks(self, table: pa.Table) -> pa.Table:
        """Without the empty columns that separators at the end of every line make."""
        names = [name for name in table.column_names if not name.startswith("Unnamed: ") or table[name].null_count < len(table)]
        return table.select(names or table.column_names)

    def _with_index(self, table: pa.Table) -> pd.DataFrame:
        frame = pd.DataFrame({name: self.values(table[name]) for name in table.column_names}, pd.RangeIndex(table.num_rows))
        first = frame.columns[0]
        return frame.set_index(first).rename_axis(None) if first == "Unnamed: 0" and frame.shape[1] > 1 else frame

    def _empty(self, names: list[str]) -> pa.Table:
        return pa.table({name: pa.array([], pa.string()) for name in names})


@final
class ColumnarTable(Table):
    """A table whose columns have types: Parquet or Feather."""

    typed = True

    def __init__(self, path: Path, limit: int) -> None:
        self.dataset = dataset_of(path, limit)
        with guarded(path, REMEDY):  # a damaged name is no text
            names = self.dataset.schema.names
        super().__init__(path, names)

    def batches(self, columns: Sequence[str] | None = None, rows: int = CHUNK_ROWS) -> Iterator[pa.RecordBatch]:
        """Columns as they were written."""
        return batches_of(self.dataset, self.path, self.chosen(columns), rows)

    def rows(self) -> Iterator[Row]:
        """The rows, numbered from 1."""
        number = 0
        for batch in self.batches():
            for cells in zip(*batch.columns, strict=True):
                number += 1
                yield number, [cell.as_py() for cell in cells]

    def kind(self, column: str) -> Any:
        """As it was written."""
        return self.dataset.schema.field(column).type

    def values(self, column: Any) -> pd.Series[Any]:
        """As they were written."""
        return as_pandas(column)

    def ids(self, column: Any) -> pd.Series[Any]:
        """As they were written."""
        return as_pandas(column)

    def _whole(self, names: list[str]) -> pa.Table:
        cells, most = cells_of(self.dataset, self.path, len(names)), most_in_memory(MAX_BYTES)
        if 8 * cells > most:
            raise UsageError(f"{cells:,} cells, more than {most:,} bytes in memory; split it")
        return super()._whole(names)

    def _with_index(self, table: pa.Table) -> pd.DataFrame:
        return restored(table.replace_schema_metadata(self.dataset.schema.metadata))

    def _empty(self, names: list[str]) -> pa.Table:
        return self.dataset.schema.empty_table().select(names)


def open_table(
    path: Path | str,
    missing: Sequence[str] = (),
    limit: int = MAX_BYTES,
    nameless: bool = False,
    dialect: Dialect | None = None,
    known: Sequence[str] = SUFFIXES,
) -> Table:
    r"""A table in a .csv, .tsv, .txt, .parquet, .feather or .arrow file, each also .gz, or in a folder of .parquet files.

    Text may be UTF-8 or UTF-16 with a byte order mark, or Windows-1252 (with a warning), its lines end as they like, its cells are parted
    by commas, semicolons, tabs or bars.

    Arguments:
        path: of the file or folder.
        missing: text that means missing, beside blank cells.
        limit: most bytes of the file, unpacked.
        nameless: a text may begin with a row of numbers, and its columns are then called 0, 1, 2, ….
        dialect: how a text is written; found out, if not given.
        known: the suffixes that count; those that are neither typed tables nor .jsonl are of texts.

    Raises:
        UsageError: one line that names the file: unknown suffix, no ordinary file, too large, damaged, no line of names.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = Path(folder, "x.csv").write_text("id;x\n007;3,5\n")
    ...     table = open_table(f"{folder}/x.csv")
    ...     [batch.to_pydict() for batch in table.batches(["id"])]
    [{'id': ['007']}]
    """
    path = Path(path)
    if path.is_dir():
        return ColumnarTable(path, limit)
    typed = suffix_of(path, known).startswith((*COLUMNAR, JSON_LINES))
    regular_file(path, limit)
    return ColumnarTable(path, limit) if typed else TextTable(path, missing, limit, nameless, dialect)


def find_dialect(
    path: Path | str,
    separators: Sequence[str] = SEPARATORS,
    named: bool | None = None,
    encoding: str | None = None,
    limit: int = MAX_BYTES,
) -> Dialect:
    r"""How a text table is written, by its first hundreds of rows.

    Without a line of names its columns are called 0, 1, 2, …; it has none where a column holds a number in the first line as in all others.

    Arguments:
        path: of the file.
        separators: those to choose from, of one character or several; " " is any run of spaces.
        named: whether the first line holds names; found out, if None.
        encoding: of the text; found out, if None.
        limit: most bytes of the file, unpacked.

    Raises:
        UsageError: names the file, which is none, too large or no text.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = Path(folder, "x.dat").write_text("1::ann::5\n2::bob::4\n")
    ...     find_dialect(f"{folder}/x.dat", [",", "::"])[:2]
    (['0', '1', '2'], '::')
    """
    path = Path(path)
    with guarded(path, REMEDY), open_text(path, limit, encoding) as file:
        is_row = starts_with_row if named is None else lambda _: not named
        return dialect_of(file, True, separators, is_row)._replace(encoding=encoding)


def read_table(path: Path | str, missing: Sequence[str] = (), index: bool = False) -> pd.DataFrame:
    r"""All columns of a table as a frame; numbers and flags have the same dtypes from text and from Parquet.

    Arguments:
        path: of the file or folder, as for `open_table`.
        missing: text that means missing, beside blank cells.
        index: put back the index that was written.

    Raises:
        UsageError: as `open_table` does.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = Path(folder, "x.csv").write_text("id,x\n007,3.5\n")
    ...     read_table(f"{folder}/x.csv").to_dict("list")
    {'id': ['007'], 'x': [3.5]}
    """
    return open_table(path, missing).frame(index=index)


def lines_of(file: TextIO) -> Iterator[str]:
    """The lines of a text. Raises ValueError for one that is longer than a row may be."""
    while line := file.readline(BLOCK):
        if len(line) == BLOCK and not line.endswith(("\n", "\r")):
            raise ValueError(f"a line of more than {BLOCK:,} characters; is this a table?")
        yield line
