"""Charges as shown in tables: the verdict of the papers, and the most plausible states."""

import numpy as np

from core.chemistry import elements
from core.evaluation.charges import shown_charges, states_of_substitution
from core.problem.problem import DesignProblem
from core.problem.settings import EVERY_ATOM, ONE_STATE, SUBSTITUTE
from core.problem.substitution_sites import Site
from core.screening.charge_neutrality import ChargeBalance, charge_balance


def balance(amounts: dict[str, float], rule: str = ONE_STATE) -> ChargeBalance:
    counts = np.zeros((1, elements.N_ELEMENTS))
    for symbol, n in amounts.items():
        counts[0, elements.element(symbol).index] = n
    return charge_balance(counts, rule)[0]


def test_the_states_are_the_most_plausible_and_the_verdict_that_of_the_papers():
    amounts = [{"Y": 1, "Ba": 2, "Cu": 3, "O": 7}, {"Mg": 1, "B": 2}, {"Nb": 3, "Sn": 1}]
    shown = shown_charges(amounts, [balance(a) for a in amounts])
    assert shown["usual_charges"] == [True, None, None]
    assert shown["oxidation_states"] == ["Ba 2+, Y 3+, Cu 2.33+, O 2-", "", ""]
    assert shown["reason"] == [
        "balanced: Ba 2+, Y 3+, Cu 2.33+, O 2-",
        "nearest charge is +3 per formula unit",
        "all metals: passes as an alloy",
    ]


def test_hydrides_show_the_states_of_the_papers_rule():
    amounts = {"La": 1, "H": 10}
    shown = shown_charges([amounts], [balance(amounts, EVERY_ATOM)])
    assert shown["usual_charges"] == [None] and shown["oxidation_states"] == ["La 2+, 6 H 1-, 4 H 1+"]


def test_a_substitution_pins_the_states_of_what_comes_in():
    problem = DesignProblem(base="LaFeAsO", task=SUBSTITUTE, sites=(Site("La", 3),))
    assert states_of_substitution(problem, {"Bi": 1, "Fe": 1, "As": 1, "O": 1}) == {"Bi": 3}
    assert states_of_substitution(DesignProblem(base="LaFeAsO"), {"Bi": 1, "Fe": 1}) == {}
    two = DesignProblem(base="LaFeAsO", task=SUBSTITUTE, sites=(Site("La", 3, 2), Site("O", -2, -1)))
    assert states_of_substitution(two, {"Ba": 1, "Fe": 1, "As": 1, "F": 1}) == {"Ba": 2, "F": -1}


def test_the_group_of_a_site_decides_between_two_states():
    """As can be 3+ and 3-; where only metals take the place of La 3+, it is 3-."""
    sites = (Site("La", 3), Site("Sb", -3))
    atoms = {"Y": 1, "As": 1, "O": 1}
    either = DesignProblem(base="LaSbO", task=SUBSTITUTE, sites=sites)
    assert states_of_substitution(either, atoms) == {"Y": 3}
    metals = DesignProblem(base="LaSbO", task=SUBSTITUTE, sites=(Site("La", 3, among="metals"), sites[1]))
    assert states_of_substitution(metals, atoms) == {"Y": 3, "As": -3}
