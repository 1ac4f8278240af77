"""The optimiser's settings as form fields: one per number or choice, with its unit and source. Pure data."""

from __future__ import annotations

from dataclasses import dataclass, replace

from core.chemistry.families import CUPRATE, HYDRIDE, IRON_BASED, OTHER
from core.generation.registry import registration
from core.problem.presets import PRESETS
from core.problem.settings import (
    ANY_CHANGE,
    ANY_FAMILY,
    ANY_NOVELTY,
    BASE,
    CONSTANT,
    ENUMERATED,
    FORMATION_ENERGY,
    HIGHEST,
    HULL,
    INTERPOLATED,
    KNOWN,
    MAX_ATOMS,
    MAX_CANDIDATES,
    MAX_STEPS,
    NEAR,
    NEAREST,
    NEUTRAL,
    NEW,
    RAISE_TC,
    RANDOM,
    SHRINKING,
    TARGET,
    OptimiserSettings,
)

PRESETS_HELP = " ".join(f"{name}: {preset.description}." for name, preset in PRESETS.items())


@dataclass(frozen=True)
class SettingsField:
    """One number or choice of the settings.

    name : field of OptimiserSettings; index : which of the two values, for a pair
    label : with the unit; help : its meaning and source
    step, format : of a number; choices : value -> label, of a choice
    task : the only task for which the field matters, or None
    when : another field and the values of it for which this field matters, or None; it is hidden for other values
    """

    name: str
    label: str
    help: str
    index: int | None = None
    step: float | None = None
    format: str | None = None
    choices: dict[str, str] | None = None
    task: str | None = None
    when: tuple[str, tuple[str | int, ...]] | None = None

    @property
    def key(self) -> str:
        """Name in the session."""
        return self.name if self.index is None else f"{self.name}.{self.index}"

    def value_in(self, settings: OptimiserSettings) -> float | str:
        """The value of this field in these settings."""
        value = getattr(settings, self.name)
        value = value if self.index is None else value[self.index]
        return float(value) if isinstance(self.step, float) else value

    def matters(self, task: str, method: str) -> bool:
        """Whether the field has an effect in this task with this method."""
        return self.task in (None, task) and self.name in registration(method).settings

    def is_hidden(self, settings: OptimiserSettings) -> bool:
        """Whether another setting makes this field meaningless."""
        return self.when is not None and getattr(settings, self.when[0]) not in self.when[1]

    def with_value(self, settings: OptimiserSettings, value: float | str) -> OptimiserSettings:
        """These settings with another value of this field."""
        if self.index is None:
            return replace(settings, **{self.name: value})
        pair = list(getattr(settings, self.name))
        pair[self.index] = value
        return replace(settings, **{self.name: tuple(pair)})


