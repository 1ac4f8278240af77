"""Candidates as doped compounds: La10Fe10As10O9F as LaFeAsO0.9F0.1, where the parent compound is known.

A parent is a known superconductor, a reference phase or the base, with whole numbers of atoms a_i. A candidate with
amounts c is the parent, doped, if it has all of the parent's elements. Each of its other elements is on the site of the
parent's element that is nearest on the Mendeleev-number scale, metals on sites of metals if there are any, so site i
holds r_i = c_i + sum of its dopants. Amounts are s c, with the s that fills most sites exactly (s r_i = a_i), and of
these the smallest, so that the other sites have vacancies rather than an excess: YBa2Cu3O6.8, LaH9. If all elements of
the parent are metals, their sites mix instead: s = sum a / sum c, as in off-stoichiometric Nb3Sn.

Of all parents the one is taken whose changed fraction of atoms, plus COST_OF_AN_ATOM for each atom of its formula, is
smallest: La2Tm2Fe4As4O3 is LaFeAsO with dopants and vacancies, not the known La5Fe5As5O3 with fewer of both.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from core.chemistry import elements
from core.chemistry.composition import composition_vector, format_amount
from core.chemistry.conventional_formula import conventional_formula, ordered
from core.chemistry.formula_reader import parse_formula
from core.chemistry.tolerances import ROUNDING_ERROR
from core.reference_data.references import load_references
from core.screening.novelty import mendeleev_scale

MOST_ATOMS = 20  # of a parent: Tl2Ba2Ca2Cu3O10 has 19; larger formula units are mostly doped compounds themselves
COST_OF_AN_ATOM = 0.01  # in changed fraction: simple parents explain more
MOST_CHANGED = 0.25  # of the parent's atoms: more is another compound
MOST_COST = 0.3  # changed fraction plus the cost of the parent's atoms
MOST_DOPANTS = 3  # elements that the parent does not have
MOST_STEPS = 25  # between a dopant and its host on the Mendeleev-number scale: Sr and La are 18 apart, Y and Cu 47
MOST_VACANT = 0.5  # of the sites of a non-metal: NdFeAsO0.6 is made
MOST_DEVIATION = 0.1  # of the sites of a metal that are vacant; of any site, atoms in excess or on other sites
LEAST_HOST = 0.5  # of one site: the parent's element has the majority
NEGLIGIBLE = 0.005  # of an atom: not seen with two decimal places
_NEARLY_WHOLE = 1e-4  # deviation of a fraction times the number of atoms, per atom: fractions may be float32


@dataclass(frozen=True)
class DopedNotation:
    """A candidate as a doped compound.

    parent : formula of the parent
    formula : the candidate per formula unit of the parent, dopants after their host, two decimal places; empty if the
        candidate is the parent
    defects : vacant sites, atoms in excess and mixed sites in words; empty without any
    changed : fraction of the parent's atoms that are replaced, missing or in excess
    """

    parent: str
    formula: str
    defects: str
    changed: float


class Parents:
    """Compounds that may be parents, in order of preference."""

    def __init__(self, formulas: Sequence[str], compositions: np.ndarray):
        """Of n formulas with their compositions (n, 118), those with 2 elements or more and MOST_ATOMS or fewer."""
        counts = whole_atoms(compositions)
        several = np.flatnonzero((counts > 0).sum(1) > 1).tolist()
        first = {counts[i].tobytes(): i for i in reversed(several)}
        chosen = sorted(first.values())
        self._formulas = [formulas[i] for i in chosen]
        self._counts = counts[chosen]
        places: dict[tuple[int, ...], list[int]] = {}
        for place, row in enumerate(self._counts):
            places.setdefault(tuple(np.flatnonzero(row).tolist()), []).append(place)
        self._with_elements = {own: np.array(rows) for own, rows in places.items()}

    def __len__(self) -> int:
        """Number of parents."""
        return len(self._formulas)

    def notation(self, composition: np.ndarray) -> DopedNotation | None:
        """A composition (118,) as a doped parent; None without one. The parent itself has an empty `formula`."""
        best: tuple[float, int, _Doped] | None = None
        for i in self._possible(composition):
            doped = _doped(self._counts[i], composition)
            cost = np.inf if doped is None else doped.changed + COST_OF_AN_ATOM * self._counts[i].sum()
            if doped is not None and cost < (MOST_COST if best is None else best[0]) - ROUNDING_ERROR:
                best = (cost, i, doped)
        if best is None:
            return None
        _, i, doped = best
        order = element_order(self._formulas[i])
        parent = _written(dict(zip(elements.symbols(), self._counts[i].tolist(), strict=True)), order)
        if doped.changed < NEGLIGIBLE / MOST_ATOMS:
            return DopedNotation(parent, "", "", 0.0)
        return DopedNotation(parent, doped.formula(order), doped.defects(order), doped.changed)

    def _possible(self, composition: np.ndarray) -> list[int]:
        """The parents that may be changed by at most MOST_CHANGED, in order: a superset, found quickly.

        Their elements are all in the composition, which has at most MOST_DOPANTS others. If sum |p - c r| <= m for some
        c, where p and r are the fractions of the parent and of the atoms on its sites, then sum |p - r| / 2 <= m.
        """
        there = np.flatnonzero(composition > 0).tolist()
        fewest = max(2, len(there) - MOST_DOPANTS)
        found: list[int] = []
        for own in (c for size in range(fewest, len(there) + 1) for c in itertools.combinations(there, size)):
            places = self._with_elements.get(own)
            if places is None:
                continue
            elements_of = np.array(own)
            on_site = _on_site(composition, elements_of, _hosts(composition, elements_of))[elements_of]
            counts = self._counts[places][:, elements_of]
            distance = np.abs(counts / counts.sum(1, keepdims=True) - on_site).sum(1) / 2
            found += places[distance <= MOST_CHANGED + ROUNDING_ERROR].tolist()
        return sorted(found)


@cache
def known_parents(base: str = "") -> Parents:
    """The base, if it is given, then the known superconductors by number of reports, then the reference phases."""
    tables = load_references()
    order = np.argsort(-tables.known_reports, kind="stable")
    formulas = [*(tables.known_formulas[i] for i in order), *tables.phase_formulas]
    rows = [tables.known_compositions[order], tables.phase_compositions]
    if base:
        formulas.insert(0, base)
        rows.insert(0, composition_vector(parse_formula(base))[None])
    return Parents(formulas, np.concatenate(rows))


def whole_atoms(compositions: np.ndarray, most: int = MOST_ATOMS) -> np.ndarray:
    """Numbers of atoms (n, 118), int16, of compositions (n, 118) in lowest terms; 0 in rows that need over `most`."""
    counts = np.zeros(compositions.shape, dtype=np.int16)
    rows, columns = np.nonzero(compositions)
    fractions = compositions[rows, columns]
    for atoms in range(1, most + 1):
        scaled = fractions * atoms
        whole = np.ones(len(compositions), dtype=bool)
        whole[rows[np.abs(scaled - np.round(scaled)) > _NEARLY_WHOLE * atoms]] = False
        done = whole[rows]
        counts[rows[done], columns[done]] = np.round(scaled[done])
        rows, columns, fractions = rows[~done], columns[~done], fractions[~done]
    return counts


def element_order(formula: str) -> list[str]:
    """The elements of a formula in the order of chemists; that of the source (YBa2Cu3O7) stays, unless alphabetical."""
    symbols = list(parse_formula(formula))
    if symbols == sorted(symbols):
        return ordered(dict.fromkeys(symbols, 1.0))
    return list(parse_formula(conventional_formula(formula)))


@dataclass(frozen=True)
class _Doped:
    """One way to see a composition as a doped parent; amounts (118,) per formula unit of the parent.

    host : dopant -> element whose site it is on, as indices
    missing : sites minus atoms on them, per element of the parent; negative for an excess
    mixed : whether atoms of one site are on another
    """

    amounts: np.ndarray
    parent: np.ndarray
    host: dict[int, int]
    missing: np.ndarray
    mixed: bool
    changed: float

    def formula(self, order: list[str]) -> str:
        dopants = sorted(self.host, key=lambda j: -self.amounts[j])
        names = elements.symbols()
        after = {symbol: [names[j] for j in dopants if names[self.host[j]] == symbol] for symbol in order}
        every = [name for symbol in order for name in (symbol, *after[symbol])]
        return _written({name: float(self.amounts[elements.element(name).index]) for name in every}, every)

    def defects(self, order: list[str]) -> str:
        at = {symbol: elements.element(symbol).index for symbol in order}
        if self.mixed:
            lacking = [s for s in order if self.missing[at[s]] > NEGLIGIBLE]
            excess = [s for s in order if self.missing[at[s]] < -NEGLIGIBLE]
            return f"{' and '.join(excess)} on {' and '.join(lacking)} sites" if lacking and excess else ""
        vacant = {s: self.missing[i] / self.parent[i] for s, i in at.items() if self.missing[i] > NEGLIGIBLE}
        more = {s: -self.missing[i] for s, i in at.items() if self.missing[i] < -NEGLIGIBLE}
        parts = [f"{share:.0%} of the {symbol} sites vacant" for symbol, share in vacant.items()]
        return ", ".join([*parts, *(f"{amount:.2g} {symbol} in excess" for symbol, amount in more.items())])


def _doped(parent: np.ndarray, composition: np.ndarray) -> _Doped | None:
    """The composition (118,) as this parent (118,), doped; None if it differs too much."""
    own = np.flatnonzero(parent)
    host = _hosts(composition, own)
    if any(abs(_scale()[dopant] - _scale()[site]) > MOST_STEPS for dopant, site in host.items()):
        return None
    on_site = _on_site(composition, own, host)
    mixed = all(elements.all_elements()[i].metal for i in own)
    units = parent.sum() if mixed else _units(parent[own], on_site[own])
    amounts, missing = composition * units, parent - on_site * units
    replaced = sum(amounts[j] for j in host)
    changed = float((replaced + np.abs(missing).sum() / (2 if mixed else 1)) / parent.sum())
    too_few = (amounts[own] < LEAST_HOST * parent[own] - NEGLIGIBLE).any()
    vacant = np.array([MOST_DEVIATION if elements.all_elements()[i].metal else MOST_VACANT for i in own])
    share = missing[own] / parent[own]
    if too_few or (share > vacant).any() or (share < -MOST_DEVIATION).any() or changed > MOST_CHANGED:
        return None
    return _Doped(amounts, parent, host, missing, mixed, changed)


def _units(parent: np.ndarray, on_site: np.ndarray) -> float:
    """Formula units s of the parent: s = a_i / r_i for most sites i, the smallest of those."""
    scales = np.sort(parent / on_site)
    filled = (np.abs(parent - scales[:, None] * on_site) <= NEGLIGIBLE).sum(1)
    return float(scales[filled.argmax()])


def _hosts(composition: np.ndarray, own: np.ndarray) -> dict[int, int]:
    """Dopant -> element of the parent (indices `own`) on whose site it is."""
    dopants = set(np.flatnonzero(composition > 0).tolist()) - set(own.tolist())
    return {dopant: _host(dopant, own) for dopant in sorted(dopants)}


def _on_site(composition: np.ndarray, own: np.ndarray, host: dict[int, int]) -> np.ndarray:
    """Atoms on the site of each element of the parent, (118,): its own and its dopants."""
    on_site = np.zeros(len(composition))
    on_site[own] = composition[own]
    for dopant, site in host.items():
        on_site[site] += composition[dopant]
    return on_site


def _host(dopant: int, own: np.ndarray) -> int:
    """The element of the parent (indices `own`) on whose site this one is."""
    every, scale = elements.all_elements(), _scale()
    alike = [i for i in own if every[i].metal == every[dopant].metal] or list(own)
    return int(min(alike, key=lambda i: (abs(scale[i] - scale[dopant]), i)))


@cache
def _scale() -> np.ndarray:
    return mendeleev_scale()


def _written(amounts: dict[str, float], order: Sequence[str]) -> str:
    """A formula with its elements in this order and two decimal places."""
    return "".join(s + format_amount(amounts[s], 2) for s in order if amounts[s] > NEGLIGIBLE)
