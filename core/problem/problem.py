"""A design problem: everything a user asks for, frozen, checked, and the same after a round trip through JSON.

`DesignProblem` holds what was asked, as it was asked. `check` says everything that is wrong with it, each time as an
InputError whose `field` is the name of the field at fault, so that the page can show it beside its widget.
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
from core.problem.composition_constraints import CompositionConstraints, ConstraintRequest, Group
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
from core.problem.substitution_sites import Site, atoms_after, incoming, kept, takers


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
    tc_predictor: str = TC_PREDICTOR
    formation_energy_predictor: str = FORMATION_ENERGY_PREDICTOR
    method: str = DEFAULT_METHOD
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

    def composition_constraints(self, known: Collection[str]) -> CompositionConstraints | None:
        """Bounds, groups and ratios as nested sets; None if there are none. Raises InputError if they contradict."""
        if not (self.bounds or self.groups or self.ratios):
            return None
        allowed = self.allowed_symbols(known)
        return composition_constraints.read(
            ConstraintRequest(self.bounds, self.groups, self.ratios, allowed, self.fixed_fractions(), self.floors)
        )

    def atom_counts(self) -> tuple[int, ...]:
        """The N in `n_unit` at which the fixed part is whole atoms (within 1%) and whole atoms can reach the floors and
        keep bounds, groups and ratios; none if these contradict each other. At several sites all that is fixed and each
        free part must be whole exactly, or the total charge would not be kept.
        """
        low, high = self.settings.n_unit
        fixed, floors = self.fixed_fractions().values(), self.floors.values()
        whole, tolerance = [*fixed], FIXED_FRACTION
        if self.several_sites():
            whole, tolerance = [*fixed, *(share for _, share in self.free_parts())], 0.0
        counts = tuple(n for n in range(low, high + 1) if _whole(whole, n, tolerance) and _reached(floors, fixed, n))
        try:
            constraints = self.composition_constraints(elements.symbols())
        except InputError:
            return ()
        return counts if constraints is None else tuple(n for n in counts if constraints.can_be_whole(n))

    def base_atoms(self) -> int | None:
        """The smallest number of atoms (MAX_ATOMS at most) that makes the base a formula of whole atoms, or None."""
        fractions = self.base_fractions().values()
        return next((n for n in range(1, MAX_ATOMS + 1) if _whole(fractions, n)), None)

    def to_json(self) -> str:
        """JSON text that `from_json` reads back to an equal problem."""
        return serialization.to_text(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> DesignProblem:
        """Read a problem. Raises InputError for text that is no problem: unknown names, wrong types."""
        given: dict[str, Any] = serialization.read_fields(text, {f.name for f in fields(cls)})
        return cls(**given)


def _whole(fractions: Collection[float], n: int, tolerance: float = 0.0) -> bool:
    """Whether all of them are whole atoms of n, one at least; tolerance : relative."""
    return all(round(x * n) >= 1 and abs(round(x * n) - x * n) <= tolerance * x * n + WHOLE_ATOM for x in fractions)


def _reached(floors: Collection[float], fixed: Collection[float], n: int) -> bool:
    return sum(least_atoms(x, n) for x in floors) + sum(round(x * n) for x in fixed) <= n


def least_atoms(floor: float, n: float) -> int:
    """The fewest of n atoms that are at least this fraction of them."""
    return math.ceil(floor * n - WHOLE_ATOM)
