"""Links of earlier versions give the same problem."""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import parse_qsl

import pytest

from app.state.draft import initially_forbidden
from app.state.url import from_link
from core.chemistry import elements
from core.problem.composition_constraints import Group
from core.problem.problem import DesignProblem
from core.problem.settings import OptimiserSettings
from core.problem.substitution_sites import Site

FIRST_FORBIDDEN = tuple(s for s in elements.symbols() if s in initially_forbidden())
DEFAULTS = OptimiserSettings()
LINKS = {
    "base=LaFeAsO": DesignProblem("LaFeAsO", forbidden=FIRST_FORBIDDEN),
    "base=LaFeAsO&forbid=none": DesignProblem("LaFeAsO"),
    "base=LaFeAsO&fix=Fe0.25As0.25&forbid=HeTc": DesignProblem(
        "LaFeAsO", fixed={"Fe": 0.25, "As": 0.25}, forbidden=("He", "Tc")
    ),
    "base=La1.85Sr0.15CuO4&fix=Cu0.142857142857&forbid=none&seed=7&device=cpu&candidates=4096&steps=500%2C500"
    "&caution=0&integer_weight=100000&integer_loss=squared&step_schedule=constant&rounding=nearest"
    "&max_elements=10": DesignProblem(
        "La1.85Sr0.15CuO4",
        fixed={"Cu": 0.142857142857},
        seed=7,
        device="cpu",
        settings=replace(
            DEFAULTS,
            candidates=4096,
            steps=(500, 500),
            risk_aversion=0.0,
            integer_weight=100_000.0,
            integer_loss="squared",
            step_schedule="constant",
            rounding="nearest",
            max_elements=10,
        ),
    ),
    # The first format: one site, with its oxidation state apart.
    "base=LaFeAsO&task=substitute&forbid=none&replace=La&state=3": DesignProblem(
        "LaFeAsO", task="substitute", sites=(Site("La", 3),)
    ),
    "base=LaFeAsO&task=substitute&forbid=none&replace=La%3A3": DesignProblem(
        "LaFeAsO", task="substitute", sites=(Site("La", 3),)
    ),
    "base=YBa2Cu3O7&task=substitute&fix=Cu0.230769230769O0.538461538462&forbid=none&replace=Y%3A3": DesignProblem(
        "YBa2Cu3O7", task="substitute", sites=(Site("Y", 3),), fixed={"Cu": 0.230769230769, "O": 0.538461538462}
    ),
    "base=LaFeAsO&task=substitute&forbid=none&replace=La%3A3%3A2%2CO%3A-2%3A-1": DesignProblem(
        "LaFeAsO", task="substitute", sites=(Site("La", 3, by=2), Site("O", -2, by=-1))
    ),
    "base=Ti2O4&task=substitute&forbid=none&replace=Ti%3A4%3A3%2CO%3A-2%3A0%3A1": DesignProblem(
        "Ti2O4", task="substitute", sites=(Site("Ti", 4, by=3), Site("O", -2, by=0, atoms=1.0))
    ),
    "base=YBa2Cu3O7&forbid=none&bounds=%7B%22O%22%3A%5B0.3%2C0.6%5D%2C%22F%22%3A%5B0.0%2C0.1%5D%7D&groups=%5B%7B%22"
    "elements%22%3A%5B%22O%22%2C%22F%22%5D%2C%22low%22%3A0.35%2C%22high%22%3A1.0%7D%2C%7B%22elements%22%3A%5B%22Cu%22"
    "%2C%22Ag%22%5D%2C%22low%22%3A0.0%2C%22high%22%3A0.25%7D%5D&ratios=%5B%7B%22Ba%22%3A2.0%2C%22Y%22%3A1.0%7D"
    "%5D": DesignProblem(
        "YBa2Cu3O7",
        bounds={"O": (0.3, 0.6), "F": (0.0, 0.1)},
        groups=(Group(("O", "F"), 0.35), Group(("Cu", "Ag"), 0.0, 0.25)),
        ratios=({"Ba": 2.0, "Y": 1.0},),
    ),
    "base=H3S&forbid=none&n_unit=1%2C15&perturb_ratio=0.125": DesignProblem(
        "H3S", settings=replace(DEFAULTS, n_unit=(1, 15), perturb_ratio=0.125)
    ),
    "base=LaH10&forbid=none&least=H0.4&charge_rule=every_atom&n_unit=1%2C15&max_elements=3&mutate_probability=0.29"
    "&perturb_ratio=0.03": DesignProblem(
        "LaH10",
        floors={"H": 0.4},
        charge_rule="every_atom",
        settings=replace(DEFAULTS, n_unit=(1, 15), max_elements=3, mutate_probability=0.29, perturb_ratio=0.03),
    ),
    "base=YBa2Cu3O7&forbid=none&candidates=11640&steps=1000%2C1000&learning_rate=0.01&formation_energy_weight=0"
    "&caution=0&integer_weight=100000&step_schedule=constant&rounding=nearest&n_unit=4%2C24&max_elements=118"
    "&objective=target&exempt_elements=2&start=interpolated": DesignProblem(
        "YBa2Cu3O7",
        settings=replace(
            DEFAULTS,
            candidates=11_640,
            steps=(1000, 1000),
            learning_rate=0.01,
            formation_energy_weight=0.0,
            risk_aversion=0.0,
            integer_weight=100_000.0,
            step_schedule="constant",
            rounding="nearest",
            n_unit=(4, 24),
            max_elements=118,
            objective="target",
            fractional_elements=2,
            start="interpolated",
        ),
    ),
    "base=FeSe&forbid=none&method=substitution&tc_predictor=tc&formation_energy_predictor=formation-energy"
    "&precision=float32": DesignProblem(
        "FeSe",
        method="substitution",
        tc_predictor="tc",
        formation_energy_predictor="formation-energy",
        precision="float32",
    ),
}


@pytest.mark.parametrize("query", LINKS)
def test_a_link_leads_to_the_same_problem(query):
    assert from_link(dict(parse_qsl(query))) == LINKS[query]
