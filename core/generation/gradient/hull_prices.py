"""The energy of the convex hull in the loss of the gradient method, by dual prices of the elements.

The energy above hull is Ef(x) - E_hull(x). E_hull is the optimum of a linear programme, linear in x on each facet, and
its derivative there is the vector of the dual prices mu of the elements, E_hull(x) = mu x. The prices are taken on the
CPU, outside the gradient, and refreshed every few steps: in between a composition usually stays on its facet. At an
edge of a facet they are one-sided. Absent elements never enter a composition by its gradient, so they need no price.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np
import torch

REFRESH_STEPS = 5  # steps between two refreshes: a programme takes 0.3 to 0.4 ms


class StableMixtures(Protocol):
    """The convex hull, see `core.screening.convex_hull.Hull`."""

    def with_prices(self, compositions: np.ndarray) -> tuple[np.ndarray, np.ndarray]: ...


def refreshed(
    hull: StableMixtures, composition: torch.Tensor, prices: torch.Tensor, rows: torch.Tensor
) -> torch.Tensor:
    """Prices (batch, 118) in eV per atom, new in the `rows` (batch,) bool, at compositions (batch, 118)."""
    place = rows.nonzero().flatten()
    if not len(place):
        return prices
    x = composition[place].detach().cpu().double().numpy()
    _, found = hull.with_prices(x / x.sum(1, keepdims=True))
    after = prices.clone()
    after[place] = torch.from_numpy(found).to(prices)
    return after
