"""The data of the trainings of crystals: split by formula, and joined with a Tc only without doubt."""

from collections import Counter

import numpy as np
import pytest

from core.chemistry.structure import Structure
from core.errors import InputError
from core.structures.diffusion.lattice_numbers import LatticeScale, numbers_of
from core.training.crystal_data import crystal_table, read_base, read_tuning
from tests.unit.training import crystal_files


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("data")
    crystal_files.write(made)
    return made


def test_the_base_has_every_structure_in_the_order_of_its_size(folder):
    table, counts = read_base(folder)
    assert len(table) == counts["rows"] == 48
    assert (np.diff(table.atoms) >= 0).all() and table.sizes()[:6] == [0, 0, 12, 12, 12, 12]
    kinds, positions, lattice, atoms, tc_K = table.columns(LatticeScale.of(table.numbers, table.atoms))
    assert kinds.shape == (48, 20) and positions.shape == (48, 20, 3) and lattice.shape == (48, 6)
    assert abs(float(lattice.mean())) < 1e-6 and np.isnan(tc_K.numpy()).all() and atoms[0] == 2
    assert (positions[0, 2:] == 0).all() and (positions >= 0).all() and (positions < 1).all()


def test_a_tc_is_joined_to_the_only_structure_of_a_cell_and_validation_formulas_are_not_learned(folder):
    learnt, validation, counts = read_tuning(folder)
    assert len(validation) == 4 and not set(validation.formulas) & set(learnt.formulas)
    assert counts["JARVIS train"] == 28 and counts["rows of JARVIS-Alexandria"] == 5
    assert counts["JARVIS-Alexandria: joined"] == 2  # LiB and LiC2
    assert counts["JARVIS-Alexandria: no structure with this cell"] == 3  # Li2B2; NaB of 1 + 3 atoms, twice
    assert dict(zip(learnt.formulas, learnt.tc_K, strict=True))["B1Li1"] == 3.5
    assert np.isfinite(learnt.tc_K).all()


def test_what_is_too_large_or_too_heavy_is_left_out_and_counted():
    small = Structure(np.diag([3.0, 4, 5]), ("Mg", "O"), np.array([[0, 0, 0], [0.5, 0.5, 0.5]]))
    large = Structure(np.eye(3) * 20, ("H",) * 21, np.random.default_rng(0).random((21, 3)))
    heavy, counts = small.with_symbols(("Lr", "O")), Counter()
    table = crystal_table([(small, 1.0), (large, 2.0), (heavy, 3.0)], counts)
    assert table.tc_K.tolist() == [1.0] and counts.total() == 2
    np.testing.assert_allclose(table.numbers[0], numbers_of(small.lattice), atol=1e-12)
    with pytest.raises(ValueError, match="no structure"):
        crystal_table([(large, 2.0)], counts)


def test_missing_files_are_input_errors(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        read_base(tmp_path)
    with pytest.raises(InputError, match="no such file"):
        read_tuning(tmp_path)