_SEARCH_FIELDS = (
    SettingsField("candidates", "Candidates", step=64, help=(
        f"Number of compositions optimised at once, 1 to {MAX_CANDIDATES:,}. KIAGO 3.1 uses 4,096.")),
    SettingsField("steps", "Steps, stage 1", index=0, step=50, help=(
        f"Adam steps on Tc and formation energy alone; at most {MAX_STEPS:,} in both stages together. KIAGO 3.1 uses "
        "500.")),
    SettingsField("steps", "Steps, stage 2", index=1, step=50, help=(
        "Adam steps in which only the largest ratios are kept and the integer loss pulls them towards whole numbers of "
        "atoms. KIAGO 3.1 uses 500.")),
    SettingsField("learning_rate", "Learning rate", step=0.01, format="%.3f", help=(
        "Learning rate of Adam, in units of the ratios before normalisation. KIAGO 3.1 uses 0.03.")),
)  # fmt: skip
_FORMULA_FIELDS = (
    SettingsField("max_elements", "Elements, at most", step=1, help=(
        "Largest number of elements in a composition, fixed ones included: n_elem_max of KIAGO eq. 7. KIAGO 3.1 uses "
        "10.")),
    SettingsField("n_unit", "Atoms per formula unit, from", index=0, step=1, help=(
        "Smallest N of the grid n/N that the integer loss pulls ratios towards (KIAGO eq. 11). KIAGO 3.1 uses 1.")),
    SettingsField("n_unit", "Atoms per formula unit, to", index=1, step=1, help=(
        f"Largest N, at most {MAX_ATOMS}. Up to about 20 atoms, a crystal structure can still be proposed. KIAGO 3.1 "
        "uses 25.")),
    SettingsField("fractional_elements", "Doped elements", step=1, help=(
        "Number of elements of each candidate that may stay fractional: those farthest from whole atoms. They are "
        "rounded to 0.01 of an atom, as in Ba0.6K0.4Fe2As2. GDMCD eq. 7 uses 2, KIAGO 0. Doping mixes valences, so few "
        "doped formulas are neutral with one oxidation state per element; they are not replaced by a neutral "
        "neighbour, which would have whole atoms.")),
    SettingsField("rounding", "Rounding", when=("fractional_elements", (0,)),
         choices={NEUTRAL: "to a neutral neighbour", NEAREST: "to the nearest formula"}, help=(
        "To a neutral neighbour: if the nearest integer formula fails charge neutrality or the Pauling test, the best "
        "of the nearby formulas that pass both replaces it. To the nearest formula: as in the papers, where about one "
        "formula in five passes. Formulas with doped elements are always rounded to the nearest formula.")),
)  # fmt: skip
_OBJECTIVE_FIELDS = (
    SettingsField("objective", "Aim",
         choices={HIGHEST: "the highest Tc", TARGET: "a target Tc"}, help=(
        "The highest Tc (KIAGO eq. 13), or a target Tc above which nothing is gained: max(0, target − Tc), GDMCD "
        "eq. 3.")),
    SettingsField("target_tc_K", "Target Tc (K)", step=10.0, format="%.0f",
         when=("objective", (TARGET,)), help="y_t of GDMCD eq. 3. GDMCD uses 300 K."),
    SettingsField("formation_energy_weight", "α (K per eV/atom)", step=0.5, format="%.2f", help=(
        "Weight of the formation energy: how many kelvin one eV/atom is worth (KIAGO eq. 13). KIAGO 3.1 uses 4.")),
    SettingsField("stability", "Energy in the objective", choices={
        FORMATION_ENERGY: "formation energy", HULL: "energy above hull"}, help=(
        "Energy that α weighs. The formation energy (the papers) alone prefers oxides and "
        "fluorides, whatever they decompose into; the energy above hull compares a formula with its competing phases. "
        "A step with it takes longer.")),
    SettingsField("risk_aversion", "Risk aversion κ", step=0.25, format="%.2f", help=(
        "The optimiser raises Tc minus κ times the error that the model expects of that Tc: far from all known "
        "superconductors, predictions of a high Tc are common and rarely correct. 0: Tc alone, as in the papers. "
        "The published model has no error estimate.")),
    SettingsField("integer_weight", "β (K)", step=100.0, format="%.0f", help=(
        "Weight of the integer loss, which pulls ratios towards n/N in stage 2 (KIAGO eq. 16). KIAGO prints 1; the "
        "authors' released code raises it to 100,000, with the squared distance.")),
    SettingsField("integer_loss", "Distance to whole numbers",
         choices={"absolute": "absolute", "squared": "squared"}, help=(
        "|x − n/N| as printed (GDMCD and KIAGO eq. 10), or its square as in the authors' released code.")),
    SettingsField("integer_schedule", "β in stage 2",
         choices={"constant": "constant", "linear": "rises from 0"}, help=(
        "Constant as printed in KIAGO, or rising linearly from 0 as in the authors' released code.")),
    SettingsField("step_schedule", "Steps in stage 2",
         choices={CONSTANT: "constant", SHRINKING: "shrink to 0"}, help=(
        "Steps that shrink to 0 let a composition converge to whole numbers of atoms. With constant steps, as in the "
        "papers, it still fluctuates at the end, which lowers the Tc of large formulas.")),
)  # fmt: skip
_FROM_KNOWN = ("start", (KNOWN, INTERPOLATED))
_MUTATED = ("start", (BASE, KNOWN, INTERPOLATED))
_INITIAL_COMPOSITION_FIELDS = (
    SettingsField("start", "Start from", task=RAISE_TC,
         choices={BASE: "the base", RANDOM: "random mixtures", KNOWN: "known superconductors",
                  INTERPOLATED: "known superconductors and mixtures of two",
                  ENUMERATED: "every element and every pair"}, help=(
        "The base: mutated and perturbed (KIAGO 3.2). Random mixtures: of as many elements as the base has (the "
        "comparison in KIAGO 3.2). Known superconductors: each of them once, then random ones, mutated and perturbed. "
        "Mixtures of two: with a mixing ratio from Beta(10, 10) (GDMCD). Every element and every pair: added to the "
        "elements that are fixed or have a minimum, for example all binary and ternary hydrides (GDMCD S5).")),
    SettingsField("start_family", "Family", task=RAISE_TC, when=_FROM_KNOWN,
         choices={ANY_FAMILY: "any", CUPRATE: "cuprates", IRON_BASED: "iron-based", HYDRIDE: "hydrides",
                  OTHER: "all others"}, help=(
        "Family of the known superconductors to start from: cuprates (Cu and O), iron-based (Fe with P, As, S, Se or "
        "Te), hydrides (at least 40% H), or all others.")),
    SettingsField("start_above_K", "Reported Tc above (K)", step=5.0, format="%.0f", task=RAISE_TC,
         when=_FROM_KNOWN, help="Lowest reported Tc of the known superconductors to start from. GDMCD uses 20 K."),
    SettingsField("mutate_probability", "Probability of replacement", step=0.01, format="%.2f", task=RAISE_TC,
         when=_MUTATED, help=(
        "Probability that an element of the starting material is replaced by another element, drawn by its frequency "
        "in known superconductors. KIAGO 3.2 uses 0.22.")),
    SettingsField("added_elements", "Elements added, from", index=0, step=1, help=(
        "Smallest number of elements added to an initial composition (KIAGO 3.2). In a random substitution: smallest "
        "number of elements that share a site.")),
    SettingsField("added_elements", "Elements added, to", index=1, step=1, help=(
        "Largest number of elements added to an initial composition (KIAGO 3.2). In a random substitution: largest "
        "number of elements that share a site.")),
    SettingsField("perturb_ratio", "Largest added ratio", step=0.05, format="%.2f", help=(
        "Added elements get a ratio between 0 and this value, before normalisation. KIAGO 3.2 uses 0.3.")),
)  # fmt: skip

