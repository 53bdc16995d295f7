"""Items by their vectors, in files of their own: which have the greatest inner product with a user's vector?

Letters of shapes: B users, I items, D numbers of a vector.
"""

from __future__ import annotations

import importlib
import json
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any, ClassVar, final

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor

from vaehub import UsageError, arguments, files
from vaehub_recommender.rank import top
from vaehub_recommender.scores import LinearScores
from vaehub_recommender.tables import Ids

FORMAT = "vaehub-index/1"
REMEDY = "export it again"
ABOUT, EXACT, FAISS = "items.json", "vectors.safetensors", "vectors.faiss"
NEIGHBOURS, DEPTH = 32, 256  # of the graph of `faiss`: links of an item, and candidates that are looked at

Found = tuple[NDArray[np.float32], NDArray[np.int64]]


class ItemIndex(ABC):
    """Vectors of items and their ids; `Recommender.export_index` writes one, `load_index` reads it.

    Arguments:
        items: the ids.
    """

    kind: ClassVar[str]

    def __init__(self, items: Ids) -> None:
        self.items = items

    def search(self, vectors: pd.DataFrame, k: int = 10) -> pd.DataFrame:
        """The k items with the greatest inner products.

        Arguments:
            vectors: (B, D) of users, as `Recommender.user_vectors` gives them.
            k: how many for each; what a user has already is among them.

        Returns:
            A frame with user, item, rank (from 1) and score, the inner product.

        Raises:
            UsageError: vectors of another model.
        """
        if not isinstance(vectors, pd.DataFrame):
            raise arguments.wrong_argument("vectors", vectors, "a DataFrame, as Recommender.user_vectors gives it")
        queries = np.array(vectors, np.float32, order="C")
        if queries.shape[1] != self.width:
            raise UsageError(
                f"vectors of {queries.shape[1]:,} numbers: those of this index have {self.width:,}; take both from one model"
            )
        scores, items = self.best(queries, min(arguments.at_least(1)("k", k), len(self.items)))
        row, place = np.nonzero(items >= 0)
        found = {
            "user": vectors.index.take(row),
            "item": self.items.take(items[row, place]),
            "rank": place + 1,
            "score": scores[row, place],
        }
        return pd.DataFrame(found)

    @property
    @abstractmethod
    def width(self) -> int:
        """D."""

    @abstractmethod
    def best(self, queries: NDArray[np.float32], k: int) -> Found:
        """Scores and positions (B, k) of the best items for queries (B, D), -1 where there are fewer."""

    @abstractmethod
    def write(self, folder: Path) -> None:
        """Write the vectors to a folder."""

    @staticmethod
    @abstractmethod
    def of(items: Ids, vectors: NDArray[np.float32]) -> ItemIndex:
        """An index of vectors (I, D)."""

    @staticmethod
    @abstractmethod
    def read(items: Ids, folder: Path) -> ItemIndex:
        """What `write` wrote."""


@final
class ExactIndex(ItemIndex):
    """Vectors (I, D) that are all compared, a block at a time: the list is that of the model.

    Example:
        >>> index = ExactIndex(Ids.of(["a", "b"]), torch.tensor([[1.0, 0.0], [0.0, 2.0]]))
        >>> index.search(pd.DataFrame([[1.0, 1.0]], index=["ann"]), k=1)[["user", "item", "score"]].values.tolist()
        [['ann', 'b', 2.0]]
    """

    kind = "exact"

    def __init__(self, items: Ids, vectors: Tensor) -> None:
        super().__init__(items)
        self.vectors = vectors

    @staticmethod
    def of(items: Ids, vectors: NDArray[np.float32]) -> ExactIndex:
        """The vectors (I, D) as they are."""
        return ExactIndex(items, torch.from_numpy(vectors))

    @property
    def width(self) -> int:
        """D."""
        return self.vectors.shape[1]

    def best(self, queries: NDArray[np.float32], k: int) -> Found:
        """By matrix products."""
        scores, items = top(LinearScores(torch.from_numpy(queries), self.vectors, self.vectors.new_zeros(len(self.vectors))), k)
        return scores.numpy(), items.numpy()

    def write(self, folder: Path) -> None:
        """As safetensors."""
        files.save_model(folder / EXACT, {"vectors": self.vectors}, {})

    @staticmethod
    def read(items: Ids, folder: Path) -> ExactIndex:
        """What `write` wrote."""
        return ExactIndex(items, files.load_model(folder / EXACT)[0]["vectors"])


