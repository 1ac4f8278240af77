"""Computed Tc of structures: the held-out formulas of JARVIS stay out, wherever they stand."""

import gzip
import json

import pytest

from core.errors import InputError
from core.training.electron_phonon import read_electron_phonon


def structure(formula, species, **fields):
    positions = [[i / len(species), 0, 0] for i in range(len(species))]
    return {"id": formula, "source": "MP", "formula": formula, "lattice": [4, 4, 4, 90, 90, 90], "species": species,
            "frac_coords": positions, "spacegroup": 1, **fields}  # fmt: skip


@pytest.fixture
def folder(tmp_path):
    files = {
        "structures_jarvis_supercon": [
            structure("NbC", ["Nb", "C"], split="train", tc_dft_k=9.0),
            structure("TiN", ["Ti", "N"], split="val", tc_dft_k=5.0),
        ],
        "structures_3dsc": [structure("VN", ["V", "N"])],
        "structures_general_mp20": [
            structure("ZrN", ["Zr", "N"], e_hull=0.3),
            structure("ZrN2", ["N", "N", "Zr", "Zr"], e_hull=0.1) | {"formula": "ZrN"},
            structure("HfN", ["Hf", "N"]),
            structure("TiN", ["Ti", "N"]),
        ],
    }
    for name, rows in files.items():
        with gzip.open(tmp_path / f"{name}.jsonl.gz", "wt", encoding="utf-8") as file:
            file.writelines(json.dumps(row) + "\n" for row in rows)
    lines = ["formula,tc_K,dataset,lambda,omega_log_K,pressure", "NbC,9,jarvis_3d,,,", "TiN,5,jarvis_3d,,,",
             "HfN,7,jarvis_3d,,,", "VN,8,jarvis_alex,,,", "Zr2N2,6,jarvis_alex,,,", "ZrN,4,jarvis_alex,,,",
             "Hf2N2,7,jarvis_alex,,,", "NTi,5,jarvis_alex,,,", "WN,1,jarvis_alex,,,"]  # fmt: skip
    with gzip.open(tmp_path / "dft_electron_phonon_tc.csv.gz", "wt", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")
    return tmp_path


def test_held_out_formulas_are_not_joined(folder):
    found = read_electron_phonon(folder)
    assert found.train.y.tolist() == [9.0] and found.val.y.tolist() == [5.0]
    assert dict(zip(found.joined.formulas.tolist(), found.joined.y.tolist(), strict=True)) == {
        "N1V1": 8.0,
        "N1Zr1": 5.0,
    }
    assert found.counts["Alexandria: formulas of JARVIS outside train and val"] == 1
    assert found.counts["Alexandria: formulas of JARVIS val"] == 1
    assert found.counts["Alexandria: formulas without a structure"] == 1


def test_the_structure_of_lowest_energy_is_joined(folder):
    found = read_electron_phonon(folder).joined
    volumes = dict(zip(found.formulas.tolist(), found.x[:, -1], strict=True))
    assert set(volumes) == {"N1V1", "N1Zr1"}
    place = found.formulas.tolist().index("N1Zr1")
    assert (found.x[place] != found.x[1 - place]).any()


def test_a_missing_file_is_said(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        read_electron_phonon(tmp_path)
