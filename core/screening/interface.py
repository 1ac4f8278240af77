"""The interface of a screen: one test of the candidates, with its label, reasons and advice."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from core.problem.settings import EVERY_ATOM, ONE_STATE


@dataclass(frozen=True)
class Screen:
    """One screen. `rows` are rows of the candidate table, see `core.evaluation.columns`.

    name : key of the screen in the column `failed_screen` and in the funnel of a run
    label : name on the result page
    test : rows -> (n,) bool, True for the rows that pass
    reason : rows that fail -> reason, one text per row
    advice : suggested change of the problem if this screen removes most candidates; empty without a suggestion
    charge_rules : charge rules under which the screen is applied
    """

    name: str
    label: str
    test: Callable[[pd.DataFrame], np.ndarray]
    reason: Callable[[pd.DataFrame], pd.Series]
    advice: str = ""
    charge_rules: tuple[str, ...] = (ONE_STATE, EVERY_ATOM)
