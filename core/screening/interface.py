"""What a screen is: one test of the candidates, with every text that names or explains it."""

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
    label : the screen in the words of the result page
    test : rows -> (n,) bool, True for the rows that pass
    reason : rows that fail -> why, one text for each row
    advice : what to try where this screen removes most candidates; empty where there is nothing to try
    charge_rules : the rules of the charge balance under which the screen is applied
    """

    name: str
    label: str
    test: Callable[[pd.DataFrame], np.ndarray]
    reason: Callable[[pd.DataFrame], pd.Series]
    advice: str = ""
    charge_rules: tuple[str, ...] = (ONE_STATE, EVERY_ATOM)