_RESULT_FIELDS = (
    SettingsField("novelty", "Novelty", choices={ANY_NOVELTY: "any formula", NEW: "new formulas only"}, help=(
        "New: the formula differs from every superconductor in SuperCon, and from the base, by at least the share of "
        "the atoms beside. Searches of integer formulas look among new ones only; with the other methods the known "
        "ones among the candidates are left out at the end.")),
    SettingsField("least_distance", "New: atoms that differ, at least", step=0.01, format="%.3f",
         when=("novelty", (NEW,)), help=(
        "Share of the atoms that must be exchanged to turn the formula into a known one: half the sum of the "
        "differences of the fractions. La1.85Sr0.15CuO4 and La2CuO4 differ by 0.021.")),
    SettingsField("change", "Distance from the base", choices={ANY_CHANGE: "any", NEAR: "limited"}, help=(
        "Limited: at most the share of the atoms beside is exchanged. Searches of integer formulas stay within this "
        "distance; with the other methods the candidates beyond it are left out at the end.")),
    SettingsField("most_changed", "Atoms exchanged, at most", step=0.05, format="%.2f", when=("change", (NEAR,)), help=(
        "Largest share of the atoms of the base that are exchanged: half the sum of the differences of the fractions. "
        "0.25 lets one of four atoms change, as from LaFeAsO to NdFeAsO.")),
    SettingsField("per_element_set", "Formulas of the same elements, at most", step=1, help=(
        "Largest number of results with the same set of elements, the best first; 0: no limit.")),
)  # fmt: skip

SEARCH, FORMULA, OBJECTIVE, INITIAL_COMPOSITIONS = "Search", "Formula", "Objective", "Initial compositions"
RESULTS = "Results"
GROUPS: dict[str, tuple[SettingsField, ...]] = {  # heading -> fields
    SEARCH: _SEARCH_FIELDS,
    FORMULA: _FORMULA_FIELDS,
    OBJECTIVE: _OBJECTIVE_FIELDS,
    INITIAL_COMPOSITIONS: _INITIAL_COMPOSITION_FIELDS,
    RESULTS: _RESULT_FIELDS,
}
