"""Formulas as typed or pasted -> amounts, or an error with its position and a proposal.

One reader for the page, the command line and CSV files. A text is read only if it has one reading. Otherwise the error
proposes what is probably meant; a proposal is never used unless the user enters it.

Read: amounts with decimal point or comma, fractions (La2/3Ca1/3MnO3), powers of ten (1e-3), blanks before all amounts
(Ba(Fe 0.9 Co 0.1 ) 2 As 2), nested brackets, subscripts and TeX, adducts and hydrates (CuSO4·5H2O), isotopes of
hydrogen. Refused with a proposal: undetermined amounts (YBa2Cu3O7-d), nicknames (Bi2212), lower case (mgb2), and texts
that are rarely meant to the letter (`core.chemistry.ambiguity`).
"""

from __future__ import annotations

from core.chemistry.composition_series import Member, is_series, read_series
from core.chemistry.exact_formula import Reading, check_length, exact_reading
from core.chemistry.formula_proposals import with_suggestions
from core.errors import InputError


def parse_formula(formula: str) -> dict[str, float]:
    """Parse a formula into amounts: symbol -> number of atoms, in the order of first appearance.

    Elements with the amount 0 are omitted. A formula with one value for each variable (YBa2Cu3O7-d, d = 0.1) is read
    too. Raises InputError (field "formula"), see `read_formula`.
    """
    text = str(formula)
    if "=" not in text:
        return read_formula(text).amounts
    members = read_members(text)
    if len(members) > 1:
        rule = f"these are {len(members)} formulas, not one"
        raise InputError("formula", formula, rule, "Give each variable one value", None,
                         (members[0].reading.read_as, members[-1].reading.read_as))  # fmt: skip
    return members[0].reading.amounts


def read_formula(formula: str, undetermined_as_zero: bool = False) -> Reading:
    """Read a formula.

    undetermined_as_zero : read YBa2Cu3O7-d as YBa2Cu3O7; an amount that would vanish with its variable (Oy, Kx) is
        still refused

    Raises InputError (field "formula", with position and suggestions) for a text without exactly one reading, for
    undetermined amounts, for a total of zero atoms and for amounts that are not finite.
    """
    check_length(str(formula))
    try:
        return exact_reading(formula, undetermined_as_zero)
    except InputError as error:
        raise with_suggestions(error) from None


def read_members(text: str, undetermined_as_zero: bool = False) -> tuple[Member, ...]:
    """The members of a series (see `core.chemistry.composition_series`), or the one reading of a formula.

    Raises InputError as `read_formula` and `read_series` do.
    """
    check_length(text)
    if not is_series(text):
        return (Member({}, read_formula(text, undetermined_as_zero)),)
    return read_series(text, undetermined_as_zero).members
