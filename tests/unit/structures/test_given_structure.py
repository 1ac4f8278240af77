"""A structure from a file: its request, the one proposal, what is refused."""

import pytest

from core.errors import InputError
from core.structures.files import to_cif
from core.structures.given_structure import GivenStructure, structure_of_file
from core.structures.prototypes import StructureFinder
from tests import crystals

FINDER = StructureFinder(crystals.prototype_library(), crystals.NearestFirst())


def test_the_structure_is_the_only_proposal_and_known_ones_are_recognised():
    for structure, known in ((crystals.rock_salt("K", "Br", 6.6), True), (crystals.diboride("K", 3.1, 3.4), False)):
        given = GivenStructure(structure, FINDER)
        (proposal,) = given.find(given.request.amounts, 5)
        assert proposal.structure is structure and proposal.known is known and proposal.origin == "from a file"
        assert given.request.text == structure.formula and given.request.amounts == structure.counts


def test_a_file_is_read_whatever_its_encoding_and_refused_where_it_is_no_crystal():
    content = b"# M\xfcller\n" + to_cif(crystals.rock_salt("Na", "Cl", 5.64)).encode()
    assert structure_of_file("salt.cif", content).formula == "NaCl"
    for wrong, message in ((b"nothing", "no readable CIF"), (content.replace(b"5.64", b"0.1"), "too thin for atoms")):
        with pytest.raises(InputError, match=message):
            structure_of_file("salt.cif", wrong)
