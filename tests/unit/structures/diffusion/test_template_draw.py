"""Templates that are drawn from the library of prototypes."""

from collections import Counter

import numpy as np
import pytest

from core.chemistry import elements
from core.reference_data.prototypes import load_prototypes
from core.structures.diffusion.template_draw import SCALE, Candidates, TemplateDraw
from core.structures.symmetry import space_group_of
from core.structures.templates import ElementTables

ROCK_SALT, BORIDE = ("Na", "Cl"), ("Mg", "B", "B")


def indices(*symbols):
    return [elements.element(symbol).index for symbol in symbols]


def test_the_weight_of_a_prototype_is_the_sum_over_its_compounds():
    library = load_prototypes()
    distances = ElementTables.of(library).distances
    candidates = Candidates(library, BORIDE)
    for prototype, species, weight in zip(
        candidates.prototypes[::50], candidates.species[::50], candidates.weights[::50], strict=True
    ):
        assert species.tolist() == indices("Mg", "B") and library.equivalents[prototype] == 1
        apart = [sum(distances[a, b] for a, b in zip(species, row, strict=True))
                 for row in library.species_of(int(prototype))]  # fmt: skip
        assert weight == pytest.approx(sum(np.exp(-np.array(apart) / SCALE)))


def test_templates_are_drawn_by_weight_among_those_with_the_number_of_atoms():
    library = load_prototypes()
    chances = Candidates(library, BORIDE).chances(3)
    assert chances.sum() == pytest.approx(1)
    prototypes = Candidates(library, BORIDE).prototypes
    assert set(library.sites[prototypes[chances > 0]]) == {3}
    found = Counter(each.label for each in TemplateDraw(library, BORIDE).templates(0, range(300)))
    expected = Counter()
    for prototype, chance in zip(prototypes, chances, strict=True):
        expected[library.label(int(prototype))] += chance
    for label, chance in expected.most_common(3):
        assert abs(found[label] / 300 - chance) < 4 * np.sqrt(chance / 300)


@pytest.mark.parametrize(
    ("composition", "label"),
    [
        (("Mg", "B", "B"), "AB2 191 1a|2d"),
        (("Nb",) * 6 + ("Sn",) * 2, "AB3 223 2a|6c"),
        (("La", "Fe", "As", "O") * 2, "ABCD 129 2"),  # with either origin
        (("Y", "Ni", "Ni", "B", "B", "C"), "ABC2D2 139 1a|1b|2d|2e"),
    ],
)
def test_known_superconductors_have_their_own_type_most_often(composition, label):
    found = Counter(each.label for each in TemplateDraw(load_prototypes(), composition).templates(0, range(30)))
    assert found.most_common(1)[0][0].startswith(label)


def test_a_template_depends_on_the_seed_and_the_number_only():
    draw = TemplateDraw(load_prototypes(), BORIDE)
    labels = [each.label for each in draw.templates(1, range(16))]
    cells = draw.structures(1, range(16))
    assert len(cells) == 16 and {each.formula for each in cells} == {"MgB2"}
    assert all(label.split()[1] == str(space_group_of(cell)) for label, cell in zip(labels, cells, strict=True))
    assert [each.label for each in TemplateDraw(load_prototypes(), BORIDE).templates(1, (3, 5))] == [
        labels[3],
        labels[5],
    ]
    assert labels != [each.label for each in draw.templates(2, range(16))]


def test_without_a_prototype_there_is_no_symmetry_and_the_note_names_the_cells_that_have_one():
    composition = ("H", "Li", "Be", "B", "C", "N", "O", "F", "Na", "Mg", "Al", "Si")
    draw = TemplateDraw(load_prototypes(), composition)
    (template,) = draw.templates(0, [0])
    assert draw.structures(0, range(3)) == []
    assert template.label == "" and template.displacements.shape == (36, 36)
    np.testing.assert_array_equal(template.displacements, np.eye(36))
    assert draw.note.startswith("No known prototype has this stoichiometry:")
    hydride = ("La",) + ("H",) * 10
    assert TemplateDraw(load_prototypes(), hydride).note == ""
    tripled = TemplateDraw(load_prototypes(), hydride * 3).note
    assert "with 33 atoms" in tripled and tripled.endswith("Those that are known have 1, 2, 4, 6 formula units.")


def test_excluded_formulas_count_as_unknown():
    library = load_prototypes()
    names = elements.symbols()
    fitting = [int(p) for p in library.by_stoichiometry[1, 1] if library.sites[p] == 2]
    first = {frozenset((names[e], 1) for e in library.species_of(p)[0]) for p in fitting}
    assert len(TemplateDraw(library, ROCK_SALT).templates(0, range(3))) == 3
    assert {each.label for each in TemplateDraw(library, ROCK_SALT, first).templates(0, range(5))} == {""}
    commonest = max(fitting, key=lambda prototype: library.members[prototype])
    own = frozenset((("Na", 1), ("Cl", 1)))
    assert own in {frozenset((names[e], 1) for e in row) for row in library.species_of(commonest)} and own not in first

    def weight(excluded):
        candidates = Candidates(library, ROCK_SALT, excluded)
        return candidates.weights[candidates.prototypes == commonest].sum()

    assert weight(frozenset()) - weight({own}) == pytest.approx(1)  # a compound at the distance 0
