"""Parents of doped formulas."""

import pytest

from core.chemistry.formula_reader import parse_formula
from core.structures.element_distance import element_distances
from core.structures.parents import parents
from tests import crystals

LIBRARY = crystals.prototype_library()
DISTANCES = element_distances(LIBRARY.radii_A)


def best(formula: str):
    found = parents(LIBRARY, DISTANCES, parse_formula(formula))
    return found[0] if found else None


@pytest.mark.parametrize(
    "formula, counts, hosts, share",
    [
        ("La1.85Sr0.15CuO4", {"La": 2, "Cu": 1, "O": 4}, {"Sr": "La"}, 0.075),
        ("CeFeAsO0.9F0.1", {"Ce": 1, "Fe": 1, "As": 1, "O": 1}, {"F": "O"}, 0.1),
        ("CeFe0.9Co0.1AsO", {"Ce": 1, "Fe": 1, "As": 1, "O": 1}, {"Co": "Fe"}, 0.1),
        ("Mg0.9Al0.1B2", {"Mg": 1, "B": 2}, {"Al": "Mg"}, 0.1),
    ],
)
def test_dopants_are_on_the_site_of_the_most_similar_element(formula, counts, hosts, share):
    parent = best(formula)
    assert parent is not None and dict(parent.counts) == counts and dict(parent.hosts) == hosts
    assert list(parent.shares.values()) == [pytest.approx(share)] and parent.rounded == pytest.approx(0, abs=1e-9)


def test_vacancies_are_filled_and_counted():
    parent = best("La2CuO3.9")
    assert parent is not None and dict(parent.counts) == {"La": 2, "Cu": 1, "O": 4} and not parent.hosts
    assert 0 < parent.rounded < 0.02


def test_the_shares_of_sites_and_dopants_add_up_to_the_formula():
    amounts = parse_formula("La1.8Sr0.1Nd0.1CuO4")
    parent = best("La1.8Sr0.1Nd0.1CuO4")
    assert parent is not None
    for dopant, host in parent.hosts.items():
        assert parent.shares[dopant] * 2 == pytest.approx(amounts[dopant]) and host == "La"


def test_a_formula_far_from_every_stoichiometry_has_no_parent():
    assert parents(LIBRARY, DISTANCES, {"Mg": 7.3, "B": 1.1, "C": 3.7, "N": 5.9, "O": 2.2, "F": 4.1}) == []
