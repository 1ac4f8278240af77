"""Every tolerance on compositions and charges, once, with its reason.

A fraction is a share of all atoms of a composition. Tolerances inside an algorithm, such as that of the projection onto
constraints, are with the algorithm.
"""

from __future__ import annotations

# Equality of numbers that were computed in two ways.

ROUNDING_ERROR = 1e-9
"""Of sums of float64 fractions, amounts or distances: their rounding errors stay far below it."""

FRACTION_SUM = 1e-6
"""Of the sum of the fractions of a composition, which is 1: fractions may come in float32, with seven digits."""

SAME_COMPOSITION = 1e-6
"""Of each fraction: two formulas with one composition, written in different units, agree within it."""

SAME_PHASE_DIGITS = 8
"""Decimal places of the fractions of a reference phase: phases that agree in all of them are one phase."""

LEAST_PHASE_FRACTION = 1e-9
"""Fraction of the atoms in a phase of a decomposition: the linear programme leaves less as rounding error."""

# Whole numbers.

WHOLE_ATOM = 1e-6
"""Atoms: a number of atoms this near a whole number is whole, because fractions may come in float32."""

TYPED_AMOUNT = 1e-6
"""Of an amount as typed: people write a third as 0.333333."""

WHOLE_CHARGE = 1e-6
"""Elementary charges per formula unit: amounts as typed times oxidation states."""

# What chemists count as the same.

KNOWN_COMPOSITION = 0.005
"""Of each fraction: a composition this near a known superconductor is known, as synthesis is no more exact."""

FIXED_FRACTION = 0.01
"""Relative, of a fixed fraction: the paper counts a preserved part as kept within 1%."""
