"""Stable compounds in large cells: stored and read again, and structures of the stored table."""

import numpy as np
import pytest

from core.predictors import checkpoint
from core.reference_data.large_cells import ARCHITECTURE, NAME, load_large_cells, pack, unpack
from core.structures.environments import density_g_per_cm3
from core.structures.symmetry import space_group_of
from core.training.large_cells import table_of

ROWS = [
    {"id": f"mp-{number}", "lattice": [5.0, 6.0, 7.0, 90.0, 100.0, 90.0], "species": symbols,
     "frac_coords": np.random.default_rng(number).random((len(symbols), 3)).tolist()}
    for number, symbols in ((7, ["Mg", "B", "B"]), (9, ["K", "Cl"]))
]  # fmt: skip


def test_structures_are_read_as_they_were_stored():
    cells = unpack(pack(table_of(ROWS)))
    assert len(cells) == 2 and cells.places == {
        frozenset({("Mg", 1), ("B", 2)}): 0, frozenset({("K", 1), ("Cl", 1)}): 1
    }  # fmt: skip
    second = cells.structure(1)
    assert second.symbols == ("K", "Cl") and cells.id_of(1) == "mp-9"
    np.testing.assert_allclose(second.positions, ROWS[1]["frac_coords"], atol=1.3e-4)
    assert second.volume_A3 == pytest.approx(5 * 6 * 7 * np.sin(np.radians(100)), rel=1e-5)


def test_a_damaged_table_is_refused(tmp_path):
    card = {"name": NAME, "architecture": ARCHITECTURE}
    checkpoint.save(NAME, pack(table_of(ROWS)) | {"species": pack(table_of(ROWS))["positions"][:5]}, card, tmp_path)
    with pytest.raises(checkpoint.CheckpointError):
        load_large_cells(tmp_path)


@pytest.mark.parametrize(
    "counts, space_group, density",
    [({"Ba": 1, "Y": 2, "O": 4}, 62, 5.9), ({"Y": 2, "O": 3}, 206, 5.0), ({"Ba": 1, "Cu": 13}, 226, 8.2)],
)
def test_the_stored_table_has_phases_beside_the_cuprates(counts, space_group, density):
    cells = load_large_cells()
    made = cells.structure(cells.places[frozenset(counts.items())])
    assert made.lowest_terms == counts and 20 < len(made.symbols) <= 40
    assert space_group_of(made) == space_group and density_g_per_cm3(made) == pytest.approx(density, rel=0.05)
    assert made.shortest_distance_A() > 1.5
