"""Presets: the default settings, those of the two papers, and those for small cells and hydrides.

A preset also defines the floors and the charge rule of the problem.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from core.chemistry import elements
from core.problem.settings import (
    CONSTANT,
    DEFAULT_METHOD,
    DEMANDS,
    EVERY_ATOM,
    INTERPOLATED,
    NEAREST,
    ONE_STATE,
    TARGET,
    OptimiserSettings,
)


@dataclass(frozen=True)
class Preset:
    """Settings with the corresponding floors and charge rule.

    description : purpose of the preset, one clause without a full stop
    floors : symbol -> minimum fraction of all atoms
    charge_rule : rule of the charge-neutrality screen, see DesignProblem
    method : the method of the preset, see DesignProblem; None: any
    """

    settings: OptimiserSettings
    description: str
    floors: Mapping[str, float] = field(default_factory=dict)
    charge_rule: str = ONE_STATE
    method: str | None = None


QUICK = OptimiserSettings()

# KIAGO 3.1 and 3.4. Weight and form of the integer loss follow the authors' released code, because compositions do not
# reach the grid with the published beta = 1.
PAPER = OptimiserSettings(
    candidates=4096,
    steps=(500, 500),
    learning_rate=0.03,
    formation_energy_weight=4.0,
    risk_aversion=0.0,
    integer_weight=100_000.0,
    integer_loss="squared",
    integer_schedule="linear",
    step_schedule=CONSTANT,
    rounding=NEAREST,
    n_unit=(1, 25),
    max_elements=10,
    mutate_probability=0.22,
    perturb_ratio=0.3,
    added_elements=(1, 4),
)

# GDMCD: "optimization with Eq. 4, followed by Eq. 10", y_t = 300 K, {N} = 4..24, alpha increasing to 100,000, without
# formation energy and without a limit on the number of elements. The paper does not report how many of the 11,640
# initial guesses were interpolated.
GDMCD = OptimiserSettings(
    candidates=11_640,
    steps=(1000, 1000),
    learning_rate=0.01,
    formation_energy_weight=0.0,
    risk_aversion=0.0,
    integer_weight=100_000.0,
    integer_loss="absolute",
    integer_schedule="linear",
    step_schedule=CONSTANT,
    rounding=NEAREST,
    n_unit=(4, 24),
    max_elements=elements.N_ELEMENTS,
    objective=TARGET,
    target_tc_K=300.0,
    fractional_elements=2,
    start=INTERPOLATED,
    start_above_K=20.0,
)

# KIAGO 3.6. The hydrogen floor and the charge rule are not part of the settings.
HYDRIDE = OptimiserSettings(max_elements=3, n_unit=(1, 15), mutate_probability=0.29, perturb_ratio=0.03)
HYDRIDE_FLOORS = {"H": 0.40}

# GDMCD at the cost of QUICK, with its weight of the integer loss. Doped compounds are of mixed valence, so that the
# preset has the charge rule EVERY_ATOM.
GDMCD_QUICK = replace(
    GDMCD, candidates=QUICK.candidates, steps=(100, 100), learning_rate=QUICK.learning_rate,
    integer_weight=QUICK.integer_weight, step_schedule=QUICK.step_schedule, max_elements=9,
)  # fmt: skip

PRESETS: Mapping[str, Preset] = {
    "Quick": Preset(QUICK, "less than a minute on a laptop"),
    "As in the paper": Preset(PAPER, "KIAGO 3.1 and 3.4, by gradient", method=DEFAULT_METHOD),
    "Small cells": Preset(
        replace(QUICK, max_elements=4, n_unit=(1, 20)),
        "at most 20 atoms and 4 elements, small enough for a crystal structure prediction",
    ),
    "Hydrides": Preset(
        HYDRIDE,
        "KIAGO 3.6, at least 40% hydrogen, at most 3 elements and 15 atoms, an oxidation state for each atom",
        HYDRIDE_FLOORS,
        EVERY_ATOM,
    ),
    "GDMCD": Preset(
        GDMCD_QUICK,
        "up to a target Tc from known superconductors and mixtures of two, two elements may stay fractional (published "
        "with 11,640 candidates, 1,000 + 1,000 steps, learning rate 0.01 and β up to 100,000)",
        charge_rule=EVERY_ATOM,
        method=DEFAULT_METHOD,
    ),
}


def preset_of(
    settings: OptimiserSettings,
    floors: Mapping[str, float] | None = None,
    charge_rule: str = ONE_STATE,
    method: str | None = None,
) -> str | None:
    """Name of the preset with these settings, this charge rule and this method (None: any), or None.

    The settings that demand something of the results (`DEMANDS`) may have any value.

    floors : symbol -> minimum fraction; must include the floors of the preset and may include others
    """
    for name, preset in PRESETS.items():
        same = (preset.settings, preset.charge_rule) == (with_demands_of(settings, preset.settings), charge_rule)
        same &= None in (method, preset.method) or method == preset.method
        if same and preset.floors.items() <= (floors or {}).items():
            return name
    return None


def with_demands_of(settings: OptimiserSettings, other: OptimiserSettings) -> OptimiserSettings:
    """The settings with what the other ones demand of the results."""
    return replace(settings, **{name: getattr(other, name) for name in DEMANDS})
