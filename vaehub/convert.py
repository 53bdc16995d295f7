"""Numbers in the forms that users hold them, as tensors."""

from __future__ import annotations

import sys
from typing import Any, TypeGuard

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from vaehub.errors import UsageError
from vaehub.hints import quoted
from vaehub.sparse import csr, is_sparse

Array = NDArray[Any]
SPARSE = (torch.sparse_csr, torch.sparse_csc, torch.sparse_coo)


def as_array(x: object, name: str = "x") -> Array:
    """Numbers as a numpy array in the byte order of this machine; float16 and bfloat16 as float32, yes and no as 1 and 0.

    Arguments:
        x: an array, a tensor, or nested lists of numbers, of any shape and memory layout.
        name: what to call it in an error.

    Raises:
        UsageError: it holds something else than real numbers.

    >>> as_array(np.array([[1, 0]], dtype=">i2")).dtype.isnative, as_array(np.array([True])).dtype.name
    (True, 'float32')
    """
    array = numbers(x.detach().cpu(), name) if isinstance(x, Tensor) else to_numpy(x, name)
    if not array.ndim:
        raise UsageError(f"{name}: expected an array of numbers, got {quoted(x)}")
    if array.dtype.kind not in "biuf":
        raise UsageError(f"{name}: expected real numbers, got {array.dtype}; turn it into numbers first")
    if array.dtype.kind == "b" or array.dtype == np.float16:
        return array.astype(np.float32)
    if array.dtype.itemsize > 8:  # long double, which torch does not know
        return array.astype(np.float64)
    return array.astype(array.dtype.newbyteorder("="), copy=False)


def numbers(x: Tensor, name: str) -> Array:
    """A dense tensor as an array."""
    if x.layout is not torch.strided:
        raise UsageError(f"{name}: expected a dense tensor, got the layout {x.layout}; call .to_dense() first")
    dense: Array = (x.float() if x.dtype is torch.bfloat16 else x).numpy()
    return dense


def to_numpy(x: object, name: str) -> Array:
    """Anything else as an array; Python objects only where each of them is a number."""
    try:
        array = np.asarray(x)
        return array.astype(np.float64) if array.dtype.kind == "O" else array
    except (ValueError, TypeError) as error:
        raise UsageError(f"{name}: expected an array of numbers of one shape, got {type(x).__name__} ({error})") from error


def as_tensor(x: object, name: str = "x") -> Tensor:
    """The same numbers as a tensor; arrays that must not be written to, such as those of pandas, are copied. Sparse ones become CSR.

    Raises UsageError where it holds something else than real numbers.

    >>> as_tensor(np.arange(6, dtype=np.uint16).reshape(2, 3)[:, ::-1]).tolist()
    [[2, 1, 0], [5, 4, 3]]
    """
    if is_any_sparse(x):
        return as_csr(x, name)
    if isinstance(x, Tensor):
        return x.float() if x.dtype in (torch.bool, torch.float16, torch.bfloat16) else x
    array = as_array(x, name)
    if array.dtype.kind == "u" and array.itemsize > 1:  # torch hardly knows unsigned integers of more than 8 bits
        array = array.astype(np.int64)
    return torch.from_numpy(np.require(array, requirements=["C", "W"]))


def is_any_sparse(x: object) -> bool:
    """Whether x is a sparse matrix of torch or scipy."""
    scipy = sys.modules.get("scipy.sparse")  # where it was not imported, x is none of its
    return (isinstance(x, Tensor) and x.layout in SPARSE) or (scipy is not None and bool(scipy.issparse(x)))


def as_csr(x: Any, name: str = "x") -> Tensor:
    """A sparse matrix (N, D) of torch or scipy as a CSR tensor of float32, equal entries added up."""
    if x.ndim != 2:
        raise UsageError(f"{name}: a sparse array has rows of one dimension, this one has shape {tuple(x.shape)}")
    if isinstance(x, Tensor):
        found = x if is_sparse(x) else x.coalesce().to_sparse_csr() if x.layout is torch.sparse_coo else x.to_sparse_csr()
        return csr(found.crow_indices(), found.col_indices(), found.values().float(), x.shape[1])
    matrix = x.tocsr().copy()
    matrix.sum_duplicates()
    matrix.sort_indices()
    values = as_tensor(matrix.data.astype(np.float32))
    return csr(as_tensor(matrix.indptr).long(), as_tensor(matrix.indices).long(), values, x.shape[1])


def is_frame(x: object) -> TypeGuard[Any]:
    """Whether x is a pandas DataFrame."""
    pandas = sys.modules.get("pandas")
    return pandas is not None and isinstance(x, pandas.DataFrame)


def as_mask(mask: Tensor, name: str = "mask") -> Tensor:
    """A mask as booleans, True = observed. Raises UsageError where it holds numbers other than 0 and 1.

    >>> as_mask(torch.tensor([1.0, 0.0])).tolist()
    [True, False]
    """
    if mask.dtype is torch.bool:
        return mask
    if not bool(((mask == 0) | (mask == 1)).all()):
        raise UsageError(
            f"{name}: expected True or 1 for observed and False or 0 for missing, it spans [{mask.min()}, {mask.max()}]"
        )
    return mask.bool()
