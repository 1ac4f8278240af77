"""The optimiser's settings as the page shows them: one row per number, with its unit and where it comes from."""

from __future__ import annotations

from dataclasses import dataclass, replace

from core.chemistry.families import CUPRATE, HYDRIDE, IRON_BASED, OTHER
from core.problem.presets import PRESETS
from core.problem.settings import (
    ANY_FAMILY,
    BASE,
    CONSTANT,
    ENUMERATED,
    GRADIENT,
    HIGHEST,
    INTERPOLATED,
    KNOWN,
    MAX_ATOMS,
    MAX_CANDIDATES,
    MAX_STEPS,
    NEAREST,
    NEUTRAL,
    RAISE_TC,
    RANDOM,
    SHRINKING,
    TARGET,
    OptimiserSettings,
)

PRESETS_HELP = " ".join(f"{name}: {preset.description}." for name, preset in PRESETS.items())


@dataclass(frozen=True)
class Knob:
    """One number (or choice) of the settings.

    name : field of OptimiserSettings; index : which of the two, for a pair
    label : with the unit; help : what it does and its source
    step, format : of a number; choices : value -> label, of a choice
    task, method : the only task, or method, that it matters for, or None
    when : another setting and the values of it for which this one matters, or None; it is hidden for the others
    """

    name: str
    label: str
    help: str
    index: int | None = None
    step: float | None = None
    format: str | None = None
    choices: dict[str, str] | None = None
    task: str | None = None
    method: str | None = None
    when: tuple[str, tuple[str | int, ...]] | None = None

    @property
    def key(self) -> str:
        """Name in the session."""
        return self.name if self.index is None else f"{self.name}.{self.index}"

    def get(self, settings: OptimiserSettings) -> float | str:
        """Its value in these settings."""
        value = getattr(settings, self.name)
        value = value if self.index is None else value[self.index]
        return float(value) if isinstance(self.step, float) else value

    def matters(self, task: str, method: str) -> bool:
        """Whether it changes anything in this task by this method."""
        return self.task in (None, task) and self.method in (None, method)

    def hidden(self, settings: OptimiserSettings) -> bool:
        """Whether another setting leaves it without a meaning."""
        return self.when is not None and getattr(settings, self.when[0]) not in self.when[1]

    def put(self, settings: OptimiserSettings, value: float | str) -> OptimiserSettings:
        """These settings with another value."""
        if self.index is not None:
            pair = list(getattr(settings, self.name))
            pair[self.index] = value
            value = tuple(pair)
        return replace(settings, **{self.name: value})


