"""Tables from and to files: text in any dialect, Excel, Parquet and Feather."""

from vaehub_timeseries.files.dialect import Dialect, Header, Overrides
from vaehub_timeseries.files.read import SUFFIXES, find_dialect, read_table
from vaehub_timeseries.files.write import write_table

__all__ = ["SUFFIXES", "Dialect", "Header", "Overrides", "find_dialect", "read_table", "write_table"]
