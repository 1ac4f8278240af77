"""Near-duplicates: candidates that differ in few atoms, in groups, each shown by its smallest cell.

The difference between two compositions is the fraction of the atoms that must be exchanged to turn one into the other,

    d(x, y) = 1/2 sum_i |x_i - y_i|,

as in the column `rounding_distance`. Groups are made by rank: the best candidate that is in no group yet is the centre
of the next one, which takes every candidate at most LARGEST_EXCHANGE from it that is in no group yet. So no candidate
is far from its centre, as in a chain of small steps.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from core.chemistry.composition import compositions
from core.chemistry.tolerances import WHOLE_ATOM
from core.screening.registry import LARGEST_EXCHANGE

GROUPED_BY = ("candidate", "formula", "n_atoms", "tc_K", "tc_std_K", "passes")  # columns that `with_variants` reads
VARIANT_COLUMNS = ("group", "variants", "shown_first")  # and adds


def near_duplicates(compositions: np.ndarray, most: float = LARGEST_EXCHANGE) -> np.ndarray:
    """The centre of the group of each composition (n, 118): (n,) row numbers; the centre of a centre is itself.

    compositions : by rank
    most : largest fraction of the atoms by which a member differs from the centre
    """
    used = compositions[:, (compositions > 0).any(0)]
    centre = np.full(len(used), -1)
    for row in range(len(used)):
        if centre[row] < 0:
            free = np.flatnonzero(centre < 0)
            exchanged = np.abs(used[free] - used[row]).sum(1) / 2
            centre[free[exchanged <= most + WHOLE_ATOM]] = row
    return centre


def with_variants(table: pd.DataFrame) -> pd.DataFrame:
    """The rows with the columns VARIANT_COLUMNS.

    group : candidate number of the centre of the group
    variants : number of members of the group
    shown_first : the row that stands for the group: the smallest cell among the members that pass as the centre does
        and whose Tc is not below the centre's by more than the error of the centre; of equally small ones the first

    table : rows of the candidate table, by rank, with at least the columns GROUPED_BY
    """
    centre = near_duplicates(compositions(table["formula"]))
    of_centre = table.iloc[centre]
    least_tc_K = of_centre["tc_K"].to_numpy() - of_centre["tc_std_K"].fillna(0.0).to_numpy()
    as_good = (table["tc_K"].to_numpy() >= least_tc_K) & (table["passes"].to_numpy() == of_centre["passes"].to_numpy())
    atoms = np.where(as_good, table["n_atoms"].to_numpy(), np.iinfo(np.int64).max)
    order = np.lexsort((np.arange(len(table)), atoms, centre))
    first = order[np.unique(centre[order], return_index=True)[1]]
    return table.assign(
        group=of_centre["candidate"].to_numpy(),
        variants=np.bincount(centre, minlength=len(table))[centre],
        shown_first=np.isin(np.arange(len(table)), first),
    )
