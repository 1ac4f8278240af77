"""Crystal structures as CIF and POSCAR texts, by pymatgen."""

from __future__ import annotations

import warnings

from core.chemistry.structure import Structure
from core.errors import InputError
from core.structures.match import from_pymatgen, to_pymatgen

WRITTEN_SYMPREC_A = 0.01  # tolerance for the symmetry that a CIF states
TRANSLATION_TOLERANCE_A = 0.02  # for the translations of a primitive cell; a wider one undoes small distortions
_REMEDY = "Export the structure again as CIF, with every site fully occupied by one element"


def to_cif(structure: Structure) -> str:
    """The structure as CIF, with its symmetry and in the conventional cell; without symmetry if none is found."""
    from pymatgen.io.cif import CifWriter

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the symmetry search, at every call
        try:
            return str(CifWriter(to_pymatgen(structure), symprec=WRITTEN_SYMPREC_A))
        except (TypeError, ValueError):  # no symmetry found, as for atoms almost in one place
            return str(CifWriter(to_pymatgen(structure)))


def to_poscar(structure: Structure, comment: str = "") -> str:
    """The structure as POSCAR, its atoms sorted by element. comment : the first line, the formula by default"""
    from pymatgen.io.vasp import Poscar

    return Poscar(to_pymatgen(structure), comment=comment or structure.formula, sort_structure=True).get_str()


def read_cif(text: str, name: str = "this file") -> Structure:
    """The primitive cell of the first structure in a CIF.

    name : of the file, for messages

    Raises InputError (field "cif") for a damaged file, for one without structure, and for partly occupied sites.
    """
    from pymatgen.io.cif import CifParser

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of roundings that pymatgen undoes
            cells = CifParser.from_str(text).parse_structures(primitive=False, on_error="raise")
            structures = [each.get_primitive_structure(TRANSLATION_TOLERANCE_A) for each in cells[:1]]
    except Exception as error:  # the parser of a damaged file fails in many ways, none of them documented
        reason = str(error).strip().splitlines()
        raise InputError(
            "cif", name, f"this is no readable CIF ({reason[0] if reason else 'empty'})", _REMEDY
        ) from None
    if not structures:
        raise InputError("cif", name, "there is no structure in this CIF", _REMEDY)
    try:
        return from_pymatgen(structures[0])
    except ValueError as error:
        raise InputError("cif", name, f"this structure cannot be used: {error}", _REMEDY) from None
