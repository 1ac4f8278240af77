"""A design problem: everything a user asks for, frozen, checked, and the same after a round trip through JSON.

`DesignProblem` holds what was asked, as it was asked. `check` says everything that is wrong with it, each time as an
InputError whose `field` is the name of the field at fault, so that the page can show it beside its widget.
"""

from __future__ import annotations

import json
import math
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, field, fields, replace

from core import demands, elements
from core.composition import formula_of, parse_formula
from core.demands import Asked, Demands, Group
from core.errors import InputError
from core.families import FAMILIES
from core.sites import Site, atoms_after, check_sites, incoming, kept, takers

RAISE_TC, SUBSTITUTE = "raise_tc", "substitute"
TASKS = (RAISE_TC, SUBSTITUTE)
GRADIENT, SUBSTITUTION = "gradient", "substitution"
METHODS = (GRADIENT, SUBSTITUTION)
ONE_STATE, EVERY_ATOM = "one_state", "every_atom"
CHARGE_RULES = (ONE_STATE, EVERY_ATOM)
DEVICES = ("auto", "cpu", "cuda", "mps")
FLOAT32, BFLOAT16 = "float32", "bfloat16"
PRECISIONS = ("auto", FLOAT32, BFLOAT16)
INTEGER_LOSSES = ("absolute", "squared")
INTEGER_SCHEDULES = ("constant", "linear")
CONSTANT, SHRINKING = "constant", "shrinking"
STEP_SCHEDULES = (CONSTANT, SHRINKING)
HIGHEST, TARGET = "highest", "target"
OBJECTIVES = (HIGHEST, TARGET)
BASE, RANDOM, KNOWN, INTERPOLATED, ENUMERATED = "base", "random", "known", "interpolated", "enumerated"
STARTS = (BASE, RANDOM, KNOWN, INTERPOLATED, ENUMERATED)
ANY_FAMILY = "any"
START_FAMILIES = (ANY_FAMILY, *FAMILIES)
NEUTRAL, NEAREST = "neutral", "nearest"
ROUNDINGS = (NEUTRAL, NEAREST)
MAX_CANDIDATES, MAX_STEPS, MAX_ATOMS = 16_384, 5_000, 200
FIXED_TOLERANCE = 0.01  # relative; the paper counts a preserved part as kept within 1%


@dataclass(frozen=True)
class Models:
    """Names of the checkpoints that predict the critical temperature and the formation energy."""

    tc: str
    formation_energy: str


BEST = Models("tc-ensemble", "formation-energy-ensemble")
PUBLISHED = Models("tc", "formation-energy")  # the architectures of the papers: ResNet18 and ElemNet
MODELS = {"best": BEST, "published": PUBLISHED}


