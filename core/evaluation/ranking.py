"""The order of candidates: those that pass first, then by Tc minus its error; and the Pareto front."""

from __future__ import annotations

import numpy as np
import pandas as pd


def tc_minus_error_K(table: pd.DataFrame) -> np.ndarray:
    """Predicted Tc minus its expected standard deviation, (n,) in K; Tc itself where the model gives no error.

    A gain far from the training data has a large error: this order prefers the gains that are likely to be real.
    """
    return (table["tc_K"] - table["tc_std_K"].fillna(0.0)).to_numpy(dtype=np.float64)


def ranked(table: pd.DataFrame) -> pd.DataFrame:
    """The rows by rank, with the column `rank` from 1: passing rows first, then by Tc minus its error, then by formula.

    table : rows of the candidate table, with or without `rank`, in any order
    """
    order = np.lexsort((table["formula"], -tc_minus_error_K(table), ~table["passes"]))
    return table.iloc[order].reset_index(drop=True).assign(rank=np.arange(1, len(table) + 1))


def pareto_front(tc_K: np.ndarray, above_hull_eV_per_atom: np.ndarray) -> np.ndarray:
    """The candidates (n,) that none beats both ways, as indices by ascending energy above hull, so by ascending Tc.

    Another candidate beats one if its Tc is no lower and its energy above hull no higher, and one of both is better. Of
    equal candidates the first is kept. Candidates with a missing value (NaN) are left out.
    """
    tc_K, above_hull = np.asarray(tc_K, dtype=np.float64), np.asarray(above_hull_eV_per_atom, dtype=np.float64)
    there = np.flatnonzero(~np.isnan(tc_K) & ~np.isnan(above_hull))
    order = there[np.lexsort((-tc_K[there], above_hull[there]))]
    highest_before = np.concatenate([[-np.inf], np.maximum.accumulate(tc_K[order])])[: len(order)]
    return order[tc_K[order] > highest_before]
