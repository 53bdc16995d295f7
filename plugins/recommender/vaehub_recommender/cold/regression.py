"""Scores of items by their features: the ridge regression on features of what a model says of all items that it has learnt.

Letters of shapes: B users, I items with known scores, N others, F features, R = F + 1.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]


class Factors(NamedTuple):
    """Scores s (B, I) become s `read` `write`' (B, N): read (I, R), write (N, R)."""

    read: Floats
    write: Floats


@final
@dataclass(frozen=True)
class FeatureRegression:
    """s_new = mean(s) + (f_new - mean f)' (C'C + penalty)^-1 C' s, C the centred features (I, F) of the items that have any.

    A score that is linear in an item's weights (a column of a linear part, a row and bias of a decoder's last layer) is then that of the weights
    predicted by the same regression: "Learning Attribute-to-Feature Mappings for Cold-Start Recommendations" (Gantner et al., 2010),
    doi:10.1109/ICDM.2010.129.

    Arguments:
        mean: (F,) of the features.
        vectors: (F, F) eigenvectors of C'C.
        values: (F,) its eigenvalues.
        centred: (I, F) C, 0 where an item has no features.
        share: (I,) what each item counts in the mean.

    Example:
        >>> learnt = FeatureRegression.of(np.array([[0.0], [2.0]]), np.array([True, True]))
        >>> read, write = learnt.factors(np.array([[4.0]]), penalty=1e-9)
        >>> (np.array([[1.0, 2.0]]) @ read @ write.T).round(4).tolist()  # on the line through both
        [[3.0]]
    """

    mean: NDArray[np.float64]
    vectors: NDArray[np.float64]
    values: NDArray[np.float64]
    centred: NDArray[np.float64]
    share: NDArray[np.float64]

    @staticmethod
    def of(features: NDArray[np.floating], used: NDArray[np.bool_]) -> FeatureRegression:
        """From the features (I, F) of those items that are `used` (I,)."""
        share = used / used.sum()
        mean = share @ features
        centred = np.where(used[:, None], features - mean, 0.0)
        values, vectors = np.linalg.eigh(centred.T @ centred)
        return FeatureRegression(mean, vectors, values.clip(0), centred, share)

    def factors(self, features: NDArray[np.floating], penalty: float) -> Factors:
        """For items of these features (N, F)."""
        read = self.centred @ (self.vectors / (self.values + penalty)) @ self.vectors.T
        write = features - self.mean
        one = np.ones((len(write), 1))
        return Factors(np.c_[read, self.share].astype(np.float32), np.c_[write, one].astype(np.float32))
