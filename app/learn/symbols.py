"""The table of symbols: what each means, its unit, its default, and where it is in the app. No Streamlit here."""

from __future__ import annotations

from typing import NamedTuple

from app.forms.settings_fields import GROUPS
from core.problem.settings import OptimiserSettings


class Symbol(NamedTuple):
    """One row. html : the symbol as HTML; default : of the settings, or empty; where : place in the app"""

    html: str
    meaning: str
    unit: str
    default: str
    where: str


def symbols(s: OptimiserSettings) -> tuple[Symbol, ...]:
    """Every symbol of the lesson, with the defaults of these settings."""
    design, results = "Design, periodic table", "Results, card of a candidate"
    return (
        Symbol("x", "composition: fraction of each of the 118 elements, with sum 1", "1", "", "Results, formula"),
        Symbol("x<sub>base</sub>", "ratios that the optimiser moves, before the map", "1", "", "not shown"),
        Symbol("x<sub>const</sub>", "fixed and minimum fractions", "1", "", f"{design}: fixed tiles"),
        Symbol("M<sub>elem</sub>", "mask of the elements: 0 for forbidden ones", "1", "", f"{design}: forbidden tiles"),
        Symbol("M<sub>max</sub>", "mask of stage 2: the largest fractions stay, at most n<sub>max</sub> elements", "1",
               f"n<sub>max</sub> = {s.max_elements}", setting("max_elements")),
        Symbol("σ", "ReLU normalisation: ReLU(v) / Σ ReLU(v)", "1", "", "not shown"),
        Symbol("T<sub>c</sub>", "critical temperature, predicted", "K", "", results),
        Symbol("s", "expected error of T<sub>c</sub>", "K", "", f"{results}: ±"),
        Symbol("κ", "risk aversion: share of s that is subtracted", "1", f"{s.risk_aversion:g}",
               setting("risk_aversion")),
        Symbol("E<sub>f</sub>", "formation energy, predicted", "eV/atom", "", results),
        Symbol("α", "weight of the formation energy", "K/(eV/atom)", f"{s.formation_energy_weight:g}",
               setting("formation_energy_weight")),
        Symbol("L<sub>1</sub>", "loss of stage 1: −(T<sub>c</sub> − κ s) + α E<sub>f</sub>", "K", f"{s.steps[0]} steps",
               setting("steps", 0)),
        Symbol("L<sub>integer</sub>", "distance to the nearest formula of whole atoms", "1", "", "Run, integer loss"),
        Symbol("N", "atoms per formula unit", "1", f"{s.n_unit[0]} to {s.n_unit[1]}", setting("n_unit", 0)),
        Symbol("β", "weight of the integer loss", "K",
               f"0 to {s.integer_weight:g}" if s.integer_schedule == "linear" else f"{s.integer_weight:g}",
               setting("integer_weight")),
        Symbol("L<sub>2</sub>", "loss of stage 2: L<sub>1</sub> + β L<sub>integer</sub>", "K", f"{s.steps[1]} steps",
               setting("steps", 1)),
        Symbol("η", "learning rate of Adam", "of x<sub>base</sub>", f"{s.learning_rate:g}", setting("learning_rate")),
        Symbol("ΔE<sub>hull</sub>", "energy above the convex hull: energy released by decomposing", "eV/atom", "",
               f"{results}: stability"),
    )  # fmt: skip


def setting(name: str, index: int | None = None) -> str:
    """Where a setting is in the app, by its own label there."""
    label = next(f.label for group in GROUPS.values() for f in group if (f.name, f.index) == (name, index))
    return f"Design, settings: {label}"
