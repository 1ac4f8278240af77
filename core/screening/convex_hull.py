"""Distance of a composition to the convex hull of reference phases.

The stable decomposition of a composition x is the mixture of reference phases with the lowest energy,

    E_hull(x) = min  sum_k f_k E_k    subject to    sum_k f_k x_k = x,   f_k >= 0,

with f_k the fraction of the atoms in phase k: a linear programme with one equality per element. It is exact for any
number of elements, whereas constructing the whole hull becomes infeasible from about seven elements.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.optimize import linprog

from core.chemistry import elements
from core.chemistry.composition import checked_compositions
from core.chemistry.tolerances import LEAST_PHASE_FRACTION, SAME_COMPOSITION, SAME_PHASE_DIGITS
from core.screening import simplex

Decomposition = tuple[tuple[str, float], ...]  # phases (formula, fraction of the atoms), the largest first


@dataclass(frozen=True)
class HullDistance:
    """Distance of one composition to the hull.

    energy_above_hull_eV_per_atom : signed; negative below the hull of the references
    decomposition : competing phases; their fractions sum to 1
    calculated : whether the composition is a reference phase with a calculated energy, which was used
    """

    energy_above_hull_eV_per_atom: float
    decomposition: Decomposition
    calculated: bool = False


@dataclass(frozen=True)
class ReferencePhases:
    """Reference phases of one chemical system of k elements.

    formulas (m,), fractions (m, k), energies (m,) : in eV/atom
    """

    formulas: tuple[str, ...]
    fractions: np.ndarray
    energies: np.ndarray


class Hull:
    """The convex hull of reference phases, which are stored sparsely."""

    def __init__(
        self,
        compositions: np.ndarray,
        formation_energies: np.ndarray,
        formulas: Sequence[str],
        calculated: np.ndarray | None = None,
    ):
        """Build the hull from compositions (n, 118) with rows that sum to 1, energies (n,) in eV/atom, and n formulas.

        calculated : (n,) bool, whether an energy is from a calculation, not from the predictor that gives the energies
            of the compositions to place; None: of no phase

        The elements are always references, at 0 eV/atom by the definition of a formation energy; rows of a single
        element are therefore omitted. Rows with a positive energy, which are less stable than the elements, are also
        omitted. Of several rows with the same composition only the one with the lowest energy is kept. No result
        depends on the order of the rows.

        Raises ValueError if shapes disagree, an energy is not finite, or a row is not a composition.
        """
        compositions = checked_compositions(compositions)
        energies = _checked_energies(formation_energies, len(compositions))
        if len(formulas) != len(compositions):
            raise ValueError(f"{len(formulas)} formulas for {len(compositions)} compositions")
        useful = (energies <= 0) & (np.count_nonzero(compositions, axis=1) > 1)
        rows, columns = np.nonzero(compositions)
        rows, columns = rows[useful[rows]], columns[useful[rows]]
        fractions = compositions[rows, columns]
        chosen = np.flatnonzero(useful)
        starts = np.searchsorted(rows, np.append(chosen, len(compositions)))
        energies, formulas = energies[chosen], [str(formulas[i]) for i in chosen]
        kept = _lowest_of_each(columns, fractions, starts, energies, formulas)

        self._formulas = [formulas[i] for i in kept]
        self._energies = energies[kept]
        by_calculation = np.zeros(len(compositions), bool) if calculated is None else np.asarray(calculated, bool)
        self._calculated = by_calculation[chosen][kept]
        places = [np.arange(starts[i], starts[i + 1]) for i in kept]
        flat = np.concatenate(places) if places else np.zeros(0, int)
        self._starts = np.concatenate([[0], np.cumsum([len(p) for p in places])]).astype(np.int64)
        self._columns = columns[flat].astype(np.uint8)
        self._fractions = fractions[flat]
        self._masks = _masks(self._columns, self._starts)

    def __len__(self) -> int:
        """Number of reference phases, without the elements and the omitted rows."""
        return len(self._formulas)

    @cached_property
    def calculated_energies(self) -> dict[str, float]:
        """Formula -> energy in eV/atom of the reference phases whose energy is from a calculation."""
        places = np.flatnonzero(self._calculated)
        return {self._formulas[i]: float(self._energies[i]) for i in places}

    def distance(self, composition: np.ndarray, formation_energy: float) -> HullDistance:
        """Distance to the hull of one composition (118,) with this formation energy in eV/atom.

        The composition itself is not a reference; a reference phase of the same composition competes with it. Raises
        ValueError unless the energy is finite and the fractions are >= 0 with sum 1.
        """
        return self.distances(np.asarray(composition)[None], np.array([formation_energy]))[0]

    def distances(
        self, compositions: np.ndarray, formation_energies: np.ndarray, to_others: bool = False
    ) -> list[HullDistance]:
        """Distances to the hull of compositions (n, 118) with formation energies (n,) in eV/atom; see `distance`.

        The composition of a reference phase with a calculated energy has that energy, whatever is given for it.

        to_others : exclude a reference phase of the same composition
        """
        compositions = checked_compositions(compositions)
        energies = _checked_energies(formation_energies, len(compositions))
        return [self._distance(x, float(energy), to_others) for x, energy in zip(compositions, energies, strict=True)]

    def phases_of(self, indices: Sequence[int]) -> ReferencePhases:
        """The references made of these elements only, with fractions in the order of the indices (k,), all different.

        The elements themselves are left out.
        """
        order = np.argsort(indices)
        present = np.asarray(indices)[order]
        inside = self._inside(present)
        fractions = np.zeros((len(inside), len(present)))
        fractions[:, order] = self._matrix(present, inside)[:, len(present) :].T
        return ReferencePhases(tuple(self._formulas[i] for i in inside), fractions, self._energies[inside])

    def mixtures(self, compositions: np.ndarray) -> np.ndarray:
        """E_hull (n,) in eV/atom of compositions (n, 118): the energy of the stable decomposition of each."""
        return np.array([self._solved(x)[1] for x in checked_compositions(compositions)], dtype=np.float64)

    def with_prices(self, compositions: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """E_hull (n,) in eV/atom and the prices (n, 118) of the elements that are present, see `mixture`.

        The price of an absent element is 0; `mixture` gives it, in ten times the time.
        """
        compositions = checked_compositions(compositions)
        energies, prices = np.zeros(len(compositions)), np.zeros(compositions.shape)
        for row, composition in enumerate(compositions):
            present, energies[row], of_present = self._solved(composition)
            prices[row, present] = of_present
        return energies, prices

    def mixture(self, composition: np.ndarray) -> tuple[float, np.ndarray]:
        """E_hull of a composition (118,) in eV/atom, and the dual prices (118,) of the elements, in eV per atom.

        The prices are the derivative of E_hull in the fractions, inside a facet of the hull. E_hull is linear in all
        amounts together, so that it is the sum of fractions times prices. An absent element has a one-sided price, that
        of its first atoms: the lowest for which no phase with this one new element would be cheaper than its price.
        """
        present, energy, of_present = self._solved(composition)
        return energy, self._entry_prices(present, of_present)

    def _solved(self, composition: np.ndarray) -> tuple[np.ndarray, float, np.ndarray]:
        """Elements (m,) of a composition (118,), its E_hull, and the prices (m,) of these elements."""
        present = np.flatnonzero(composition)
        inside = self._inside(present)
        matrix = self._matrix(present, inside)
        costs = np.concatenate([np.zeros(len(present)), self._energies[inside]])
        target = composition[present] / composition[present].sum()
        found = simplex.solve_with_prices(costs, matrix, target)
        if found is None:
            result = linprog(costs, A_eq=matrix, b_eq=target, bounds=(0, None), method="highs")
            found = result.x, result.eqlin.marginals
        solution, prices = found
        return present, float(costs @ solution), prices

    def _entry_prices(self, present: np.ndarray, of_present: np.ndarray) -> np.ndarray:
        """Prices (118,) of all elements, given those (m,) of the elements `present`."""
        prices, inside = np.zeros(elements.N_ELEMENTS), np.zeros(elements.N_ELEMENTS, dtype=bool)
        prices[present], inside[present] = of_present, True
        new, starts = ~inside[self._columns], self._starts[:-1]
        if not len(starts):
            return prices
        one_new = np.flatnonzero(np.add.reduceat(new, starts, dtype=np.int64) == 1)
        paid = np.add.reduceat(np.where(new, 0.0, self._fractions * prices[self._columns]), starts)
        place = np.add.reduceat(np.where(new, self._columns, 0).astype(np.int64), starts)[one_new]
        share = np.add.reduceat(np.where(new, self._fractions, 0.0), starts)[one_new]
        np.minimum.at(prices, place, (self._energies[one_new] - paid[one_new]) / share)
        return prices

    def _distance(self, composition: np.ndarray, energy: float, to_others: bool) -> HullDistance:
        present = np.flatnonzero(composition)
        names = [elements.symbols()[i] for i in present]
        inside = self._inside(present)
        matrix = self._matrix(present, inside)
        target = composition[present] / composition[present].sum()
        other = np.abs(matrix[:, len(present) :] - target[:, None]).max(0) > SAME_COMPOSITION
        of_itself = inside[~other & self._calculated[inside]]
        if len(of_itself):
            energy = float(self._energies[of_itself].min())
        if to_others:
            matrix = matrix[:, np.concatenate([np.ones(len(present), bool), other])]
            inside = inside[other]
        costs = np.concatenate([np.zeros(len(present)), self._energies[inside]])
        solution = _mixture(costs, matrix, target)
        used = np.flatnonzero(solution > LEAST_PHASE_FRACTION)
        shares = solution[used] / solution[used].sum()
        phases = names + [self._formulas[i] for i in inside]
        decomposition = sorted(((phases[k], float(f)) for k, f in zip(used, shares, strict=True)), key=_largest)
        return HullDistance(energy - float(costs @ solution), tuple(decomposition), len(of_itself) > 0)

    def _inside(self, present: np.ndarray) -> np.ndarray:
        """Indices of the references made of these elements only."""
        outside = ~_masks(present, np.array([0, len(present)]))[0]
        return np.flatnonzero(((self._masks[:, 0] & outside[0]) | (self._masks[:, 1] & outside[1])) == 0)

    def _matrix(self, present: np.ndarray, inside: np.ndarray) -> np.ndarray:
        """Columns of the elements, then of the references `inside`, in the rows of the elements `present`."""
        row_of = np.zeros(elements.N_ELEMENTS, int)
        row_of[present] = np.arange(len(present))
        matrix = np.zeros((len(present), len(present) + len(inside)))
        np.fill_diagonal(matrix, 1.0)
        lengths = self._starts[inside + 1] - self._starts[inside]
        ends = np.cumsum(lengths)
        flat = np.arange(lengths.sum()) + np.repeat(self._starts[inside] - (ends - lengths), lengths)
        columns = len(present) + np.repeat(np.arange(len(inside)), lengths)
        matrix[row_of[self._columns[flat]], columns] = self._fractions[flat]
        return matrix


_DIGITS = 9  # of fractions that are compared: equal ones differ by rounding errors


def _mixture(costs: np.ndarray, matrix: np.ndarray, target: np.ndarray) -> np.ndarray:
    """The fractions (n,) of the phases in the mixture of lowest energy. The first columns are the elements."""
    solution = simplex.solve(costs, matrix, target)
    if solution is not None:
        return solution
    found = linprog(costs, A_eq=matrix, b_eq=target, bounds=(0, None), method="highs")
    if not found.success:  # impossible: the elements alone are a solution
        raise RuntimeError(f"no decomposition was found: {found.message}")
    return found.x


def _largest(phase: tuple[str, float]) -> tuple[float, str]:
    return (-round(phase[1], _DIGITS), phase[0])


def _checked_energies(energies: np.ndarray, n: int) -> np.ndarray:
    energies = np.asarray(energies, dtype=np.float64)
    if energies.shape != (n,):
        raise ValueError(f"{n} compositions need energies of shape ({n},), not {energies.shape}")
    wrong = np.flatnonzero(~np.isfinite(energies))
    if len(wrong):
        raise ValueError(f"row {wrong[0]}: the formation energy is {energies[wrong[0]]}, not a finite number")
    return energies


def _lowest_of_each(
    columns: np.ndarray, fractions: np.ndarray, starts: np.ndarray, energies: np.ndarray, formulas: list[str]
) -> list[int]:
    """Rows with the lowest energy of their composition, sorted by composition: independent of the given order.

    Row i has the elements `columns` with the fractions `fractions`, both from starts[i] to starts[i + 1].
    """
    element_bytes, fraction_bytes = columns.astype(np.uint8).tobytes(), np.round(fractions, SAME_PHASE_DIGITS).tobytes()
    lowest: dict[tuple[bytes, bytes], int] = {}
    for i in range(len(energies)):
        a, b = int(starts[i]), int(starts[i + 1])
        key = (element_bytes[a:b], fraction_bytes[8 * a : 8 * b])
        other = lowest.setdefault(key, i)
        if (energies[i], formulas[i]) < (energies[other], formulas[other]):
            lowest[key] = i
    return [lowest[key] for key in sorted(lowest)]


def _masks(columns: np.ndarray, starts: np.ndarray) -> np.ndarray:
    """The elements of each row as bits, (n, 2) uint64: elements 1 to 64, and the others. No row may be empty."""
    bits = np.left_shift(np.uint64(1), (columns % 64).astype(np.uint64))
    halves = [np.where(columns // 64 == half, bits, np.uint64(0)) for half in (0, 1)]
    if len(starts) == 1:
        return np.zeros((0, 2), np.uint64)
    return np.stack([np.bitwise_or.reduceat(half, starts[:-1]) for half in halves], axis=1)
