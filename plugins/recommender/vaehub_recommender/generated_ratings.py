"""Generated ratings of films by viewers of a few tastes, with names that a person can read: for the demo and for tests, not a benchmark."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[Any]

GENRES = ("Noir", "Heist", "Crime", "Romance", "Musical", "Fantasy", "Space", "Disaster", "Horror", "Samurai", "Western", "War")
SKEW = 0.9  # popularity of the n-th film of a genre: n to the power of -SKEW
STRAY = 0.12  # share of what a viewer sees outside of the own tastes
FIRST_DAY = pd.Timestamp(2024, 1, 1)
DAYS = 365


def ratings(viewers: int = 2400, films: int = 30, seed: int = 0) -> pd.DataFrame:
    """What generated viewers think of generated films, in the order of viewers and time.

    Arguments:
        viewers: how many there are.
        films: of each of the twelve genres.
        seed: of all draws.

    Returns:
        A frame with user, item, rating (1 to 5) and time: a row for each film that a viewer saw.

    Example:
        >>> ratings(viewers=3, films=2).columns.tolist()
        ['user', 'item', 'rating', 'time']
    """
    rng = np.random.default_rng(seed)
    tastes = drawn_tastes(viewers, rng)
    chances = film_chances(tastes, films)
    rows, columns = draw_seen(chances, films, rng)
    likes = rng.random(len(rows)) < np.where(tastes[rows, columns // films] > STRAY, 0.85, 0.3)
    return pd.DataFrame(
        {
            "user": np.array([f"viewer {n:04}" for n in range(1, viewers + 1)])[rows],
            "item": film_names(films)[columns],
            "rating": np.where(likes, rng.integers(4, 6, len(rows)), rng.integers(1, 4, len(rows))),
            "time": FIRST_DAY + pd.to_timedelta(days(rows, rng) * 86400 // 1, "s"),
        }
    )


def film_names(films: int) -> NDArray[Any]:
    """Noir film 01, Noir film 02, …"""
    return np.array([f"{genre} film {n:02}" for genre in GENRES for n in range(1, films + 1)])


def drawn_tastes(viewers: int, rng: np.random.Generator) -> Floats:
    """How much each viewer likes each genre (U, G), rows sum to 1: one to three genres, neighbours in the list more often than others."""
    size = len(GENRES)
    first = rng.choice(size, viewers, p=power_law(size))
    near = (first + rng.choice([-1, 1], viewers)) % size
    chosen = np.stack([first, near, rng.integers(0, size, viewers)], 1)
    weight = rng.dirichlet([3, 1.5, 0.7], viewers)
    tastes = np.zeros((viewers, size))
    np.add.at(tastes, (np.arange(viewers)[:, None], chosen), weight)
    return tastes


def film_chances(tastes: Floats, films: int) -> Floats:
    """The chance of each film to be the next that a viewer sees (U, I): by taste and, within a genre, by popularity."""
    genre = (1 - STRAY) * tastes + STRAY * power_law(len(GENRES))
    return (genre[:, :, None] * power_law(films)).reshape(len(tastes), -1)


def power_law(n: int) -> Floats:
    """Chances of n things that fall by a power law."""
    weight = np.arange(1, n + 1) ** -SKEW
    chances: Floats = weight / weight.sum()
    return chances


def draw_seen(chances: Floats, films: int, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Rows and columns of what is seen, without repetition: the greatest of log chance + Gumbel noise, as many as the viewer has patience for."""
    count = np.clip(rng.lognormal(3.4, 0.5, len(chances)), 10, films * 4).astype(int)
    order = np.argsort(-(np.log(chances) + rng.gumbel(size=chances.shape)), 1)
    kept = np.arange(chances.shape[1]) < count[:, None]
    return np.nonzero(kept)[0], order[kept]


def days(rows: Floats, rng: np.random.Generator) -> Floats:
    """When each row was seen, in days from the first, rising within a viewer."""
    when = rng.random(len(rows)) * DAYS
    return when[np.lexsort([when, rows])]
