"""Random changes of integer formulas: the mutations and the crossover of genetic search, for many rows at once.

A row holds whole atoms, or hundredths of atoms, of the elements; the elements of a constant ratio count as one unit,
whose amount is that of its first element. Rows are changed blindly: the caller drops those that a problem forbids.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from core.chemistry import elements
from core.generation.search.formula_space import FormulaSpace, distinct_rows, in_lowest_terms

EXCHANGE, MOVE, ADD, DROP, CHANGE, CROSS = "exchange", "move", "add", "drop", "change", "cross"
# Share of each operation, tuned on the bases of KIAGO's table 2.
SHARES = {EXCHANGE: 0.30, MOVE: 0.20, ADD: 0.12, DROP: 0.06, CHANGE: 0.17, CROSS: 0.15}
SMALLEST = 0.5  # share of the parents that are changed in their smallest cell, the others in a multiple of it
TWICE = 0.35  # share of the children that differ by two changes
MOST_NEW_ELEMENTS, MEAN_ATOMS = 5, 2.0  # of a random formula; mean number of atoms of an element beyond the first
MOST_ATOMS = 2  # atoms that one operation adds or moves


@dataclass(frozen=True)
class Units:
    """Elements and ratio units as the columns that operations change.

    first : (units,) column of the first element of each unit
    parts : (units, 118) atoms of a unit
    """

    first: np.ndarray
    parts: np.ndarray

    @classmethod
    def of(cls, space: FormulaSpace) -> Units:
        """Every free element, with the elements of a ratio as one unit."""
        ratios = space.constraints.ratios if space.constraints else ()
        rows, firsts, used = [], [], set()
        for ratio in ratios:
            row = np.zeros(elements.N_ELEMENTS, dtype=np.int64)
            for symbol, part in ratio.items():
                row[elements.element(symbol).index] = part
                used.add(elements.element(symbol).index)
            rows.append(row)
            firsts.append(elements.element(next(iter(ratio))).index)
        for column in np.flatnonzero(space.free):
            if column not in used:
                rows.append(np.eye(1, elements.N_ELEMENTS, column, dtype=np.int64)[0])
                firsts.append(column)
        return cls(np.array(firsts), np.array(rows))

    def amounts(self, counts: np.ndarray) -> np.ndarray:
        """Atoms (n, 118) -> amount of each unit (n, units); fixed elements are left out."""
        return counts[:, self.first] // self.parts[np.arange(len(self.first)), self.first]

    def counts(self, amounts: np.ndarray) -> np.ndarray:
        """The inverse of `amounts`, without the fixed elements."""
        counts = np.zeros((len(amounts), elements.N_ELEMENTS), dtype=np.int64)
        unit, column = np.nonzero(self.parts)
        counts[:, column] = amounts[:, unit] * self.parts[unit, column]
        return counts


class Operators:
    """Draws changed formulas for a problem.

    frequencies : (118,) weight with which a new element is drawn
    """

    def __init__(self, space: FormulaSpace, frequencies: np.ndarray):
        self.space, self.units = space, Units.of(space)
        self.weights = frequencies[self.units.first] + 1.0
        self.fixed_total = bool(space.fixed.any()) or len(space.rooms) > 1  # the number of atoms follows from x_const

    def children(
        self, parents: np.ndarray, count: int, random: np.random.Generator, pressure: float = 1.0
    ) -> np.ndarray:
        """About `count` changed formulas (m, 118) of parents (n, 118), all in lowest terms, without duplicates.

        pressure : 1: every parent is equally likely; above 1: the first parents are preferred, at place n u^pressure
            for a uniform u
        """
        if not len(parents):
            return parents
        places = (len(parents) * random.random((2, count)) ** pressure).astype(np.int64)
        one, other = (self._at_random_sizes(parents[place], random) for place in places)
        names = [name for name in SHARES if not (self.fixed_total and name == CHANGE)]
        shares = np.array([SHARES[name] for name in names])
        kind = random.choice(len(names), size=count, p=shares / shares.sum())
        amounts, fixed = self.units.amounts(one), np.where(self.space.free, 0, one)
        for number, name in enumerate(names):
            rows = np.flatnonzero(kind == number)
            if name == CROSS:
                added = self.fixed_total | (random.random(len(rows)) < 0.5)
                amounts[rows] = _crossed(amounts[rows], self.units.amounts(other[rows]), added, random)
                fixed[rows[added]] += np.where(self.space.free, 0, other[rows[added]])
            else:
                amounts[rows] = self._changed(name, amounts[rows], random)
        again = np.flatnonzero(random.random(count) < TWICE)
        amounts[again] = self._changed(MOVE, amounts[again], random)
        counts = self.units.counts(amounts) + fixed
        counts = counts[(counts.min(1) >= 0) & (counts.sum(1) > 0)]
        return distinct_rows(in_lowest_terms(counts))

    def immigrants(self, count: int, random: np.random.Generator) -> np.ndarray:
        """At most `count` random formulas (m, 118) of elements drawn by frequency, in lowest terms, without duplicates.

        None if the problem fixes elements or has several sites, because nearly all of them would be forbidden.
        """
        if self.fixed_total:
            return np.zeros((0, self.units.parts.shape[1]), dtype=np.int64)
        most = min(self.space.max_elements, len(self.weights), MOST_NEW_ELEMENTS)
        number = random.integers(min(2, most), most + 1, size=count)
        keys = self.weights ** (1 / 2) * random.exponential(size=(count, len(self.weights)))
        order = np.argsort(-keys, axis=1)[:, :most]
        amounts = np.zeros((count, len(self.weights)), dtype=np.int64)
        drawn = 1 + np.floor(random.exponential(MEAN_ATOMS, size=order.shape)).astype(np.int64)
        np.put_along_axis(amounts, order, np.where(np.arange(most) < number[:, None], drawn, 0), axis=1)
        return distinct_rows(in_lowest_terms(self.units.counts(amounts * self.space.scale)))

    def _at_random_sizes(self, cells: np.ndarray, random: np.random.Generator) -> np.ndarray:
        """Cells (n, 118) multiplied to an allowed N, the smallest or a random one, in parts of atoms (`space.scale`).

        A start that fits no allowed N stays as it is.
        """
        sizes, atoms = np.array(self.space.atom_counts), cells.sum(1)
        fits = sizes[None] * self.space.scale % atoms[:, None] == 0
        smallest = random.random(len(cells)) < SMALLEST
        preference = np.where(smallest[:, None], -sizes[None] / sizes[-1], random.random(fits.shape))
        chosen = np.where(fits, preference, -2.0).argmax(1)
        return cells * np.where(fits.any(1), sizes[chosen] * self.space.scale // atoms, 1)[:, None]

    def _changed(self, name: str, amounts: np.ndarray, random: np.random.Generator) -> np.ndarray:
        """Amounts (n, units) after one mutation."""
        if not len(amounts):
            return amounts
        changed, rows = amounts.copy(), np.arange(len(amounts))
        source = _draw(np.where(amounts > 0, 1.0, 0.0), random)
        present = amounts[rows, source]
        new = _draw(np.broadcast_to(self.weights, amounts.shape), random)
        partner = _draw(np.where((amounts > 0) & (np.arange(amounts.shape[1]) != source[:, None]), 1.0, 1e-9), random)
        step = self._step(len(amounts), random)
        if name == EXCHANGE:  # all atoms of an element, or some of them
            part = np.where(random.random(len(rows)) < 0.7, present, np.minimum(step, present))
            np.add.at(changed, (rows, source), -part)
            np.add.at(changed, (rows, new), part)
        elif name == MOVE:
            part = np.minimum(step, present)
            np.add.at(changed, (rows, source), -part)
            np.add.at(changed, (rows, partner), part)
        elif name == ADD:
            np.add.at(changed, (rows, new), step)
            if self.fixed_total:
                np.add.at(changed, (rows, source), -step)
        elif name == DROP:
            changed[rows, source] = 0
            if self.fixed_total:
                np.add.at(changed, (rows, partner), present)
        else:
            np.add.at(changed, (rows, source), np.where(random.random(len(rows)) < 0.5, step, -step))
        return changed

    def _step(self, n: int, random: np.random.Generator) -> np.ndarray:
        """Amounts (n,) to add or move: one or two atoms, or any number of hundredths up to this."""
        whole = random.integers(1, MOST_ATOMS + 1, size=n) * self.space.scale
        if self.space.scale == 1:
            return whole
        return np.where(random.random(n) < 0.3, whole, random.integers(1, MOST_ATOMS * self.space.scale, size=n))


def _crossed(one: np.ndarray, other: np.ndarray, added: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """The sum of both parents (n, units) in the rows `added` (n,); in the others each amount from either parent."""
    mixed = np.where(random.random(one.shape) < 0.5, one, other)
    return np.where(added[:, None], one + other, mixed)


def _draw(weights: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """One column of each row, with probability proportional to the weights (n, k): (n,)."""
    total = weights.cumsum(1)
    return (total < random.random((len(weights), 1)) * total[:, -1:]).sum(1).clip(max=weights.shape[1] - 1)
