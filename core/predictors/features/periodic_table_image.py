"""Composition -> periodic-table image, the input of ResNet18 (KIAGO S.1, after Konno et al. 2021).

Four channels (s, p, d, f: the block of the outermost electrons) of 7 rows (periods) by 32 columns (the f block
unfolded). Every element has one pixel, whose value is its fraction, so the image is linear in the composition. H is at
(s, row 1, column 1), Cl at (p, row 3, column 31).
"""

from __future__ import annotations

import torch

from core.chemistry import elements

CHANNELS, ROWS, COLUMNS = 4, 7, 32


def element_pixels() -> torch.Tensor:
    """Flat index of each element's pixel in an image of 4 * 7 * 32: (118,) int64."""
    return torch.tensor(
        [("spdf".index(e.block) * ROWS + e.period - 1) * COLUMNS + e.column - 1 for e in elements.all_elements()]
    )


def periodic_table_image(composition: torch.Tensor, pixels: torch.Tensor | None = None) -> torch.Tensor:
    """Compositions (batch, 118) -> images (batch, 4, 7, 32), differentiable, same dtype and device.

    pixels : `element_pixels()` on the device of the composition
    """
    if pixels is None:
        pixels = element_pixels().to(composition.device)
    flat = composition.new_zeros(composition.shape[0], CHANNELS * ROWS * COLUMNS)
    return flat.index_copy(1, pixels, composition).view(-1, CHANNELS, ROWS, COLUMNS)
