"""The design problem: the immutable specification of a run, with a lossless round trip through JSON.

`DesignProblem` stores the input unchanged and unchecked. `core.problem.validation` lists its errors.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from core.chemistry import elements
from core.chemistry.formula_reader import parse_formula
from core.chemistry.tolerances import FIXED_FRACTION, WHOLE_ATOM
from core.errors import InputError
from core.problem import composition_constraints, serialization
from core.problem.composition_constraints import ConstraintRequest, Group
from core.problem.constraint_sets import CompositionConstraints
from core.problem.origin import Origin
from core.problem.settings import (
    DEFAULT_METHOD,
    FORMATION_ENERGY_PREDICTOR,
    MAX_ATOMS,
    ONE_STATE,
    RAISE_TC,
    SUBSTITUTE,
    TC_PREDICTOR,
    OptimiserSettings,
)
from core.problem.substitution_sites import Replacement, Site, atoms_after, incoming, kept, without_return


@dataclass(frozen=True)
class DesignProblem:
    """Specification of a run. Fractions refer to all atoms of the composition.

    task : "raise_tc" (start from the base, change every element that is not fixed) or "substitute" (keep the base,
        replace elements at the `sites`)
    base : formula of the known material
    fixed : symbol -> fraction, x_const of KIAGO eq. 3. None: nothing is fixed (raise_tc), or all atoms of the base that
        the sites do not replace (substitute)
    floors : symbol -> minimum fraction: part of x_const, but the element stays in M_elem and its fraction may grow
        (KIAGO 3.6, with 0.40 for hydrogen)
    forbidden : symbols of excluded elements (M_elem = 0)
    sites : replaced elements, the oxidation states and the group of their replacements, and whether an element may be
        among the replacements itself; together they keep the total charge
    settings : see OptimiserSettings
    seed : seed of all random streams
    device : "auto", "cpu", "cuda" or "mps"
    precision : of the optimisation steps; "auto" selects bfloat16 on a CPU and TF32 on a GPU with matrix units for it.
        All stored values are predicted in float32
    tc_predictor, formation_energy_predictor : checkpoint names
    method : name of a generator, see `core.generation.registry`: "gradient" (KIAGO), "substitution" (C-ES), ...
    method_settings : name -> value, of settings that only this method reads; missing ones have their defaults
    bounds : symbol -> lower and upper bound of the fraction
    groups : sets of elements with bounds on the sum of their fractions
    ratios : symbol -> part, for elements in a constant ratio: {"Ba": 2, "Y": 1}
    origin : the candidate of another run that became the base; None if there is none. It changes no result
    charge_rule : "one_state": one oxidation state per element, with the Pauling test (SMACT, KIAGO 3.1); "every_atom":
        any state of its element for every atom (KIAGO 3.6)
    """

    base: str
    task: str = RAISE_TC
    fixed: Mapping[str, float] | None = None
    forbidden: tuple[str, ...] = ()
    sites: tuple[Site, ...] = ()
    settings: OptimiserSettings = field(default_factory=OptimiserSettings)
    seed: int = 0
    device: str = "auto"
    tc_predictor: str = TC_PREDICTOR
    formation_energy_predictor: str = FORMATION_ENERGY_PREDICTOR
    method: str = DEFAULT_METHOD
    floors: Mapping[str, float] = field(default_factory=dict)
    charge_rule: str = ONE_STATE
    bounds: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    groups: tuple[Group, ...] = ()
    ratios: tuple[Mapping[str, float], ...] = ()
    precision: str = "auto"
    method_settings: Mapping[str, float | int | str] = field(default_factory=dict)
    origin: Origin | None = None

    def base_fractions(self) -> dict[str, float]:
        """The base as symbol -> fraction. Raises InputError if the formula cannot be parsed."""
        amounts = parse_formula(self.base)
        total = sum(amounts.values())
        return {symbol: amount / total for symbol, amount in amounts.items()}

    def fixed_fractions(self) -> dict[str, float]:
        """Fixed elements as symbol -> fraction, by default those of the task. Raises InputError for an invalid base."""
        if self.fixed is not None:
            return dict(self.fixed)
        if self.task == RAISE_TC:
            return {}
        return {symbol: amount / self.atoms_after() for symbol, amount in kept(self._amounts(), self.sites).items()}

    def atoms_after(self) -> float:
        """Atoms per formula unit of the base, as written, after the replacement at the sites."""
        return atoms_after(self._amounts(), self.sites if self.task == SUBSTITUTE else ())

    def free_parts(self) -> tuple[tuple[Replacement | None, float], ...]:
        """The free parts of the composition: its elements (None: any) and fraction of all atoms.

        raise_tc has one part, substitute one for each oxidation state and group of the replacements.
        """
        room = 1 - sum(self.least_fractions().values())
        if self.task == RAISE_TC:
            return ((None, room),)
        atoms = incoming(self._amounts(), self.sites)
        return tuple((elements_, room * n / sum(atoms.values())) for elements_, n in atoms.items())

    def several_sites(self) -> bool:
        """Whether more than one element of the base is replaced: only the sites together keep the total charge."""
        return self.task == SUBSTITUTE and len(self.sites) > 1

    def _amounts(self) -> dict[str, float]:
        return parse_formula(self.base)

    def least_fractions(self) -> dict[str, float]:
        """x_const, fixed elements and floors, as symbol -> fraction. Raises InputError for an invalid base."""
        return self.fixed_fractions() | dict(self.floors)

    def allowed_symbols(self, known: Collection[str], part: int | None = None) -> tuple[str, ...]:
        """M_elem of one free part, or with None of all parts, as symbols in the order of the element table.

        These elements are known to the predictors, neither forbidden nor fixed, belong to the part's replacements, and
        are not replaced themselves unless their site lets them return.
        """
        excluded = set(self.forbidden) | set(self.fixed_fractions())
        if self.task == SUBSTITUTE:
            excluded |= without_return(self.sites)
        after = [replacement for replacement, _ in self.free_parts()]
        charged: set[str] = set()
        for replacement in after if part is None else after[part : part + 1]:
            charged |= set(elements.symbols() if replacement is None else replacement.symbols())
        return tuple(s for s in elements.symbols() if s in charged and s in known and s not in excluded)

    def composition_constraints(self, known: Collection[str]) -> CompositionConstraints | None:
        """Bounds, groups and ratios as a laminar family; None without any. Raises InputError for a contradiction."""
        if not (self.bounds or self.groups or self.ratios):
            return None
        allowed = self.allowed_symbols(known)
        return composition_constraints.nested_constraints(
            ConstraintRequest(self.bounds, self.groups, self.ratios, allowed, self.fixed_fractions(), self.floors)
        )

    def atom_counts(self) -> tuple[int, ...]:
        """Atom counts N in `n_unit` for which an integer formula can satisfy all constraints, ascending.

        Fixed elements have whole numbers of atoms within 1%, floors, bounds, groups and ratios hold exactly. With
        several sites the fixed elements and each free part are whole exactly, because the total charge depends on both.
        Empty if the constraints contradict each other.
        """
        low, high = self.settings.n_unit
        fixed, floors = self.fixed_fractions().values(), self.floors.values()
        whole, tolerance = list(fixed), FIXED_FRACTION
        if self.several_sites():
            whole, tolerance = [*fixed, *(share for _, share in self.free_parts())], 0.0
        counts = tuple(n for n in range(low, high + 1) if _whole(whole, n, tolerance) and _have_room(floors, fixed, n))
        try:
            constraints = self.composition_constraints(elements.symbols())
        except InputError:
            return ()
        return counts if constraints is None else tuple(n for n in counts if constraints.feasible_atom_count(n))

    def base_atoms(self) -> int | None:
        """Smallest number of atoms, up to MAX_ATOMS, with which the base is an integer formula; None without one."""
        fractions = self.base_fractions().values()
        return next((n for n in range(1, MAX_ATOMS + 1) if _whole(fractions, n)), None)

    def to_json(self) -> str:
        """The problem as JSON text; `from_json` restores an equal problem."""
        return serialization.to_text(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> DesignProblem:
        """Read a problem from JSON text. Raises InputError for invalid JSON, unknown fields or wrong types."""
        given: dict[str, Any] = serialization.read_fields(text, {f.name for f in fields(cls)})
        return cls(**given)


def _whole(fractions: Collection[float], n: int, tolerance: float = 0.0) -> bool:
    """Whether each fraction of n atoms is a positive whole number, within a relative tolerance."""
    return all(round(x * n) >= 1 and abs(round(x * n) - x * n) <= tolerance * x * n + WHOLE_ATOM for x in fractions)


def _have_room(floors: Collection[float], fixed: Collection[float], n: int) -> bool:
    """Whether n atoms are enough for the fixed elements and the floors, each rounded to whole atoms."""
    return sum(least_atoms(x, n) for x in floors) + sum(round(x * n) for x in fixed) <= n


def least_atoms(floor: float, n: float) -> int:
    """Smallest whole number of atoms that is at least this fraction of n atoms."""
    return math.ceil(floor * n - WHOLE_ATOM)
