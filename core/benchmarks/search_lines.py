"""The lines of the benchmark of searches: bases of KIAGO's tables with what is demanded of the formulas."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from core.benchmarks.paper import rows
from core.errors import InputError
from core.problem.presets import HYDRIDE, HYDRIDE_FLOORS
from core.problem.problem import DesignProblem
from core.problem.settings import EVERY_ATOM, NEAR, NEW, SUBSTITUTE, OptimiserSettings
from core.problem.substitution_sites import Site

FREE, NEW_ONES, NEAR_AND_NEW, SUBSTITUTION, HYDRIDES = "free", "new", "near and new", "substitution", "hydride"
MODES = {
    FREE: {},
    NEW_ONES: {"novelty": NEW, "least_distance": 0.02},
    NEAR_AND_NEW: {"novelty": NEW, "least_distance": 0.02, "change": NEAR, "most_changed": 0.40},
}
SETTINGS = OptimiserSettings(risk_aversion=1.0, formation_energy_weight=4.0)


@dataclass(frozen=True)
class Line:
    """One line: what is asked, the base, and the fields of its problem."""

    kind: str
    base: str
    settings: OptimiserSettings
    fields: Mapping[str, Any] = field(default_factory=dict)

    def problem(self, seed: int, device: str, **fields: Any) -> DesignProblem:
        """The problem of this line."""
        given: dict[str, Any] = {"settings": self.settings, **self.fields, **fields}
        return DesignProblem(base=self.base, seed=seed, device=device, **given)


def lines(bases: tuple[str, ...] = (), per_element_set: int = 0) -> list[Line]:
    """The lines of table 2 in each mode, of tables 5 to 7 and of table 9; with `bases`, only those of these bases.

    per_element_set : most formulas with the same elements, in the modes; 0: any number

    A substitution has amounts to 0.01 atoms, as in the tables. Raises InputError for an unknown base.
    """
    found = [
        Line(mode, row["base"], replace(SETTINGS, per_element_set=per_element_set, **demands))
        for mode, demands in MODES.items()
        for row in rows("table2")
    ]
    doped = replace(SETTINGS, fractional_elements=SETTINGS.max_elements, integer_weight=0.0)
    for row in rows("substitution"):
        sites = (Site(row["target"], row["oxidation_state"]),)
        found.append(Line(SUBSTITUTION, row["base"], doped, {"task": SUBSTITUTE, "sites": sites}))
    hydride = replace(HYDRIDE, risk_aversion=1.0, formation_energy_weight=4.0)
    found += [
        Line(HYDRIDES, row["base"], hydride, {"floors": HYDRIDE_FLOORS, "charge_rule": EVERY_ATOM})
        for row in rows("hydrides")
    ]
    known = {line.base for line in found}
    for base in bases:
        if base not in known:
            raise InputError("bases", base, "no line has this base", f"Choose from {', '.join(sorted(known))}")
    return [line for line in found if not bases or line.base in bases]
