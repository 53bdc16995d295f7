"""A model of more items: the same weights, and for the new items those of items that are like them.

Letters of shapes: I items, N new ones, U users.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np
import torch
from scipy.sparse import csr_array, diags_array
from torch import Tensor

from vaehub import VAE, Run, Spec, build_vae, seeded
from vaehub_recommender.parts.linear_part import LinearPart

NEIGHBOURS = 10  # items of like popularity


@final
@dataclass(frozen=True)
class NewItemWeights:
    """Shares (N, I) that known items have in a new one: near by the users who have both, alike by how many users have them."""

    by_users: csr_array
    by_popularity: csr_array

    @staticmethod
    def of(matrix: csr_array, items: int) -> NewItemWeights:
        """Of the items of a matrix (U, I + N) from position `items` on."""
        counts = np.bincount(matrix.indices, minlength=matrix.shape[1]).astype(float)
        columns = matrix.astype(bool).astype(float).tocsc()
        both = columns[:, items:].T @ columns[:, :items]
        cosine = both @ diags_array(1 / np.sqrt(counts[:items].clip(1)))
        return NewItemWeights(row_shares(cosine.tocsr() + alike_to_all(cosine)), by_popularity(counts, items))

    def entries(self, table: Tensor, dim: int) -> Tensor:
        """Entries for the new items along a dimension of a table; of a table with a number for each item by popularity, else by users."""
        moved = table.movedim(dim, 0)
        mix = self.by_popularity if moved.ndim == 1 else self.by_users
        rows = mix @ moved.reshape(len(moved), -1).double().cpu().numpy()
        return torch.from_numpy(rows).to(table).reshape(-1, *moved.shape[1:]).movedim(0, dim)


def row_shares(weights: csr_array) -> csr_array:
    """Each row divided by its sum."""
    return csr_array(diags_array(1 / weights.sum(1)) @ weights)


def alike_to_all(cosine: csr_array) -> csr_array:
    """Ones in the rows of new items that nobody has together with a known one: these are like all items."""
    alone = np.asarray(cosine.sum(1) == 0, float)
    return csr_array(alone[:, None] @ np.ones((1, cosine.shape[1]))) if alone.any() else csr_array(cosine.shape)


def by_popularity(counts: np.ndarray, items: int) -> csr_array:
    """Equal shares of the known items that are nearest in popularity."""
    order = np.argsort(counts[:items], kind="stable")
    at = np.searchsorted(counts[:items][order], counts[items:])
    n = min(NEIGHBOURS, items)
    start = np.clip(at - n // 2, 0, items - n)
    columns = order[start[:, None] + np.arange(n)]
    ends = np.arange(len(at) + 1) * n
    return csr_array((np.full(columns.size, 1 / n), columns.ravel(), ends), shape=(len(at), items))


@torch.no_grad()
def model_with_new_items(run: Run, spec: Spec, weights: NewItemWeights) -> VAE:
    """A copy of the run's model for the data that `spec` describes."""
    with seeded("grow"):
        vae = build_vae(run.config, spec)
    own = {f"decoder.{name}" for name in vae.decoder.learnt_anew} if isinstance(vae.decoder, LinearPart) else set()
    shapes, old = {name: t.shape for name, t in vae.state_dict().items() if name not in own}, run.vae.state_dict()
    vae.load_state_dict({name: with_new_entries(old[name], shape, weights) for name, shape in shapes.items()}, strict=False)
    return vae.to(run.device)


def with_new_entries(table: Tensor, shape: torch.Size, weights: NewItemWeights) -> Tensor:
    """The table with entries for the new items, along every dimension that has them."""
    for dim, size in enumerate(shape):
        if size != table.shape[dim]:
            table = torch.cat([table, weights.entries(table, dim)], dim)
    return table