@dataclass(frozen=True)
class OptimiserSettings:
    """How the optimiser works; defaults measured to be good and fast on a laptop, `PAPER` is the paper's choice.

    candidates : compositions optimised at once
    steps : Adam steps in stage 1 (no integers) and stage 2 (with the integer loss)
    learning_rate : of Adam, in units of the unnormalised ratios
    formation_energy_weight : alpha of KIAGO eq. 13, K per (eV/atom)
    caution : kappa; what is raised is Tc - kappa times the error that the predictor expects. 0 in the papers
    integer_weight : beta of KIAGO eq. 16, K; its value at the end of stage 2 when the schedule is linear
    integer_loss : distance to the grid, absolute (KIAGO eq. 10) or squared (the authors' released code)
    integer_schedule : beta constant, or rising linearly from 0 over stage 2
    step_schedule : the learning rate constant (the papers), or shrinking to 0 over stage 2, so that a composition comes
        to rest on the grid
    rounding : the nearest integer formula (the papers), or "neutral": where that one fails the charge screens, the best
        of its neighbours on the grid that pass them; these are whole atoms, so not with exempt elements
    n_unit : smallest and largest number of atoms per formula unit (KIAGO eq. 11)
    max_elements : n_elem_max of KIAGO eq. 7, fixed elements included
    mutate_probability : chance for each element of the base to be replaced in an initial guess
    perturb_ratio : largest ratio of an element added to an initial guess
    added_elements : fewest and most elements added to (or, for a substitution, making up) an initial guess
    objective : "highest" Tc (KIAGO eq. 13), or a "target": max(0, target_tc_K - Tc) (GDMCD eq. 3)
    target_tc_K : y_t of GDMCD, K
    exempt_elements : so many, those that cost most, are left out of the integer loss and may stay fractional, as in
        doping; 2 in GDMCD eq. 7
    start : what the candidates of raise_tc start from: the "base" mutated and perturbed (KIAGO 3.2), "random" elements
        and ratios (its comparison), "known" superconductors, those and "interpolated" pairs of them (GDMCD), or
        "enumerated": each allowed element and each pair of them beside x_const (GDMCD S5)
    start_family, start_above_K : which known superconductors are meant
    """

    candidates: int = 256
    steps: tuple[int, int] = (75, 75)
    learning_rate: float = 0.03
    formation_energy_weight: float = 4.0
    caution: float = 1.0
    integer_weight: float = 300.0
    integer_loss: str = "absolute"
    integer_schedule: str = "linear"
    step_schedule: str = SHRINKING
    rounding: str = NEUTRAL
    n_unit: tuple[int, int] = (1, 25)
    max_elements: int = 7
    mutate_probability: float = 0.22
    perturb_ratio: float = 0.3
    added_elements: tuple[int, int] = (1, 4)
    objective: str = HIGHEST
    target_tc_K: float = 300.0
    exempt_elements: int = 0
    start: str = BASE
    start_family: str = ANY_FAMILY
    start_above_K: float = 20.0


