"""Input files for Quantum ESPRESSO (Giannozzi et al. 2020): relaxation, phonons, electron-phonon coupling and Tc.

The electron-phonon coupling is that of `ph.x` with electron_phonon = 'interpolated' (Wierzbowska, de Gironcoli and
Giannozzi 2006): the electrons on a dense grid of k points, the phonons on a grid of q points, to each of which the
coarser grid of k points is a multiple. Pseudopotentials are named, not written.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np

from core.chemistry.structure import Structure
from core.files import write_atomically
from core.structures.files import read_cif
from core.structures.match import to_pymatgen
from core.structures.symmetry import operations, space_group_symbol, symmetric

CUTOFF_RY = 100.0  # of plane waves; enough for the hardest elements of the pseudopotentials named below
SMEARING_RY = 0.02
Q_SPACING, K_SPACING = 0.8, 0.2  # 1/Å, with the factor 2 pi, between points of the grids
SYMPREC_A = 0.01
COULOMB = 0.10  # mu*, of the formula of Allen and Dynes
RELAX, DENSE, SCF, GAMMA, COUPLING, FORCES, SPECTRUM, README = (
    "1-relax.in", "2-scf-dense.in", "3-scf.in", "4-phonons-gamma.in", "5-electron-phonon.in", "6-q2r.in",
    "7-matdyn.in", "README.txt",
)  # fmt: skip
FOLDER = "espresso"  # with a folder for each structure
_STEPS = (
    ("pw.x", RELAX, "relaxes the cell and the atoms"),
    ("pw.x", DENSE, "electrons on the dense grid, kept for the coupling"),
    ("pw.x", SCF, "electrons for the phonons"),
    ("ph.x", GAMMA, "frequencies at Gamma: beside three near 0, a negative one is imaginary, not stable"),
    ("ph.x", COUPLING, "phonons and coupling, the longest step"),
    ("q2r.x", FORCES, "force constants"),
    ("matdyn.x", SPECTRUM, "spectral functions in a2F.dos*, lambda and omega_log in the file lambda"),
)


def input_files(structure: Structure, about: str, pressure_GPa: float = 0.0) -> dict[str, str]:
    """Name -> text of every input file, and of a README with the commands, for the primitive cell of a structure.

    about : one line about the structure, for the README
    pressure_GPa : under which the crystal is relaxed
    """
    found = symmetric(structure, SYMPREC_A)
    cell, group = (found.structure, found.space_group) if found else (structure, 1)
    linked = linked_directions(cell)
    q = grid(cell.lattice, Q_SPACING, linked)
    k = tuple(a * -(-b // a) for a, b in zip(q, grid(cell.lattice, K_SPACING, linked), strict=True))
    dense = tuple(2 * n for n in k)
    files = {
        RELAX: _pw(cell, k, pressure_kbar=10 * pressure_GPa),
        DENSE: _pw(cell, dense, {"la2F": True}),
        SCF: _pw(cell, k),
        GAMMA: _ph("Phonons at Gamma", {"fildyn": "gamma.dyn"}) + "0.0 0.0 0.0\n",
        COUPLING: _ph("Phonons and electron-phonon coupling", {
            "fildyn": "crystal.dyn", "fildvscf": "dv", "electron_phonon": "interpolated", "el_ph_sigma": 0.005,
            "el_ph_nsigma": 10, "trans": True, "ldisp": True, "nq1": q[0], "nq2": q[1], "nq3": q[2],
        }),
        FORCES: _namelist("input", {"zasr": "simple", "fildyn": "crystal.dyn", "flfrc": "crystal.fc", "la2F": True}),
        SPECTRUM: _namelist("input", {
            "asr": "simple", "flfrc": "crystal.fc", "flfrq": "crystal.freq", "la2F": True, "dos": True,
            "fldos": "phonon.dos", "nk1": dense[0], "nk2": dense[1], "nk3": dense[2], "ndos": 200,
        }),
    }  # fmt: skip
    return files | {README: _readme(cell, f"{about}\nSpace group {space_group_symbol(group)} ({group})", q, k)}


def write_all(folder: Path, rows: Iterable[Mapping[str, str]]) -> int:
    """Write the files of every row that has a CIF, each into a folder of its own in espresso/; returns their number.

    folder : with structures.csv or funnel.csv, and the CIF files that its rows name

    Raises InputError for a CIF that cannot be read.
    """
    written = 0
    for row in rows:
        if not row.get("cif"):
            continue
        path = folder / row["cif"]
        structure = read_cif(path.read_text(encoding="utf-8"), row["cif"])
        pressure_GPa = float(row.get("pressure_GPa") or 0)
        place = folder / FOLDER / path.stem
        place.mkdir(parents=True, exist_ok=True)
        for name, text in input_files(structure, f"{row['formula']}, {row['cif']}", pressure_GPa).items():
            write_atomically(place / name, text)
        written += 1
    return written


def zipped(files: Mapping[str, str], folder: str) -> bytes:
    """The files in a folder, as a ZIP file."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in files.items():
            archive.writestr(f"{folder}/{name}", text)
    return content.getvalue()


