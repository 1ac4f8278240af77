"""Which structures in large cells are kept, and the table that is built of them."""

import gzip
import json

import numpy as np

from core.reference_data.large_cells import load_large_cells
from core.training import large_cells
from core.training.large_cells import chosen, formula_of_row, lowest_above_hull, train
from core.training.structure_data import FILES


def row(number, symbols, e_hull):
    n = len(symbols)
    given = {} if e_hull is None else {"e_hull": e_hull}
    return {"id": f"mp-{number}", "species": symbols, "lattice": [5.0, 5.0, 5.0, 90.0, 90.0, 90.0],
            "frac_coords": [[i / n, 0.0, 0.0] for i in range(n)], **given}  # fmt: skip


def test_the_lowest_energy_of_a_formula_is_found():
    found = lowest_above_hull([row(1, ["K", "Cl"], 0.2), row(2, ["Cl", "K"], 0.1), row(3, ["K", "Cl"], None),
                               row(4, ["K"], None)])  # fmt: skip
    assert found[frozenset({("K", 1), ("Cl", 1)})] == 0.1 and np.isnan(found[frozenset({("K", 1)})])


def test_stable_structures_are_kept_where_the_library_has_none_as_stable():
    rows = [
        row(9, ["K", "Cl"] * 2, 0.0), row(8, ["K", "Cl"] * 2, 0.0005), row(7, ["K", "F"], 0.002), row(6, ["Na"], None),
        row(5, ["Na", "Cl"], 0.0), row(4, ["Na", "F"], 0.0), row(3, ["Li", "F"], 0.0),
    ]  # fmt: skip
    smaller = {formula_of_row(row(0, symbols, None)): energy for symbols, energy in
               ((["Na", "Cl"], 0.001), (["Na", "F"], 0.05), (["Li", "F"], float("nan")))}  # fmt: skip
    assert [each["id"] for each in chosen(rows, smaller)] == ["mp-3", "mp-4", "mp-9"]


def test_the_table_is_built_from_the_raw_data(tmp_path):
    def write(name, rows):
        with gzip.open(tmp_path / f"{name}.jsonl.gz", "wt", encoding="utf-8") as file:
            file.writelines(json.dumps(each) + "\n" for each in rows)

    for name in FILES:
        write(name, [row(1, ["K", "Cl"], 0.0)])
    write(large_cells.SOURCE, [row(2, ["K", "Cl"] * 11, 0.0), row(3, ["Mg"] * 8 + ["B"] * 16, 0.0)])
    card = train(tmp_path, tmp_path, 0, tmp_path)
    assert card["counts"] == {"structures read": 2, "with a known energy above hull": 2, "structures": 1}
    load_large_cells.cache_clear()
    assert list(load_large_cells(tmp_path).places) == [frozenset({("Mg", 1), ("B", 2)})]
    load_large_cells.cache_clear()
