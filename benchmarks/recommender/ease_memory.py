"""Bytes for each pair of items at the peak of fitting EASE, above what the process had before, and CPU seconds."""

from __future__ import annotations

import argparse
import os

import numpy as np
from measure import clocks, high_water, row, table
from shapes import Shape, histories

from vaehub import Spec
from vaehub_recommender.parts.ease import Ease
from vaehub_recommender.parts.implicit import ImplicitMultinomial


def measure(items: int) -> tuple[float, float]:
    """Bytes a pair, and CPU seconds."""
    rows = histories(Shape(5_000, items, 40.0))
    before, started = high_water(os.getpid()), clocks()
    Ease(Spec((items,), cond=items), 1, ImplicitMultinomial(Spec((items,))), base=None).learn(rows)
    return (high_water(os.getpid()) - before) / items**2, float((clocks() - started)[1])


def main() -> None:
    """A row for every size, the smallest first, as a peak hides all below it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--items", type=int, nargs="*", default=[2_000, 4_000, 6_000])
    table("items", "bytes / items²", "CPU s")
    for items in np.sort(parser.parse_args().items).tolist():
        row(items, *measure(items))


if __name__ == "__main__":
    main()
