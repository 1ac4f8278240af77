"""A small folder of raw data for the trainings of crystals: triclinic cells of two elements, of two to five atoms."""

from __future__ import annotations

import csv
import gzip
import json
from pathlib import Path

import numpy as np

METALS, NON_METALS = ("Li", "Na", "K", "Mg", "Ca", "Nb", "Ti", "V"), ("B", "C", "N", "O", "F", "S")


def write(folder: Path) -> None:
    """The files that these trainings read."""
    random = np.random.default_rng(0)
    pairs = [(metal, other) for metal in METALS for other in NON_METALS]
    mp = [row(f"mp-{i}", "MP", symbols, random) for i, symbols in enumerate(_cells(pairs))]
    superconductors = [row(f"mp-{i}", "3DSC", symbols, random) for i, symbols in enumerate(_cells(pairs[:12]))]
    jarvis = [
        row(f"JVASP-{i}", "JARVIS-DFT", symbols, random) | {"tc_dft_k": float(i), "split": "val" if i < 4 else "train"}
        for i, symbols in enumerate(_cells(pairs[16:48]))
    ]
    for name, rows in {"3dsc": superconductors, "jarvis_supercon": jarvis, "general_mp20": mp}.items():
        with gzip.open(folder / f"structures_{name}.jsonl.gz", "wt", encoding="utf-8") as file:
            file.write("".join(json.dumps(each) + "\n" for each in rows))
    with gzip.open(folder / "dft_electron_phonon_tc.csv.gz", "wt", encoding="utf-8", newline="") as file:
        table = csv.writer(file)
        table.writerows([["formula", "tc_K", "dataset"], ["LiB", 3.5, "jarvis_alex"], ["LiC2", 9, "jarvis_alex"]])
        table.writerows([["Li2B2", 3.5, "jarvis_alex"], ["LiN3", 1, "jarvis_3d"], ["NaB", 1, "jarvis_alex"]])
        table.writerows([["NaB", 2, "jarvis_alex"]])


def _cells(pairs: list[tuple[str, str]]) -> list[tuple[str, ...]]:
    return [(metal, *[other] * (1 + i % 4)) for i, (metal, other) in enumerate(pairs)]


def row(name: str, source: str, symbols: tuple[str, ...], random: np.random.Generator) -> dict:
    """A structure as in the data."""
    lengths, angles = random.uniform(3, 4.5, 3), random.uniform(75, 105, 3)
    places = np.arange(len(symbols))[:, None] / len(symbols) + random.uniform(0, 0.1, (len(symbols), 3))
    return {
        "id": name,
        "source": source,
        "species": list(symbols),
        "lattice": [*lengths.tolist(), *angles.tolist()],
        "frac_coords": (places % 1).tolist(),
    }