@final
class FaissIndex(ItemIndex):
    """A graph of near items that is followed from neighbour to neighbour: not all are compared, and some of the best may be missed.

    "Efficient and Robust Approximate Nearest Neighbor Search Using Hierarchical Navigable Small World Graphs" (Malkov & Yashunin, 2018),
    arXiv:1603.09320, by faiss. It looks for the least distance: items are centred, which changes all scores of a user alike, and one number more
    gives them one length r, so that the nearest have the greatest inner product, |q - v|^2 = |q|^2 + r^2 - 2 q v: "Speeding Up the Xbox
    Recommender System Using a Euclidean Transformation for Inner-Product Recommendations" (Bachrach et al., 2014), doi:10.1145/2645710.2645741.

    Arguments:
        items: the ids.
        graph: of faiss, over vectors (I, D + 1).
        centre: (D,) the mean of the items' vectors.
        radius: r.
    """

    kind = "faiss"

    def __init__(self, items: Ids, graph: Any, centre: NDArray[np.float32], radius: float) -> None:
        super().__init__(items)
        self.graph, self.centre, self.radius = graph, centre, radius

    @staticmethod
    def of(items: Ids, vectors: NDArray[np.float32]) -> FaissIndex:
        """The graph of vectors (I, D)."""
        library, centre = faiss(), vectors.mean(0)
        centred = vectors - centre
        lengths = np.linalg.norm(centred, axis=1)
        radius = float(lengths.max())
        last = np.sqrt(np.maximum(radius**2 - lengths**2, 0))
        graph = library.IndexHNSWFlat(vectors.shape[1] + 1, NEIGHBOURS)
        graph.hnsw.efConstruction = graph.hnsw.efSearch = DEPTH
        graph.add(np.column_stack([centred, last]).astype(np.float32))
        return FaissIndex(items, graph, centre, radius)

    @property
    def width(self) -> int:
        """D."""
        return len(self.centre)

    def best(self, queries: NDArray[np.float32], k: int) -> Found:
        """Along the graph."""
        _, items = self.graph.search(np.column_stack([queries, np.zeros(len(queries), np.float32)]), k)
        scores = np.full(items.shape, -np.inf, np.float32)
        for row, query in enumerate(queries):  # distances are rounded more than the scores that they stand for
            found = items[row][items[row] >= 0]
            scores[row, : len(found)] = self.graph.reconstruct_batch(found)[:, :-1] @ query + self.centre @ query
        order = np.argsort(-scores, 1, kind="stable")
        return np.take_along_axis(scores, order, 1), np.take_along_axis(items, order, 1)

    def write(self, folder: Path) -> None:
        """As faiss does, with the centre beside it."""
        faiss().write_index(self.graph, str(folder / FAISS))
        files.save_model(folder / EXACT, {"centre": torch.from_numpy(self.centre)}, {"radius": self.radius})

    @staticmethod
    def read(items: Ids, folder: Path) -> FaissIndex:
        """What `write` wrote."""
        weights, header = files.load_model(folder / EXACT)
        graph = faiss().read_index(str(files.regular_file(folder / FAISS, files.MAX_BYTES)))
        return FaissIndex(items, graph, weights["centre"].numpy(), float(header["radius"]))


KINDS: dict[str, type[ItemIndex]] = {index.kind: index for index in (ExactIndex, FaissIndex)}


def index_of(vectors: pd.DataFrame, kind: str) -> ItemIndex:
    """An index of items by their vectors. Raises UsageError for a kind that does not exist, or whose package is not installed."""
    arguments.one_of(*KINDS)("kind", kind)
    return KINDS[kind].of(Ids(vectors.index), np.array(vectors, np.float32, order="C"))


def write_index(index: ItemIndex, folder: Path) -> None:
    """Write an index as a folder, whole or not at all, in place of one that is there."""
    with files.atomic_folder(folder, (ABOUT, EXACT, FAISS)) as temporary:
        index.write(temporary)
        about = {"format": FORMAT, "kind": index.kind, "items": index.items.to_json()}
        (temporary / ABOUT).write_text(json.dumps(about))


def load_index(path: str | Path) -> ItemIndex:
    """The index that `Recommender.export_index` wrote.

    Arguments:
        path: its folder.

    Raises:
        UsageError: no index is there, it is damaged or of another version, or needs a package that is not installed.

    Example:
        >>> load_index("nowhere")
        Traceback (most recent call last):
        vaehub.errors.UsageError: nowhere: no index here; give a folder that Recommender.export_index wrote
    """
    folder = arguments.path("path", path)
    files.restore_folder(folder)
    if not (folder / ABOUT).is_file():
        raise UsageError(f"{folder}: no index here; give a folder that Recommender.export_index wrote")
    with files.guarded(folder, REMEDY):
        about = json.loads(files.read_bytes(folder / ABOUT, files.MAX_BYTES))
        if about["format"] != FORMAT:
            raise UsageError(f"{folder}: format {about['format']!r}, expected {FORMAT!r}; {REMEDY}")
        items = Ids.from_json(about["items"])
        return KINDS[about["kind"]].read(items, folder)


def faiss() -> Any:
    """The library. Raises UsageError where it is not installed."""
    try:
        return importlib.import_module("faiss")
    except ImportError as error:
        raise UsageError(
            "kind='faiss': faiss is not installed; pip install 'vaehub-recommender[faiss]', or take kind='exact'"
        ) from error
