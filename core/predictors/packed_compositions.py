"""Compositions as a checkpoint stores them: flat lists of the elements present."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch

from core.chemistry import elements


def pack_compositions(compositions: np.ndarray) -> dict[str, torch.Tensor]:
    """(n, 118) -> flat non-zero entries: element (uint8), fraction (float64), count per row (uint8)."""
    row, column = np.nonzero(compositions)
    return {
        "element": torch.from_numpy(column.astype(np.uint8)),
        "fraction": torch.from_numpy(compositions[row, column]),
        "count": torch.from_numpy(np.bincount(row, minlength=len(compositions)).astype(np.uint8)),
    }


def unpack_compositions(tensors: Mapping[str, torch.Tensor]) -> np.ndarray:
    """The inverse of `pack_compositions`: (n, 118) float64, bit-identical."""
    count = tensors["count"].numpy().astype(np.int64)
    compositions = np.zeros((len(count), elements.N_ELEMENTS))
    row = np.repeat(np.arange(len(count)), count)
    compositions[row, tensors["element"].numpy()] = tensors["fraction"].numpy()
    return compositions
