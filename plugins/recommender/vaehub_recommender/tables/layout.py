"""How a text of interactions is laid out: what parts its cells, whether it begins with names, and in which encoding it is."""

from __future__ import annotations

import codecs
import re
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import final

from vaehub import UsageError, files

SEPARATORS = (*",;\t|", "::")
TYPE = re.compile(r":(token|token_seq|float|float_seq)$")  # behind the names in RecBole's atomic files: user_id:token


@final
@dataclass(frozen=True)
class Layout:
    r"""Options of a text; what is None is found out by its first hundreds of rows.

    Files of RecBole (`user_id:token`), of MovieLens (`1::1193::5::978300760`) and those without names are read so.

    Arguments:
        sep: between cells: one character or several, such as "::"; " " is any run of spaces.
        header: whether the first line holds the names of the columns.
        encoding: of the text, such as "latin-1" or "utf-16".

    Raises:
        UsageError: an encoding that does not exist, or an empty separator.

    Example:
        >>> from tempfile import TemporaryDirectory
        >>> with TemporaryDirectory() as folder:
        ...     path = Path(folder, "ratings.inter")
        ...     _ = path.write_text("user_id:token\titem_id:token\n1\t7\n")
        ...     Layout().dialect(path).names
        ['user_id', 'item_id']
    """

    sep: str | None = None
    header: bool | None = None
    encoding: str | None = None

    def __post_init__(self) -> None:
        if self.sep == "":
            raise UsageError("sep='': cells are parted by something; give it, such as sep='::'")
        try:
            codecs.lookup(self.encoding or "utf-8")
        except LookupError:
            raise UsageError(f"encoding={self.encoding!r}: no such encoding; give one such as utf-8, utf-16 or latin-1") from None

    def dialect(self, path: Path) -> files.Dialect:
        """How a file is written. Raises UsageError that names the file, and for bytes that are no text in that encoding."""
        try:
            found = files.find_dialect(path, SEPARATORS if self.sep is None else [self.sep], self.header, self.encoding)
        except UsageError as error:
            if isinstance(error.__cause__, ValueError):
                raise UsageError(f"{error}; or name its encoding: encoding=latin-1, utf-16 or another") from error
            raise
        if found.named and self.header is None and found.names and all(name.isdecimal() for name in found.names):
            warnings.warn(
                f"{path}: its first line ({', '.join(found.names[:4])}) is taken for names; if it is a row, say header=false",
                UserWarning,
                stacklevel=4,
            )
        return found._replace(names=[TYPE.sub("", name) for name in found.names] if found.named else found.names)