def grid(lattice: np.ndarray, spacing: float, linked: np.ndarray) -> tuple[int, int, int]:
    """Number of points along each reciprocal vector, at most `spacing` (1/Å) apart; the same in linked directions.

    lattice : (3, 3) in Å, rows
    linked : (3, 3) bool, see `linked_directions`
    """
    lengths = 2 * np.pi * np.linalg.norm(np.linalg.inv(lattice), axis=0)
    numbers = np.maximum(np.ceil(lengths / spacing - 1e-6), 1)
    a, b, c = (int(numbers[row].max()) for row in linked)
    return a, b, c


def linked_directions(cell: Structure) -> np.ndarray:
    """(3, 3) bool: which reciprocal vectors a rotation of the crystal mixes, also in several steps.

    A grid has the symmetry of the crystal if it has the same number of points along vectors that are mixed; ph.x
    refuses another one.
    """
    rotations = operations(cell, SYMPREC_A).rotations
    mixed = (np.abs(np.linalg.inv(rotations).transpose(0, 2, 1)) > 0.5).any(0) | np.eye(3, dtype=bool)
    return np.linalg.matrix_power((mixed | mixed.T).astype(int), 2) > 0


def _pw(
    structure: Structure,
    points: tuple[int, ...],
    system: Mapping[str, object] | None = None,
    pressure_kbar: float | None = None,
) -> str:
    """An input of pw.x. pressure_kbar : of a relaxation of cell and atoms; None: the electrons alone"""
    from pymatgen.io.pwscf import PWInput

    relaxes = pressure_kbar is not None
    text = PWInput(
        to_pymatgen(structure),
        pseudo={symbol: f"{symbol}.upf" for symbol in structure.counts},
        control={"prefix": "crystal", "outdir": "./out", "pseudo_dir": "./pseudo"}
        | ({"calculation": "vc-relax", "forc_conv_thr": 1e-4, "etot_conv_thr": 1e-5} if relaxes
           else {"calculation": "scf"}),
        system={
            "ecutwfc": CUTOFF_RY, "occupations": "smearing", "smearing": "marzari-vanderbilt", "degauss": SMEARING_RY,
        } | dict(system or {}),
        electrons={"conv_thr": 1e-10, "mixing_beta": 0.4},
        ions={"ion_dynamics": "bfgs"} if relaxes else None,
        cell={"cell_dynamics": "bfgs", "press": pressure_kbar, "press_conv_thr": 0.1} if relaxes else None,
        kpoints_grid=points, format_options={"coord_decimals": 10},
    )  # fmt: skip
    return f"{text}\n".replace("&IONS\n/\n&CELL\n/\n", "")


def _ph(title: str, values: Mapping[str, object]) -> str:
    """An input of ph.x, whose first line is a title."""
    return f"{title}\n" + _namelist("inputph", {"prefix": "crystal", "outdir": "./out", "tr2_ph": 1e-14} | dict(values))


def _namelist(name: str, values: Mapping[str, object]) -> str:
    """A Fortran namelist."""
    return f"&{name}\n" + "".join(f"  {key} = {_fortran(value)}\n" for key, value in values.items()) + "/\n"


def _fortran(value: object) -> str:
    if isinstance(value, bool):
        return ".true." if value else ".false."
    if isinstance(value, float):
        return f"{value:g}".replace("e", "d")
    return repr(value)


def _readme(cell: Structure, about: str, q: tuple[int, ...], k: tuple[int, ...]) -> str:
    of_q, of_k = (" x ".join(map(str, points)) for points in (q, k))
    steps = "\n".join(f"  {f'{program} < {name}':34}{text}" for program, name, text in _STEPS)
    return f"""{about}
{len(cell.symbols)} atoms in the primitive cell, phonons on {of_q} q points, electrons on {of_k} k points and
twice as many in each direction for the coupling.

Pseudopotentials, in the folder pseudo: {", ".join(f"{symbol}.upf" for symbol in cell.counts)}
These are the names of PseudoDojo (www.pseudo-dojo.org; van Setten et al. 2018), type NC SR, PBE, standard, UPF. It
lacks most lanthanides and the actinides: take another table for these, and check the cutoff of {CUTOFF_RY:g} Ry.

In this order, the output of each in a file of its own. After the first, copy the last CELL_PARAMETERS and
ATOMIC_POSITIONS of its output into {DENSE} and {SCF}.
{steps}

Tc by Allen and Dynes (1975), with mu* = {COULOMB:g}:
  Tc = omega_log / 1.2 * exp(-1.04 (1 + lambda) / (lambda - mu* (1 + 0.62 lambda)))

Cutoff and grids are not converged for this crystal: try higher ones. There are no magnetic moments and no spin-orbit
coupling: add nspin = 2 and starting_magnetization for magnetic elements. The structure comes from a model.
"""
