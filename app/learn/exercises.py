"""The exercise sheet: three tasks with their answers, all numbers computed. HTML for a printer; pure functions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from app.learn.constraints import BASE
from app.learn.integer_loss import FIGURE_2, LARGEST_N, loss_by_size
from app.learn.normalisation import normalised
from app.learn.symbols import symbols
from app.text.html import formula_html, table_html
from core.chemistry.composition import composition_vector
from core.chemistry.formula_reader import parse_formula
from core.problem.settings import OptimiserSettings
from core.screening.charge_neutrality import ChargeBalance, charge_balance

FIXED = ("Fe", "As")  # of the base, in the first task
RATIOS = {"La": 0.3, "O": 0.15, "F": 0.05, "N": -0.1}
SIZES = (2, 4, 10)  # N of the second task
FORMULAS = ("LaFeAsO", "NaCl2", "Ti2O3", "YBa2Cu3O7", "MgB2")
_STYLE = """
body { font: 15px/1.5 sans-serif; color: #1b211f; background: #fff; max-width: 48rem; margin: 1.5rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; margin: 0 0 0.3rem; } h2 { font-size: 1.15rem; margin: 1.4rem 0 0.3rem; }
p, li { margin: 0.3rem 0; } sub { font-size: 0.72em; line-height: 0; } .quiet { color: #58625f; }
.space { height: 7.5rem; background: repeating-linear-gradient(transparent 0 2.4rem, #c9cecb 2.4rem 2.45rem); }
table { border-collapse: collapse; width: 100%; } th, td { text-align: left; padding: 0.25rem 0.8rem 0.25rem 0; vertical-align: top; }
th { color: #58625f; font-weight: 400; } td { border-top: 1px solid #dcdfdd; }
section { break-before: page; } h2, table, tr { break-inside: avoid; } h2 { break-after: avoid; }
@page { size: A4; margin: 18mm; }
@media print { body { margin: 0; padding: 0; font-size: 11.5pt; max-width: none; } }
"""  # noqa: E501


class Exercise(NamedTuple):
    """One task: title, question and answer as HTML."""

    title: str
    question: str
    answer: str


def exercises() -> tuple[Exercise, ...]:
    """The three tasks."""
    return constraint_task(), integer_task(), neutrality_task()


def constraint_task() -> Exercise:
    """The map x_base -> x by hand, and what softmax would give."""
    base = parse_formula(BASE)
    share = {symbol: base[symbol] / sum(base.values()) for symbol in FIXED}
    room = 1 - sum(share.values())
    relu, soft = normalised(RATIOS, 0)
    fixed = " and ".join(f"x({symbol}) = {x:g}" for symbol, x in share.items())
    ratios = ", ".join(f"{symbol} {_number(x)}" for symbol, x in RATIOS.items())
    rows = [[symbol, _number(v), f"{room * a:.3f}", f"{room * b:.3f}"]
            for (symbol, v), a, b in zip(RATIOS.items(), relu, soft, strict=True)]  # fmt: skip
    return Exercise(
        "Compositions that meet constraints",
        f"<p>In {formula_html(BASE)}, {' and '.join(FIXED)} are fixed: {fixed}. The optimiser has the ratios "
        f"x<sub>base</sub>: {ratios}.</p><p>(a) Compute the composition x by the ReLU normalisation. (b) Compute it by "
        "softmax. (c) Which elements are exactly 0 in each, and why does that matter for a compound?</p>",
        f"<p>Room for the rest: 1 − {1 - room:g} = {room:g}.</p>"
        + table_html(("Element", "x<sub>base</sub>", "(a) by ReLU", "(b) by softmax"), rows)
        + f"<p>(c) By ReLU {_names(relu == 0)} exactly 0, by softmax none: with softmax every allowed element would be "
        "in every formula, and no compound has them all.</p>",
    )


def _names(zero: np.ndarray) -> str:
    found = [symbol for symbol, is_zero in zip(RATIOS, zero, strict=True) if is_zero]
    return f"{' and '.join(found)} {'is' if len(found) == 1 else 'are'}"


def integer_task() -> Exercise:
    """The integer loss by hand for some N."""
    losses = loss_by_size(FIGURE_2)
    low, high = OptimiserSettings().n_unit
    best = min((n for n in losses if low <= n <= high), key=lambda n: (round(losses[n], 9), n))
    fractions = ", ".join(f"x({symbol}) = {x:g}" for symbol, x in FIGURE_2.items())
    rows = [[str(n), f"{losses[n]:.3f}", formula_html(_rounded(FIGURE_2, n))] for n in dict.fromkeys((*SIZES, best))]
    return Exercise(
        "Whole atoms",
        f"<p>A composition has {fractions}. The integer loss for N atoms is the sum over the elements of the distance "
        "of x to the nearest multiple of 1/N.</p>"
        f"<p>(a) Compute it for N = {', '.join(map(str, SIZES))}. (b) Which formula follows from each N? (c) Which N "
        f"from {low} to {high}, the default of the app, has the smallest loss? Use the step <i>Whole atoms</i> of the "
        "app. (d) Why must N be limited?</p>",
        table_html(("N", "(a) integer loss", "(b) formula"), rows)
        + f"<p>(c) N = {best}, with a loss of {losses[best]:.3f}.</p><p>(d) The nearest multiple of 1/N is at most "
        f"1/(2N) away: for N = {LARGEST_N} at most {0.5 / LARGEST_N:g} per element. With a large N every composition "
        "has a small loss, and the formula has a cell too large for a crystal structure to be found.</p>",
    )


def _rounded(fractions: Mapping[str, float], n: int) -> str:
    """The formula of whole atoms nearest to these fractions of n atoms."""
    counts = {symbol: round(x * n) for symbol, x in fractions.items()}
    return "".join(symbol + (str(k) if k > 1 else "") for symbol, k in counts.items() if k)


def neutrality_task() -> Exercise:
    """Which formulas can be charge neutral."""
    counts = np.stack([composition_vector(parse_formula(f)) * sum(parse_formula(f).values()) for f in FORMULAS]).round()
    balances = dict(zip(FORMULAS, charge_balance(counts), strict=True))
    rows = [
        [formula_html(formula), "yes" if balance.pauling_ok else "no", balance.written or balance.reason]
        for formula, balance in balances.items()
    ]
    cuprate, boride = "YBa2Cu3O7", "MgB2"
    return Exercise(
        "Charges",
        "<p>Which of these formulas pass the charge screen of the app, with one oxidation state per element? "
        f"{', '.join(map(formula_html, FORMULAS))}.</p><p>(a) Write an oxidation state above each element. (b) Check "
        f"with the page <i>Predict</i>. (c) {formula_html(boride)} and {formula_html(cuprate)} are superconductors. "
        "What does their result say about the screen?</p>",
        table_html(("Formula", "Passes", "Charges, or why not"), rows)
        + f"<p>(c) {formula_html(boride)} {_passes(balances[boride])}: its boron layers are bonded covalently, so "
        f"that oxidation states do not describe them. {formula_html(cuprate)} {_passes(balances[cuprate])}, with the "
        f"states {balances[cuprate].written}; a chemist would write Y 3+ and a mixture of Cu 2+ and Cu 3+, which one "
        "state per element cannot express. The screen is a guide, not a law: it refuses real compounds, and what "
        "passes need not exist.</p>",
    )


def _passes(balance: ChargeBalance) -> str:
    return "passes" if balance.pauling_ok else f"fails ({balance.reason})"


def sheet() -> str:
    """The sheet as one HTML document: tasks with space to write, answers and symbols on pages of their own."""
    tasks, settings = exercises(), OptimiserSettings()
    first = "".join(f'<h2>{i}. {t.title}</h2>{t.question}<div class="space"></div>' for i, t in enumerate(tasks, 1))
    answers = "".join(f"<h2>{i}. {t.title}</h2>{t.answer}" for i, t in enumerate(tasks, 1))
    table = table_html(("Symbol", "Meaning", "Unit", "Default", "In the app"), symbols(settings))
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8"><title>Exercises: superconductors by gradient</title>'
        f"<style>{_STYLE}</style><h1>Exercises: superconductors designed by gradient</h1>"
        f'<p class="quiet">Name: ____________________  Date: ______________</p>{first}'
        f"<section><h1>Answers</h1>{answers}</section><section><h1>Symbols</h1>{table}</section></html>\n"
    )


def _number(value: float) -> str:
    return f"{value:g}".replace("-", "−")
