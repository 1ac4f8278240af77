"""Energies by the potential that are computed beforehand: reading, other potentials, none."""

import math
import zlib

import pytest
import torch

from core.predictors import checkpoint
from core.structures.interatomic import CHGNET
from core.structures.potential_references import ARCHITECTURE, NAME, load_potential_references


def stored(folder, potential):
    names = zlib.compress(b"K\nCl\nKCl")
    tensors = {
        "formulas": torch.frombuffer(bytearray(names), dtype=torch.uint8),
        "energies_eV_per_atom": torch.tensor([-1.25, math.nan, -3.5]),
    }
    checkpoint.save(NAME, tensors, {"architecture": ARCHITECTURE, "potential": potential}, folder)


def test_energies_are_read_by_formula(tmp_path):
    stored(tmp_path, CHGNET)
    assert load_potential_references(tmp_path) == {"K": -1.25, "Cl": None, "KCl": -3.5}


def test_energies_of_another_potential_are_refused(tmp_path):
    stored(tmp_path, "another")
    with pytest.raises(checkpoint.CheckpointError, match="another potential"):
        load_potential_references(tmp_path)


def test_they_may_be_missing(tmp_path):
    assert load_potential_references(tmp_path) == {}
