"""Tolerances on compositions and charges, each with its reason.

A fraction is a share of all atoms of a composition. Tolerances inside an algorithm, such as those of the projection
onto constraints, are defined with the algorithm.
"""

from __future__ import annotations

# Numbers that differ only by rounding.

ROUNDING_ERROR = 1e-9
"""Difference between float64 sums of fractions, amounts or distances: rounding errors are far smaller."""

FRACTION_SUM = 1e-6
"""Deviation of the sum of all fractions from 1: fractions may be float32, which has seven digits."""

SAME_COMPOSITION = 1e-6
"""Difference in a fraction between two formulas of one composition: amounts are written with few digits."""

SAME_PHASE_DIGITS = 8
"""Decimal places of fractions: reference phases that agree in all of them are one phase."""

LEAST_PHASE_FRACTION = 1e-9
"""Fraction of the atoms in a competing phase: smaller ones are rounding errors of the linear programme."""

LEAST_FRACTION = 1e-5
"""Smallest fraction of the atoms that a problem may ask for: a dopant of one atom in 100,000."""

LEAST_REPLACED = 1e-3
"""Smallest number of atoms per formula unit that a substitution may replace; fewer cannot be told from rounding."""

# Numbers that should be whole.

WHOLE_ATOM = 1e-6
"""Deviation from a whole number of atoms: fractions may be float32, which has seven digits."""

TYPED_AMOUNT = 1e-6
"""Deviation of a typed amount from the intended amount: a third is typed as 0.333333."""

WHOLE_CHARGE = 1e-6
"""Deviation from a whole total charge, in elementary charges per formula unit: it is a sum over typed amounts."""

# Compositions that chemists count as the same.

KNOWN_COMPOSITION = 0.005
"""Difference in a fraction up to which a composition counts as known: reports are hardly more accurate."""

ON_DOPING_LINE = 0.0005
"""Difference in a fraction up to which a known superconductor lies on a doping line: La2CuO4.01 is doped too."""

FIXED_FRACTION = 0.01
"""Relative deviation up to which a fixed fraction counts as kept: the paper's 1% for a preserved part."""
