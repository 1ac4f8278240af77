"""Structures by diffusion beside those from prototypes, with a random network and energies by pairs."""

import pytest

from core.errors import InputError
from core.structures.diffusion import sampler
from core.structures.diffusion.names import BASE
from core.structures.diffusion.weights import load_crystal_network
from core.structures.generated_proposals import NOTE, PROTOTYPE, FinderWithDiffusion
from core.structures.interatomic import PotentialError
from core.structures.potential_hull import Stopped
from core.structures.prototypes import StructureFinder
from tests import crystals
from tests.pair_potential import PairPotential
from tests.unit.structures.diffusion.conftest import stored

ROCK_SALT, CAESIUM_CHLORIDE = crystals.rock_salt("K", "Br", 6.6), crystals.caesium_chloride("K", "Br", 3.9)
LIBRARY = StructureFinder(crystals.prototype_library(), crystals.NearestFirst())


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    folder = tmp_path_factory.mktemp("checkpoints")
    stored(folder, BASE)
    return load_crystal_network(BASE, folder)


def finder(model, **values) -> FinderWithDiffusion:
    given = {"potential": PairPotential(r0=3.3), "samples": 4, "steps": 2} | values
    return FinderWithDiffusion(LIBRARY, model, **given)


@pytest.fixture
def drawn(monkeypatch):
    """What the sampler gives: for each number of atoms in the cell some structures, and the sizes that were asked."""
    asked = []

    def draw(found):
        def structures(task, state):
            asked.append((len(task.wanted.composition), task.count))
            return found if len(asked) == 1 else [None]

        monkeypatch.setattr(sampler, "structures", structures)
        return asked

    return draw


def test_generated_structures_come_after_the_prototypes(model, drawn):
    """Not one that a prototype has, nor the same twice; one that is known is marked."""
    asked = drawn([ROCK_SALT, CAESIUM_CHLORIDE, CAESIUM_CHLORIDE, None])
    found = finder(model).find({"K": 1.0, "Br": 1.0}, 1)
    assert [each.prototype for each in found] == [LIBRARY.find({"K": 1.0, "Br": 1.0}, 1)[0].prototype, PROTOTYPE]
    last = found[1]
    assert last.structure is CAESIUM_CHLORIDE and last.note == NOTE and not last.known and last.origin == PROTOTYPE
    assert last.space_group == 221 and asked == [(2, 2), (4, 2)]


def test_those_of_lowest_energy_are_proposed(model, drawn):
    far = crystals.caesium_chloride("K", "Br", 6.0)
    drawn([far, crystals.diboride("K", 4.0, 4.0).with_symbols(["K", "Br", "Br"])])

    class ByVolume:
        def evaluate(self, structure):
            if len(structure.symbols) == 3:
                raise PotentialError("no")
            return PairPotential(r0=3.3).evaluate(structure)

    found = finder(model, potential=ByVolume()).find({"K": 1.0, "Br": 1.0}, 1)
    assert [each.structure for each in found[1:]] == [far]


def test_the_network_draws_what_fits_into_a_cell(model):
    found = finder(model).find({"Mg": 1.0, "B": 2.0}, 5)
    assert found[0].known and all(each.structure.lowest_terms == {"Mg": 1, "B": 2} for each in found)
    assert finder(model).find({"Mg": 1.0, "B": 2.0}, 5)[-1].prototype == found[-1].prototype  # the same samples
    assert LIBRARY.known({"Mg": 1, "B": 2})[0].formula == finder(model).known({"Mg": 1, "B": 2})[0].formula


def test_a_formula_without_a_prototype_has_generated_structures(model, drawn):
    amounts = {"K": 1.0, "Br": 7.0}
    with pytest.raises(InputError, match="no known crystal structure"):
        LIBRARY.find(amounts, 1)
    drawn([crystals.a15("K", "Br", 7.0).with_symbols(["K"] + ["Br"] * 7)])
    found = finder(model).find(amounts, 1)
    assert len(found) == 1 and found[0].score == 0.0
    drawn([None])
    with pytest.raises(InputError, match="no known crystal structure"):
        finder(model, samples=1).find({"K": 1.0, "Br": 11.0}, 1)


def test_doped_formulas_have_prototypes_only(model):
    amounts = {"Ce": 1.0, "Fe": 1.0, "As": 1.0, "O": 0.89, "F": 0.11}
    assert all(each.prototype != PROTOTYPE for each in finder(model).find(amounts, 2))


def test_elements_that_the_network_does_not_know_are_not_drawn(model):
    assert all(each.prototype != PROTOTYPE for each in finder(model).find({"Lr": 1.0, "Md": 1.0}, 1))


def test_it_stops_before_a_step(model):
    with pytest.raises(Stopped):
        finder(model, should_stop=lambda: True).find({"K": 1.0, "Br": 1.0}, 1)