SEARCH = (
    Knob("candidates", "Candidates", step=64, help=(
        f"Compositions optimised at once, 1 to {MAX_CANDIDATES:,}. KIAGO 3.1 uses 4,096.")),
    Knob("steps", "Steps, stage 1", index=0, step=50, method=GRADIENT, help=(
        f"Adam steps on Tc and formation energy alone; both stages together at most {MAX_STEPS:,}. "
        "KIAGO 3.1 uses 500.")),
    Knob("steps", "Steps, stage 2", index=1, step=50, method=GRADIENT, help=(
        "Adam steps with the largest ratios kept and drawn to whole numbers of atoms. KIAGO 3.1 uses 500.")),
    Knob("learning_rate", "Learning rate", step=0.01, format="%.3f", method=GRADIENT, help=(
        "Step of Adam, in units of the ratios before they are normalised. KIAGO 3.1: 0.03.")),
)  # fmt: skip
FORMULA = (
    Knob("max_elements", "Elements, at most", step=1, help=(
        "How many elements a composition may have, fixed ones included: n_elem_max of KIAGO eq. 7. "
        "KIAGO 3.1: 10.")),
    Knob("n_unit", "Atoms per formula unit, from", index=0, step=1, help=(
        "Smallest N of the grid n/N that ratios are drawn to (KIAGO eq. 11). KIAGO 3.1: 1.")),
    Knob("n_unit", "Atoms per formula unit, to", index=1, step=1, help=(
        f"Largest N, at most {MAX_ATOMS}. Small cells (20 and less) are the ones that one can think of a "
        "structure for. KIAGO 3.1: 25.")),
    Knob("exempt_elements", "Doped elements", step=1, method=GRADIENT, help=(
        "So many elements of each candidate, those farthest from whole atoms, may stay fractional and are written to "
        "0.01 of an atom: Ba0.6K0.4Fe2As2. GDMCD eq. 7: 2. In KIAGO none: 0. Doping mixes valences, so that few of "
        "them are neutral with one oxidation state per element; they are not exchanged for a neutral neighbour, which "
        "would be of whole atoms.")),
    Knob("rounding", "Rounding", method=GRADIENT, when=("exempt_elements", (0,)),
         choices={NEUTRAL: "to a neutral neighbour", NEAREST: "to the nearest formula"}, help=(
        "Where the nearest integer formula fails charge neutrality or the Pauling test, the best of the nearest "
        "formulas that pass both is proposed in its place. To the nearest formula: as in the papers, where about one "
        "proposal in five passes. Doped elements keep their fractions: with them it is always the nearest formula.")),
)  # fmt: skip
OBJECTIVE = (
    Knob("objective", "Aim", method=GRADIENT,
         choices={HIGHEST: "the highest Tc", TARGET: "a target Tc"}, help=(
        "Raise Tc without end (KIAGO eq. 13), or up to a target, above which nothing is gained: max(0, target − Tc), "
        "GDMCD eq. 3.")),
    Knob("target_tc_K", "Target Tc (K)", step=10.0, format="%.0f", method=GRADIENT, when=("objective", (TARGET,)),
         help="y_t of GDMCD eq. 3, which takes 300 K."),
    Knob("formation_energy_weight", "α (K per eV/atom)", step=0.5, format="%.2f", method=GRADIENT, help=(
        "Weight of the formation energy: how many kelvin one eV/atom is worth (KIAGO eq. 13). KIAGO 3.1: 4.")),
    Knob("caution", "Caution κ", step=0.25, format="%.2f", method=GRADIENT, help=(
        "What is raised is Tc minus κ times the error that the model expects of it: far from all known superconductors "
        "a high Tc is easily predicted and seldom true. 0: Tc alone, as in the papers. The published model knows no "
        "error.")),
    Knob("integer_weight", "β (K)", step=100.0, format="%.0f", method=GRADIENT, help=(
        "Weight of the integer loss: how strongly ratios are drawn to n/N in stage 2 (KIAGO eq. 16). Printed: 1; "
        "the authors' released code rises to 100,000 with the squared distance.")),
    Knob("integer_loss", "Distance to whole numbers", method=GRADIENT,
         choices={"absolute": "absolute", "squared": "squared"}, help=(
        "|x − n/N| as printed (GDMCD and KIAGO eq. 10), or its square as in the authors' released code.")),
    Knob("integer_schedule", "β in stage 2", method=GRADIENT,
         choices={"constant": "constant", "linear": "rises from 0"}, help=(
        "Constant as printed in KIAGO, or rising linearly from 0 as in the authors' released code.")),
    Knob("step_schedule", "Steps in stage 2", method=GRADIENT,
         choices={CONSTANT: "constant", SHRINKING: "shrink to 0"}, help=(
        "Steps that shrink let a composition come to rest on whole numbers of atoms; with constant ones, as in the "
        "papers, it is still pushed about at the end, which costs Tc where formulas are large.")),
)  # fmt: skip
_FROM_KNOWN = ("start", (KNOWN, INTERPOLATED))
GUESSES = (
    Knob("start", "Start from", task=RAISE_TC, method=GRADIENT,
         choices={BASE: "the base", RANDOM: "random mixtures", KNOWN: "known superconductors",
                  INTERPOLATED: "those, and mixtures of two", ENUMERATED: "every element and every pair"}, help=(
        "The base, mutated and perturbed (KIAGO 3.2). Random mixtures of as many elements as the base has (KIAGO 3.2, "
        "for comparison). Known superconductors: each as it is, then perturbed. Those and mixtures of two, by a ratio "
        "from Beta(10, 10) (GDMCD). Every element and every pair of elements beside what is fixed or has a floor: all "
        "binary and ternary hydrides, say (GDMCD S5).")),
    Knob("start_family", "Of the family", task=RAISE_TC, method=GRADIENT, when=_FROM_KNOWN,
         choices={ANY_FAMILY: "any", CUPRATE: "cuprates", IRON_BASED: "iron-based", HYDRIDE: "hydrides",
                  OTHER: "all others"}, help=(
        "Which known superconductors to start from: cuprates (Cu and O), iron-based ones (Fe with P, As, S, Se or Te), "
        "hydrides (at least 40% H), or all others.")),
    Knob("start_above_K", "With a Tc above (K)", step=5.0, format="%.0f", task=RAISE_TC, method=GRADIENT,
         when=_FROM_KNOWN, help=(
        "Which known superconductors to start from, by their reported Tc. GDMCD: 20 K.")),
    Knob("mutate_probability", "Chance to replace an element", step=0.01, format="%.2f", task=RAISE_TC, method=GRADIENT,
         help=(
        "For each element of the base, the chance to be replaced by another one, drawn by how often it occurs "
        "in superconductors. KIAGO 3.2: 0.22.")),
    Knob("added_elements", "Elements added, from", index=0, step=1, help=(
        "Fewest elements added to a first guess (KIAGO 3.2); in a random substitution, fewest that share a site.")),
    Knob("added_elements", "Elements added, to", index=1, step=1, help=(
        "Most elements added to a first guess (KIAGO 3.2); in a random substitution, most that share a site.")),
    Knob("perturb_ratio", "Largest added ratio", step=0.05, format="%.2f", method=GRADIENT, help=(
        "Added elements get a ratio between 0 and this, before normalising. KIAGO 3.2: 0.3.")),
)  # fmt: skip

GROUPS: tuple[tuple[str, tuple[Knob, ...]], ...] = (
    ("Search", SEARCH),
    ("Formula", FORMULA),
    ("Objective", OBJECTIVE),
    ("First guesses", GUESSES),
)
