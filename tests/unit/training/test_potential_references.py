"""Energies by the potential for the chemical systems of known superconductors: order, checkpoint."""

from types import SimpleNamespace

import numpy as np
import pytest

from core.chemistry.composition import compositions
from core.predictors import checkpoint
from core.structures.potential_references import NAME, load_potential_references
from core.training import potential_references
from core.training.potential_references import PotentialReferenceSettings, systems_of, train, train_on, write

KNOWN = SimpleNamespace(
    known_compositions=compositions(["MgB2", "Nb3Sn", "Nb6Sn5", "NaCl"]), known_tc_K=np.array([39.0, 18.0, 2.0, 0.0])
)


def test_systems_with_most_superconductors_come_first():
    assert systems_of(KNOWN) == [frozenset({"Nb", "Sn"}), frozenset({"B", "Mg"})]


def test_written_energies_are_read_again(tmp_path):
    write({"MgB2": -4.5, "B": None}, 1, tmp_path)
    assert load_potential_references(tmp_path) == {"B": None, "MgB2": -4.5}
    assert checkpoint.read_card(NAME, tmp_path)["metrics_held_out"]["compounds_with_energy"] == 1


def test_each_compound_of_the_systems_is_computed_once(tmp_path, monkeypatch):
    asked = []

    class Energies:
        def stored_eV_per_atom(self):
            return {}

        def phases(self, system):
            return [frozenset({(symbol, 1)}) for symbol in sorted(system)] + [frozenset({("H", 1)})]

        def energies_eV_per_atom(self, keys):
            asked.extend(keys)
            return dict.fromkeys(keys, -1.0)

    monkeypatch.setattr(potential_references, "load_references", lambda: KNOWN)
    monkeypatch.setattr(potential_references, "load_finder", lambda: None)
    monkeypatch.setattr(potential_references, "references", lambda finder, build, processes: Energies())
    card = train(tmp_path, tmp_path, 0, tmp_path, PotentialReferenceSettings(1))
    assert len(asked) == 3 == card["metrics_held_out"]["compounds"] and card["metrics_held_out"]["systems"] == 1
    train(tmp_path, tmp_path, 0, tmp_path)
    assert len(load_potential_references(tmp_path)) == 5
    asked.clear()
    other = tmp_path / "other"
    write({"Nb": -10.0, "C": None}, 1, other)
    train_on(tmp_path, other, 0, other)
    assert len(asked) == 4 and load_potential_references(other) == {
        "Nb": -10.0, "C": None, "B": -1.0, "H": -1.0, "Mg": -1.0, "Sn": -1.0
    }  # fmt: skip


def test_energies_of_other_structures_are_not_continued(tmp_path):
    write({"Nb": -10.0}, 1, tmp_path)
    checkpoint.rewrite_card(NAME, checkpoint.read_card(NAME, tmp_path) | {"structures_sha256": {}}, tmp_path)
    with pytest.raises(checkpoint.CheckpointError, match="other structures"):
        train_on(tmp_path, tmp_path, 0, tmp_path)