# KIAGO 3.1 and 3.4; the weight and form of the integer loss are those of the authors' released code, because the
# printed beta = 1 leaves the compositions off the grid.
PAPER = OptimiserSettings(
    candidates=4096,
    steps=(500, 500),
    learning_rate=0.03,
    formation_energy_weight=4.0,
    caution=0.0,
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

# GDMCD: "optimization with Eq. 4, followed by Eq. 10", y_t = 300 K, {N} = 4..24, alpha rising to 100,000, no formation
# energy and no limit on the number of elements. How many of its 11,640 starts were interpolated it does not say.
GDMCD = OptimiserSettings(
    candidates=11_640,
    steps=(1000, 1000),
    learning_rate=0.01,
    formation_energy_weight=0.0,
    caution=0.0,
    integer_weight=100_000.0,
    integer_loss="absolute",
    integer_schedule="linear",
    step_schedule=CONSTANT,
    rounding=NEAREST,
    n_unit=(4, 24),
    max_elements=elements.N_ELEMENTS,
    objective=TARGET,
    target_tc_K=300.0,
    exempt_elements=2,
    start=INTERPOLATED,
    start_above_K=20.0,
)

# KIAGO 3.6; the floor of hydrogen and the rule of the charges belong to the problem.
HYDRIDE = OptimiserSettings(max_elements=3, n_unit=(1, 15), mutate_probability=0.29, perturb_ratio=0.03)
HYDRIDE_FLOORS = {"H": 0.40}


@dataclass(frozen=True)
class DesignProblem:
    """What a user asks for.

    task : "raise_tc" (start from the base, change anything that is not fixed) or "substitute" (keep the base, replace
        elements at the `sites`)
    base : formula of the known material
    fixed : symbol -> fraction of all atoms, x_const of KIAGO eq. 3. None: nothing for raise_tc, what the sites
        leave of the base for substitute
    floors : symbol -> least fraction of all atoms: part of x_const too, but the element stays in M_elem and may
        receive more (KIAGO 3.6, where hydrogen has 0.40)
    forbidden : symbols that may not appear (M_elem = 0)
    sites : what is replaced, and the charges that the replacements must be able to take; together they keep the charge
    settings : see OptimiserSettings
    seed : of all that is random
    device : auto, cpu, cuda or mps
    precision : of the steps; "auto" takes bfloat16 where the processor has units for it. Every value that is kept is
        predicted in float32
    tc_predictor, formation_energy_predictor : names of checkpoints
    method : "gradient" (KIAGO) or "substitution" (C-ES, the baseline of KIAGO 3.1: elements of the base are replaced at
        random by others of the same oxidation state, and nothing is optimised)
    bounds : symbol -> least and most fraction of all atoms
    groups : of elements, with a least and a most fraction of all atoms together
    ratios : each symbol -> parts; the elements keep this ratio: {"Ba": 2, "Y": 1}
    charge_rule : of the screen; "one_state" for each element and the Pauling test (SMACT, KIAGO 3.1), or "every_atom"
        is free to take any state of its element (KIAGO 3.6)
    """

    base: str
    task: str = RAISE_TC
    fixed: Mapping[str, float] | None = None
    forbidden: tuple[str, ...] = ()
    sites: tuple[Site, ...] = ()
    settings: OptimiserSettings = field(default_factory=OptimiserSettings)
    seed: int = 0
    device: str = "auto"
    tc_predictor: str = BEST.tc
    formation_energy_predictor: str = BEST.formation_energy
    method: str = GRADIENT
    floors: Mapping[str, float] = field(default_factory=dict)
    charge_rule: str = ONE_STATE
    bounds: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    groups: tuple[Group, ...] = ()
    ratios: tuple[Mapping[str, float], ...] = ()
    precision: str = "auto"

    def base_fractions(self) -> dict[str, float]:
        """Fractions of the base. Raises InputError if it cannot be read."""
        amounts = parse_formula(self.base)
        total = sum(amounts.values())
        return {symbol: amount / total for symbol, amount in amounts.items()}

    def fixed_fractions(self) -> dict[str, float]:
        """x_const as symbol -> fraction, with the task's default filled in. Raises InputError for a bad base."""
        if self.fixed is not None:
            return dict(self.fixed)
        if self.task == RAISE_TC:
            return {}
        return {symbol: amount / self.atoms_after() for symbol, amount in kept(self._amounts(), self.sites).items()}

    def atoms_after(self) -> float:
        """Atoms per formula unit of the base as it is written, when the sites are replaced (or left empty)."""
        return atoms_after(self._amounts(), self.sites if self.task == SUBSTITUTE else ())

    def free_parts(self) -> tuple[tuple[int | None, float], ...]:
        """The parts of the composition that are searched: oxidation state (None: any) and fraction of all atoms.

        One part for raise_tc, and one for each oxidation state that comes in for substitute.
        """
        room = 1 - sum(self.least_fractions().values())
        if self.task == RAISE_TC:
            return ((None, room),)
        atoms = incoming(self._amounts(), self.sites)
        return tuple((state, room * n / sum(atoms.values())) for state, n in atoms.items())

    def several_sites(self) -> bool:
        """Whether more than one element of the base is replaced: together they keep the total charge."""
        return self.task == SUBSTITUTE and len(self.sites) > 1

    def _amounts(self) -> dict[str, float]:
        return parse_formula(self.base)

    def least_fractions(self) -> dict[str, float]:
        """x_const as symbol -> fraction: what is fixed, and the floors. Raises InputError for a bad base."""
        return self.fixed_fractions() | dict(self.floors)

    def allowed_symbols(self, known: Collection[str], part: int | None = None) -> tuple[str, ...]:
        """Elements that one of the free parts (None: any of them) may contain, M_elem: known to the predictors, not
        forbidden, not fixed, able to take the part's oxidation state."""
        out = set(self.forbidden) | set(self.fixed_fractions())
        states = [state for state, _ in self.free_parts()]
        charged: set[str] = set()
        for state in states if part is None else states[part : part + 1]:
            charged |= set(elements.symbols() if state is None else takers(state))
        return tuple(s for s in elements.symbols() if s in charged and s in known and s not in out)

    def demands(self, known: Collection[str]) -> Demands | None:
        """Bounds, groups and ratios as nested sets; None if there are none. Raises InputError if they contradict."""
        if not (self.bounds or self.groups or self.ratios):
            return None
        allowed = self.allowed_symbols(known)
        return demands.read(Asked(self.bounds, self.groups, self.ratios, allowed, self.fixed_fractions(), self.floors))

    def atom_counts(self) -> tuple[int, ...]:
        """The N in `n_unit` at which the fixed part is whole atoms (within 1%) and whole atoms can reach the floors and
        keep bounds, groups and ratios; none if these contradict each other. At several sites all that is fixed and each
        free part must be whole exactly, or the total charge would not be kept.

        A substitution keeps the amounts of the base: multiples of its own N, the next one if none is in the range.
        """
        low, high = self.settings.n_unit
        if self.method == SUBSTITUTION:
            base = self.base_atoms()
            first = base and math.ceil(low / base) * base
            return tuple(range(first, max(first, high) + 1, base)) if base else ()
        fixed, floors = self.fixed_fractions().values(), self.floors.values()
        whole, tolerance = [*fixed], FIXED_TOLERANCE
        if self.several_sites():
            whole, tolerance = [*fixed, *(share for _, share in self.free_parts())], 0.0
        counts = tuple(n for n in range(low, high + 1) if _whole(whole, n, tolerance) and _reached(floors, fixed, n))
        try:
            asked = self.demands(elements.symbols())
        except InputError:
            return ()
        return counts if asked is None else tuple(n for n in counts if asked.can_be_whole(n))

    def base_atoms(self) -> int | None:
        """The smallest number of atoms (MAX_ATOMS at most) that makes the base a formula of whole atoms, or None."""
        fractions = self.base_fractions().values()
        return next((n for n in range(1, MAX_ATOMS + 1) if _whole(fractions, n)), None)

    def course(self) -> OptimiserSettings:
        """The settings as the optimiser carries them out: what a substitution has drawn is looked at once, unmoved, and
        doped formulas are rounded to the nearest, because their neutral neighbours are whole atoms, without doping."""
        if self.method == GRADIENT:
            return replace(self.settings, rounding=NEAREST) if self.settings.exempt_elements else self.settings
        return replace(self.settings, steps=(1, 0), learning_rate=0.0, rounding=NEAREST, exempt_elements=0, start=BASE)

    def to_json(self) -> str:
        """JSON text that `from_json` reads back to an equal problem."""
        return json.dumps(asdict(self), indent=1, ensure_ascii=False, sort_keys=True) + "\n"

    @classmethod
    def from_json(cls, text: str) -> DesignProblem:
        """Read a problem. Raises InputError for text that is no problem: unknown names, wrong types."""
        try:
            given = json.loads(text)
        except ValueError as error:
            raise InputError("problem", text[:40], f"this is not JSON ({error})", "Export it again") from None
        if not isinstance(given, dict) or "base" not in given:
            raise InputError("problem", text[:40], "a problem needs at least a base", 'Write {"base": "LaFeAsO"}')
        settings = _read_settings(given.pop("settings", {}))
        _read_sites(given)
        _read_amounts(given)
        _read_demands(given)
        _refuse_unknown(given, cls, "problem")
        problem = cls(**given)
        return replace(
            problem,
            sites=_as_tuple(problem.sites, "sites"),
            settings=settings,
        )

    def check(self, known: Mapping[str, Collection[str]]) -> list[InputError]:
        """Everything that is wrong with this problem, in the order of the page; empty if it can be run.

        known : for each predictor (as it is called in messages) the symbols of the elements that it knows
        """
        wrong = _check_task(self)
        base = _readable_base(self, wrong)
        if base is not None:
            wrong += _check_known("base", base, known)
        wrong += _check_amounts("fixed", self.fixed or {}, known)
        wrong += _check_amounts("floors", self.floors, known)
        wrong += _check_forbidden(self)
        wrong += demands.check(self.bounds, self.groups, self.ratios)
        wrong += check_settings(self.settings)
        if not wrong:
            wrong += _check_together(self, known)
        return wrong


_PAIRS = ("steps", "n_unit", "added_elements")
# Settings that older versions did not have, each with the value that means what they did.
_LATER = {
    "caution": 0.0, "rounding": NEAREST, "step_schedule": CONSTANT, "objective": HIGHEST, "target_tc_K": 300.0,
    "exempt_elements": 0, "start": BASE, "start_family": ANY_FAMILY, "start_above_K": 20.0,
}  # fmt: skip


def _read_settings(given: object) -> OptimiserSettings:
    """Settings as JSON has them. `to_json` writes all that its version knows: where those of the first version are
    complete, one that is missing came later. In settings written by hand what is missing has its default."""
    _refuse_unknown(given, OptimiserSettings, "settings")
    first = {f.name for f in fields(OptimiserSettings)} - _LATER.keys()
    known = (_LATER if first <= given.keys() else {}) | given
    return OptimiserSettings(**{k: _as_tuple(v, k) if k in _PAIRS else v for k, v in known.items()})


def _read_sites(given: dict) -> None:
    """Sites as JSON objects; a problem of an older version has one, as `target` with its `oxidation_state`."""
    target, state = given.pop("target", None), given.pop("oxidation_state", None)
    if target is not None and "sites" not in given:
        given["sites"] = [{"element": target, "state": state}]
    sites = _as_tuple(given.get("sites", ()), "sites")
    for site in sites:
        _refuse_unknown(site, Site, "sites")
        if not isinstance(site.get("element"), str):
            raise InputError(
                "sites", site.get("element"), "a site is an element of the base", 'Write {"element": "La"}'
            )
    given["sites"] = tuple(Site(**site) for site in sites)


def _read_amounts(given: dict) -> None:
    """What is fixed, has a floor or is forbidden."""
    for name, kinds in (("fixed", dict | None), ("floors", dict)):
        if name in given and not isinstance(given[name], kinds):
            raise InputError(name, given[name], "this must be a JSON object", 'Write {"O": 0.25}')
    given["forbidden"] = _as_tuple(given.get("forbidden", ()), "forbidden")
    for symbol in given["forbidden"]:
        if not isinstance(symbol, str):
            raise InputError("forbidden", symbol, "each of them must be a symbol", 'Write ["Hg", "Tl"]')


def _read_demands(given: dict) -> None:
    """Bounds, groups and ratios as JSON has them."""
    bounds, groups, ratios = given.get("bounds", {}), given.get("groups", ()), given.get("ratios", ())
    for name, value, kind in (
        ("bounds", bounds, dict),
        ("groups", groups, list | tuple),
        ("ratios", ratios, list | tuple),
    ):
        if not isinstance(value, kind):
            raise InputError(name, value, "this is of the wrong kind", "Export the problem again")
    for name, value in (("groups", groups), ("ratios", ratios)):
        if not all(isinstance(each, dict) for each in value):
            raise InputError(name, value, "each of them must be a JSON object", "Export the problem again")
    given["bounds"] = {symbol: _as_tuple(limits, "bounds") for symbol, limits in bounds.items()}
    for group in groups:
        _refuse_unknown(group, Group, "groups")
    given["groups"] = tuple(
        Group(**group | {"elements": _as_tuple(group.get("elements"), "groups")}) for group in groups
    )
    given["ratios"] = tuple(ratios)


def _refuse_unknown(given: object, cls: type, name: str) -> None:
    if not isinstance(given, dict):
        raise InputError(name, given, "this must be a JSON object", "Export the problem again")
    names = {f.name for f in fields(cls)}
    for key in given:
        if key not in names:
            raise InputError(name, key, "there is no such field", f"Known: {', '.join(sorted(names))}")


def _as_tuple(value: object, name: str) -> tuple:
    if not isinstance(value, list | tuple):
        raise InputError(name, value, "this must be a list", "Write it in square brackets")
    return tuple(value)


def _whole(fractions: Collection[float], n: int, tolerance: float = 0.0) -> bool:
    """Whether all of them are whole atoms of n, one at least; tolerance : relative."""
    return all(round(x * n) >= 1 and abs(round(x * n) - x * n) <= tolerance * x * n + 1e-6 for x in fractions)


def _reached(floors: Collection[float], fixed: Collection[float], n: int) -> bool:
    return sum(least_atoms(x, n) for x in floors) + sum(round(x * n) for x in fixed) <= n


def least_atoms(floor: float, n: float) -> int:
    """The fewest of n atoms that are at least this fraction of them."""
    return math.ceil(floor * n - 1e-6)


def _check_task(problem: DesignProblem) -> list[InputError]:
    wrong = []
    choices_of = {"task": TASKS, "device": DEVICES, "precision": PRECISIONS, "method": METHODS,
                  "charge_rule": CHARGE_RULES}  # fmt: skip
    for name, choices in choices_of.items():
        if getattr(problem, name) not in choices:
            wrong.append(InputError(name, getattr(problem, name), "unknown", f"Choose {' or '.join(choices)}"))
    if isinstance(problem.seed, bool) or not isinstance(problem.seed, int) or not 0 <= problem.seed < 2**32:
        wrong.append(InputError("seed", problem.seed, "a seed is a whole number of 0 or more", "Take 0"))
    return wrong


def _readable_base(problem: DesignProblem, wrong: list[InputError]) -> dict[str, float] | None:
    """The base's fractions, or None with the reason added to `wrong`; checks the sites on the way."""
    try:
        base = problem.base_fractions()
    except InputError as error:
        wrong.append(InputError("base", error.value, error.rule, error.remedy, error.position))
        return None
    if problem.task == SUBSTITUTE:
        wrong += check_sites(parse_formula(problem.base), problem.sites)
    return base


def _check_known(name: str, used: Collection[str], known: Mapping[str, Collection[str]]) -> list[InputError]:
    return [
        InputError(name, symbol, f"the {predictor} does not know this element", "Replace it by another element")
        for predictor, symbols in known.items()
        for symbol in used
        if elements.is_element(symbol) and symbol not in symbols
    ]


def _check_amounts(name: str, amounts: Mapping[str, float], known: Mapping[str, Collection[str]]) -> list[InputError]:
    """What is wrong with the amounts of single elements, each by itself."""
    wrong = []
    for symbol, amount in amounts.items():
        if not elements.is_element(symbol):
            wrong.append(InputError(name, symbol, "it is not an element", "Check the spelling and the capitals"))
        elif not _is_number(amount) or amount <= 0:
            wrong.append(
                InputError(
                    name, f"{symbol} {amount}", "an amount is a finite number above zero", "Correct the amount"
                )
            )  # fmt: skip
    if not wrong and sum(amounts.values()) >= 1 - 1e-9:
        wrong.append(_no_room(name, amounts))
    return wrong + _check_known(name, amounts, known)


def _no_room(name: str, amounts: Mapping[str, float]) -> InputError:
    return InputError(
        name, f"sum of x_const = {sum(amounts.values()):.4g}",
        "the fixed part must leave room for the rest (sum of x_const below 1)",
        "Fix fewer elements or smaller amounts" if name == "fixed" else "Lower the floors, or fix less",
    )  # fmt: skip


def _check_forbidden(problem: DesignProblem) -> list[InputError]:
    wrong = [
        InputError("forbidden", symbol, "it is not an element", "Check the spelling and the capitals")
        for symbol in problem.forbidden
        if not elements.is_element(symbol)
    ]
    for name, amounts, words in (
        ("fixed", problem.fixed or {}, "both fixed and forbidden"), ("floors", problem.floors, "forbidden"),
    ):  # fmt: skip
        both = [symbol for symbol in amounts if symbol in problem.forbidden]
        wrong += [InputError(name, symbol, f"it is {words}", "Free it, or allow it") for symbol in both]
    return wrong


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _range_error(name: str, value: object, low: float, high: float, unit: str, whole: bool) -> list[InputError]:
    kind = "a whole number" if whole else "a number"
    if _is_number(value) and low <= value <= high and (not whole or isinstance(value, int)):
        return []
    unit = f" {unit}" if unit else ""
    return [InputError(name, value, f"{name.replace('_', ' ')} is {kind} from {low:g} to {high:,}{unit}",
                       "Choose a value in this range")]  # fmt: skip


def check_settings(settings: OptimiserSettings) -> list[InputError]:
    """Everything that is wrong with the settings by themselves."""
    s = settings
    wrong = _range_error("candidates", s.candidates, 1, MAX_CANDIDATES, "", True)
    for pair, low, high in (("steps", 0, MAX_STEPS), ("n_unit", 1, MAX_ATOMS), ("added_elements", 0, 20)):
        values = getattr(s, pair)
        if len(values) != 2:
            wrong.append(InputError(pair, values, "two numbers are needed", "Give both"))
            continue
        for value in values:
            wrong += _range_error(pair, value, low, high, "", True)
        if not wrong and pair != "steps" and values[0] > values[1]:
            wrong.append(InputError(pair, values, "the first number is above the second", "Exchange them"))
    if not wrong and not 1 <= sum(s.steps) <= MAX_STEPS:
        wrong.append(
            InputError("steps", sum(s.steps), f"both stages together take 1 to {MAX_STEPS:,} steps", "Take fewer")
        )
    wrong += _range_error("learning_rate", s.learning_rate, 1e-6, 1, "", False)
    wrong += _range_error("caution", s.caution, 0, 10, "K per K", False)
    wrong += _range_error("formation_energy_weight", s.formation_energy_weight, 0, 1e4, "K per eV/atom", False)
    wrong += _range_error("integer_weight", s.integer_weight, 0, 1e7, "K", False)
    wrong += _range_error("max_elements", s.max_elements, 1, elements.N_ELEMENTS, "", True)
    wrong += _range_error("mutate_probability", s.mutate_probability, 0, 1, "", False)
    wrong += _range_error("perturb_ratio", s.perturb_ratio, 0, 10, "", False)
    wrong += _range_error("target_tc_K", s.target_tc_K, 1, 1000, "K", False)
    wrong += _range_error("exempt_elements", s.exempt_elements, 0, 10, "", True)
    wrong += _range_error("start_above_K", s.start_above_K, 0, 300, "K", False)
    choices_of = {
        "integer_loss": INTEGER_LOSSES, "integer_schedule": INTEGER_SCHEDULES, "step_schedule": STEP_SCHEDULES,
        "rounding": ROUNDINGS, "objective": OBJECTIVES, "start": STARTS, "start_family": START_FAMILIES,
    }  # fmt: skip
    for name, choices in choices_of.items():
        if getattr(s, name) not in choices:
            wrong.append(InputError(name, getattr(s, name), "unknown", f"Choose {' or '.join(choices)}"))
    return wrong


def _check_together(problem: DesignProblem, known: Mapping[str, Collection[str]]) -> list[InputError]:
    """What can only be judged when every field is right by itself."""
    wrong = []
    known_to_all = set(elements.symbols()).intersection(*map(set, known.values()))
    parts = problem.free_parts()
    for part, (state, _) in enumerate(parts):
        if not problem.allowed_symbols(known_to_all, part):
            of_state = "" if state is None else f" of {state:+d}"
            wrong.append(
                InputError(
                    "forbidden", formula_of(problem.fixed_fractions()),
                    f"no element is allowed for the free part{of_state}",
                    "Allow some elements, or choose another oxidation state",
                )
            )  # fmt: skip
    wrong += _check_kept(problem)
    wrong += _check_floors(problem)
    wrong += _check_demands(problem, known_to_all)
    n_least, needed = len(problem.least_fractions()), 0 if problem.floors else len(parts)
    if n_least + needed > problem.settings.max_elements:
        rule = f"{n_least} elements are fixed or have a floor"
        if needed:
            more = "one more is" if needed == 1 else f"{needed} more are"
            rule = f"{n_least} elements are fixed, and at least {more} needed"
        wrong.append(
            InputError("max_elements", problem.settings.max_elements, rule, f"Allow {n_least + needed} or more")
        )
    if len(parts) > 1 and problem.settings.exempt_elements:
        wrong.append(
            InputError("exempt_elements", problem.settings.exempt_elements, "at several sites every element is whole",
                       "Take 0")
        )  # fmt: skip
    if problem.method == SUBSTITUTION and problem.base_atoms() is None:
        wrong.append(
            InputError(
                "base", problem.base, f"a substitution needs a base of whole atoms, {MAX_ATOMS} at most",
                "Round its amounts",
            )
        )  # fmt: skip
    elif not wrong and not problem.atom_counts():
        wrong.append(_no_atom_count(problem))
    return wrong


def _check_kept(problem: DesignProblem) -> list[InputError]:
    """At several sites all else must be as in the base: what is searched beside them would change the charge."""
    if not problem.several_sites():
        return []
    fixed, base = problem.fixed_fractions(), replace(problem, fixed=None).fixed_fractions()
    rule = "where several elements are replaced, all others stay as in the base, or the charge is not kept"
    wrong = [
        InputError("fixed", f"{s} {fixed[s]:.4g}" if s in fixed else s, rule, f"Fix {s} at {x:.4g} of the atoms")
        for s, x in base.items()
        if abs(fixed.get(s, 0) - x) > 1e-6
    ]  # fmt: skip
    return wrong + [InputError("fixed", s, rule, f"Free {s}, it does not stay") for s in fixed if s not in base]


def _check_floors(problem: DesignProblem) -> list[InputError]:
    """What floors and the rest of the problem cannot be together."""
    if not problem.floors:
        return []
    if problem.task == SUBSTITUTE or problem.method == SUBSTITUTION:
        return [
            InputError("floors", ", ".join(problem.floors), "a substitution keeps the rest of the base as it is",
                       "Remove the floors, or raise Tc")
        ]  # fmt: skip
    both = [symbol for symbol in problem.floors if symbol in problem.fixed_fractions()]
    wrong = [InputError("floors", symbol, "it is fixed already", "Free it, or remove the floor") for symbol in both]
    if not wrong and sum(problem.least_fractions().values()) >= 1 - 1e-9:
        wrong.append(_no_room("floors", problem.least_fractions()))
    return wrong


def _check_demands(problem: DesignProblem, known: Collection[str]) -> list[InputError]:
    """What bounds, groups and ratios cannot be together, and with the rest of the problem."""
    named = next((name for name in ("bounds", "groups", "ratios") if getattr(problem, name)), None)
    if named is None:
        return []
    if problem.method == SUBSTITUTION or len(problem.free_parts()) > 1:
        return [
            InputError(named, problem.base, "a substitution at several sites, or at random, keeps the base's amounts",
                       "Remove bounds, groups and ratios, or replace one element by gradient")
        ]  # fmt: skip
    if problem.settings.exempt_elements:
        return [
            InputError("exempt_elements", problem.settings.exempt_elements, "bounds, groups and ratios are kept by "
                       "whole atoms", "Take 0, or remove bounds, groups and ratios")
        ]  # fmt: skip
    try:
        needed = problem.demands(known).n_required()
    except InputError as error:
        return [error]
    if needed > problem.settings.max_elements:
        return [
            InputError("max_elements", problem.settings.max_elements, f"what is asked for needs {needed} elements",
                       f"Allow {needed} or more")
        ]  # fmt: skip
    return []


def _no_atom_count(problem: DesignProblem) -> InputError:
    low, high = problem.settings.n_unit
    fixed = problem.fixed_fractions()
    wider = replace(problem, settings=replace(problem.settings, n_unit=(high + 1, MAX_ATOMS)))
    fits = next(iter(wider.atom_counts()), None)
    remedy = f"Raise the largest N to {fits}" if fits else "Round the fixed amounts"
    shown = ", ".join(f"{symbol} {x:.4g}" for symbol, x in fixed.items())
    shown += "".join(f", {symbol} at least {x:.4g}" for symbol, x in problem.floors.items())
    rule = f"no N in this range makes the fixed part whole atoms ({shown.removeprefix(', ')})"
    if problem.bounds or problem.groups or problem.ratios:
        rule = "no N in this range has whole atoms that keep what is fixed, all bounds, groups and ratios"
        remedy = remedy if fits else "Loosen them"
    return InputError("n_unit", f"{low}..{high}", rule, remedy)
