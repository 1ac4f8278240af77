"""Templates that are drawn from the library of prototypes."""

from collections import Counter

import numpy as np

from core.chemistry import elements
from core.reference_data.prototypes import load_prototypes
from core.structures.diffusion.template_draw import TemplateDraw

ROCK_SALT, BORIDE = ("Na", "Cl"), ("Mg", "B", "B")


def test_prototypes_are_drawn_by_the_number_of_their_compounds():
    library = load_prototypes()
    draw = TemplateDraw(library, BORIDE)
    found = Counter(each.label for each in draw.templates(0, range(300)))
    fitting = [int(p) for p in library.by_stoichiometry[1, 2] if library.sites[p] == 3]
    shares = library.members[fitting] / library.members[fitting].sum()
    most = fitting[int(shares.argmax())]
    assert abs(found[library.label(most)] / 300 - shares.max()) < 4 * np.sqrt(shares.max() / 300)
    assert set(found) <= {library.label(prototype) for prototype in fitting}


def test_a_template_depends_on_the_seed_and_the_number_only():
    draw = TemplateDraw(load_prototypes(), BORIDE)
    labels = [each.label for each in draw.templates(1, range(8))]
    assert [each.label for each in TemplateDraw(load_prototypes(), BORIDE).templates(1, (3, 5))] == [
        labels[3],
        labels[5],
    ]
    assert labels != [each.label for each in draw.templates(2, range(8))]


def test_a_stoichiometry_without_prototypes_has_no_symmetry():
    composition = ("H", "Li", "Be", "B", "C", "N", "O", "F", "Na", "Mg", "Al", "Si")
    (template,) = TemplateDraw(load_prototypes(), composition).templates(0, [0])
    assert template.label == "" and template.displacements.shape == (36, 36)
    np.testing.assert_array_equal(template.displacements, np.eye(36))


def test_excluded_formulas_count_as_unknown():
    library = load_prototypes()
    names = elements.symbols()
    fitting = [int(p) for p in library.by_stoichiometry[1, 1] if library.sites[p] == 2]
    first = {frozenset((names[e], 1) for e in library.species_of(p)[0]) for p in fitting}
    assert len(TemplateDraw(library, ROCK_SALT).templates(0, range(3))) == 3
    assert {each.label for each in TemplateDraw(library, ROCK_SALT, first).templates(0, range(5))} == {""}
    commonest = max(fitting, key=lambda prototype: library.members[prototype])
    last = frozenset((names[e], 1) for e in library.species_of(commonest)[-1])
    assert last not in first
    assert TemplateDraw(library, ROCK_SALT)._compounds(commonest, {last}) == library.members[commonest] - 1
