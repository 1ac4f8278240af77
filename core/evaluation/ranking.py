"""The order of candidates: those that pass first, then by Tc minus its error, by Tc, or by Pareto fronts."""

from __future__ import annotations

from collections.abc import Callable

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


def pareto_fronts(tc_K: np.ndarray, above_hull_eV_per_atom: np.ndarray) -> np.ndarray:
    """Number of the Pareto front of each candidate (n,), from 1; NaN for a missing value.

    Front 1 is `pareto_front`, front 2 that of the remaining ones, and so on (non-dominated sorting). Equal candidates
    are in successive fronts, so that a front has one point at each place.
    """
    number, rest, front = np.full(len(tc_K), np.nan), np.arange(len(tc_K)), 1
    while len(found := pareto_front(tc_K[rest], above_hull_eV_per_atom[rest])):
        number[rest[found]] = front
        rest, front = np.delete(rest, found), front + 1
    return number


def _by_pareto_front(table: pd.DataFrame) -> np.ndarray:
    columns = (table[name].to_numpy(dtype=np.float64) for name in ("tc_K", "energy_above_hull_eV_per_atom"))
    return -pareto_fronts(*columns)


BY_TC_MINUS_ERROR, BY_TC, BY_PARETO_FRONT = "tc_minus_error", "tc", "pareto"
# Name of an order -> the value (n,) by which candidates descend; ties and missing values are by rank.
ORDERS: dict[str, Callable[[pd.DataFrame], np.ndarray]] = {
    BY_TC_MINUS_ERROR: tc_minus_error_K,
    BY_TC: lambda table: table["tc_K"].to_numpy(dtype=np.float64),
    BY_PARETO_FRONT: _by_pareto_front,
}


def in_order(table: pd.DataFrame, order: str) -> pd.DataFrame:
    """The rows in one of ORDERS: passing rows first, rows without a value last, ties by rank.

    table : rows of the candidate table with the column `rank`
    """
    value = ORDERS[order](table)
    missing = np.where(np.isnan(value), -np.inf, value)
    return table.iloc[np.lexsort((table["rank"], -missing, ~table["passes"]))]
