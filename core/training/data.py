"""Readers of the raw data: from files to clean arrays; every excluded row is counted under its reason."""

from __future__ import annotations

import csv
import gzip
import os
import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from core.chemistry import elements
from core.chemistry.composition import composition_vector
from core.chemistry.exact_formula import exact_reading
from core.chemistry.formula_reader import parse_formula
from core.errors import InputError
from core.paths import PROJECT
from core.predictors.features.copper_valence import charges

ATTRIBUTION = {
    "supercon": "NIMS MDR SuperCon Datasheet Ver.220808, doi:10.48505/nims.3837, CC BY 4.0",
    "stanev": "Stanev et al. 2018, doi:10.1038/s41524-018-0085-8, CC BY 4.0",
    "cod": "Crystallography Open Database to 2009, CC0; list of Konno et al. 2021, doi:10.1103/PhysRevB.103.014509",
    "mp": "Materials Project, CC BY 4.0; split of Bartel et al. 2020, doi:10.1038/s41524-020-00362-y",
    "oqmd": "OQMD, CC BY 4.0; set of CrabNet, doi:10.1038/s41524-021-00545-1",
}

# Erroneous values of SuperCon, by formula as written there, with the highest plausible value (K) and the reason.
KNOWN_ERRORS = {
    "Pb2C1Ag2O6": (10.0, "323 K never confirmed, probably not superconductivity"),
    "Cr1Cu1O2": (10.0, "132 K in a transparent semiconductor"),
    "Cu1Cr1O2": (10.0, "132 K in a transparent semiconductor"),
    "C1S1": (20.0, "the retracted carbonaceous sulfur hydride, its hydrogen left out"),
    "Cs1Eu1Fe4As4": (40.0, "287 K is 28.7 K"),
    "Eu1Cs1Fe4As4": (40.0, "287 K is 28.7 K"),
    "La1Fe1P1F0.1O0.9": (10.0, "62 K is 6.2 K"),
    "Na0.05W1O3": (10.0, "91 K at a surface, never in the bulk"),
    "Nd1Ba1.9La0.1O6.86": (10.0, "the copper was left out of the formula"),
    "Nd1Ba1.8La0.2O6.81": (10.0, "the copper was left out of the formula"),
    "Ca3Ir3.64Co0.36Sn13": (10.0, "75 K beside 7 K in all its neighbours"),
    "H1Br3C61": (40.0, "retracted field-effect data on C60"),
    "H1Cl3C61": (40.0, "retracted field-effect data on C60"),
    "C1": (20.0, "retracted field-effect data on C60, given as C"),
    "Bi1.6Pb0.4Sr2Cu3Ca2O1013": (0.0, "O1013 is O10.13"),
    "Y1Ba2Cu3O6050": (0.0, "O6050 is O6.050"),
}
# Formulas that cannot be those of the measured samples, found after the split had been drawn: see `misread`.
MISREAD = {
    "Cu1Cr1O2": "132 K in a transparent semiconductor",
    "Cu1Cr0.95Fe0.05O2": "117.5 K in a transparent semiconductor",
    "Cu1Cr0.9Fe0.1O2": "98 K in a transparent semiconductor",
    "H1W1O3": "120 K at a surface, never in the bulk",
    "Ba2Cu3O7": "the rare earth was left out of the formula",
    "Y1Ba2Cu1O8": "the number of copper atoms was left out of the formula",
    "Sm12Cu2.96Ni0.04O6.88": "Sm12 is Sm1Ba2",
    "Y0.9Ca0.1Ba1.6La6Cu3O7.18": "La6 is La0.4",
    "Pr185Ce0.15Cu1O4": "Pr185 is Pr1.85",
    "La1.85Sr0.15Cu1FeO4": "the amount of iron was left out of the formula",
    "Bi1.6Pb0.4Sr2Cu3Ca2O1013": "O1013 is O10.13",
    "Y1Ba2Cu3O6050": "O6050 is O6.050",
    "La1.85Sr0.15Cu98Ni0.02O4": "Cu98 is Cu0.98",
    "Tl0.5Pb0.5Sr4Cu2C7O21": "(CO3)O7 was read as (CO3)7",
}
# Superconductors at 100 GPa and more; the composition does not contain the pressure.
HYDRIDES_UNDER_A_MEGABAR = ("La1H10", "H3S1", "H2S1", "Ba1Re1H9")
OXYGEN_NOT_GIVEN = re.compile(r"\d.*O[YZ]?$")  # "Y1Ba2Cu3O", "Bi2Sr2Ca1Cu2OY"; all others have amounts
CUPRATE_K, LOWEST_COPPER = 20.0, 1.05  # see `too_little_oxygen`
DOPED_K, LEAST_DOPED_COPPER = 60.0, 1.9
# Elements that do not dope holes, in contrast to calcium on the site of a rare earth.
NO_HOLES_FROM = "Y La Pr Nd Sm Eu Gd Tb Dy Ho Er Tm Yb Lu Ba Cu O Li Mg Al Fe Co Ni Zn Ga"
PLAUSIBLE_EV_PER_ATOM = 5.0  # a few OQMD entries, of failed calculations, reach +43 eV/atom
KEY_DIGITS = 4  # compositions that agree to 1e-4 in every fraction are the same composition


@dataclass(frozen=True)
class Table:
    """Compositions with one value each.

    compositions : (n, 118) float64, rows sum to 1
    values : (n,) float64
    formulas : n formulas as written in the source (the first of the replicates)
    reports : (n,) number of rows of the source for each value
    counts : cleaning step -> number of rows of the source
    replicates : n tuples, the values of all rows of the source for each value; empty where they are not needed
    """

    compositions: np.ndarray
    values: np.ndarray
    formulas: tuple[str, ...]
    reports: np.ndarray
    counts: dict[str, int] = field(default_factory=dict)
    replicates: tuple[tuple[float, ...], ...] = ()

    def composition_keys(self) -> list[tuple]:
        """One hashable key per row; equal keys mean the same composition."""
        return [composition_key(row) for row in self.compositions]

    def subset(self, rows: np.ndarray) -> Table:
        """The rows with these indices, in this order, or those where a mask (n,) is true; with the same counts."""
        chosen = np.arange(len(self.values))[rows]
        return Table(
            self.compositions[chosen],
            self.values[chosen],
            tuple(self.formulas[i] for i in chosen),
            self.reports[chosen],
            self.counts,
            tuple(self.replicates[i] for i in chosen) if self.replicates else (),
        )


def composition_key(composition: np.ndarray) -> tuple:
    """Non-zero fractions (118,) rounded to KEY_DIGITS, with their index."""
    present = np.flatnonzero(composition)
    return tuple((int(i), round(float(composition[i]), KEY_DIGITS)) for i in present)


def data_folder(given: str | Path | None = None) -> Path:
    """The folder of raw data: as given, or TC_STUDIO_DATA, or ../shared/data. Raises InputError if it is missing."""
    folder = Path(given or os.environ.get("TC_STUDIO_DATA") or PROJECT.parent / "shared" / "data")
    if not folder.is_dir():
        raise InputError(
            "data",
            folder,
            "there is no such folder of raw data",
            "Name it with --data or TC_STUDIO_DATA",
        )
    return folder


def read_rows(path: Path, delimiter: str = ",", skip: int = 0) -> list[dict[str, str]]:
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        for _ in range(skip):
            next(file)
        return list(csv.DictReader(file, delimiter=delimiter, quoting=csv.QUOTE_NONE))


_TRITIUM = re.compile(r"T(?![a-z])")


def _record_amounts(formula: str) -> dict[str, float]:
    """`parse_formula`, but tritides count as malformed: the models on the cards were trained without them."""
    if _TRITIUM.search(formula):
        raise InputError("formula", formula, "this is a compound of tritium", "Leave it out")
    return exact_reading(formula).amounts  # records need no suggestions, which take time


def _merge(pairs: list[tuple[str, float]], counts: Counter, reduce=np.median, source: str = "") -> Table:
    """Parse the formulas, merge replicates by `reduce`, count unreadable formulas, beside the name of the source."""
    before = f"{source}: " if source else ""
    groups: dict[tuple, list[tuple[str, float, np.ndarray]]] = defaultdict(list)
    for formula, value in pairs:
        try:
            vector = record_composition(formula)
        except InputError as error:
            undetermined = "undetermined" in error.rule
            counts[before + ("undetermined amount (O7-z, Ox)" if undetermined else "malformed formula")] += 1
            continue
        groups[composition_key(vector)].append((formula, value, vector))
    counts[f"{before}replicates merged"] += sum(len(g) - 1 for g in groups.values())
    members = list(groups.values())
    return Table(
        np.stack([g[0][2] for g in members]),
        np.array([reduce([value for _, value, _ in g]) for g in members]),
        tuple(g[0][0] for g in members),
        np.array([len(g) for g in members]),
        dict(counts),
        tuple(tuple(value for _, value, _ in g) for g in members),
    )


def supercon_rows(folder: Path, counts: Counter) -> Iterator[dict[str, str]]:
    """The rows of MDR SuperCon with a Tc, without known errors; what is left out is added to `counts`."""
    for row in read_rows(folder / "supercon_mdr_220808.tsv.gz", "\t", skip=2):
        counts["rows of SuperCon"] += 1
        formula, text = row["element"], row["tc"].strip()
        if not text:
            counts["no Tc given"] += 1
        elif formula in KNOWN_ERRORS and float(text) > KNOWN_ERRORS[formula][0]:
            counts["known error"] += 1
        else:
            yield row


def record_composition(formula: str) -> np.ndarray:
    """The composition (118,) of a formula as a source writes it. Raises InputError."""
    return composition_vector(_record_amounts(formula))


def read_superconductors(folder: Path) -> Table:
    """Measured Tc in K: MDR SuperCon, replicates by their median, with all their values.

    Excluded and counted: empty Tc, malformed formulas, undetermined oxygen, known errors. The Stanev set adds its
    compositions with Tc > 0 that are not in SuperCon; its zeros mean "no Tc reported", which is not a measurement (a
    few dozen of them are superconductors in SuperCon itself), so they are excluded and counted.
    """
    counts: Counter = Counter()
    pairs = [(row["element"], float(row["tc"])) for row in supercon_rows(folder, counts)]
    supercon = _merge(pairs, counts, source="SuperCon")
    known = set(supercon.composition_keys())

    extra: list[tuple[str, float]] = []
    for row in read_rows(folder / "supercon_stanev_2018.csv.gz"):
        if float(row["Tc"]) <= 0:
            counts["Stanev: 0 K, no Tc reported"] += 1
        else:
            extra.append((row["name"], float(row["Tc"])))
    stanev = _merge(extra, Counter())
    new = stanev.subset(np.array([key not in known for key in stanev.composition_keys()]))
    counts["Stanev: measured, already in SuperCon"] += len(stanev.formulas) - len(new.formulas)
    counts["Stanev: measured, added"] += len(new.formulas)
    both = concatenate(supercon, new)
    counts["compositions with a measured Tc"] = len(both.formulas)
    return replace(both, counts=dict(counts))


def misread(superconductors: Table) -> np.ndarray:
    """(n,) bool: rows whose formula cannot be that of the measured sample; to be excluded from all parts of the split.

    Formulas in MISREAD, formulas that end in oxygen without an amount or with the letter of an unknown amount ("OY" is
    not yttrium), and those of `too_little_oxygen`. They are removed after the split is drawn, so that the other
    compositions stay in their parts.
    """
    named = np.array([f in MISREAD or bool(OXYGEN_NOT_GIVEN.search(f)) for f in superconductors.formulas])
    return named | too_little_oxygen(superconductors.compositions, superconductors.values)


def too_little_oxygen(compositions: np.ndarray, tc_K: np.ndarray) -> np.ndarray:
    """(n,) bool: copper oxides whose formula has too little oxygen for their Tc.

    Above CUPRATE_K with copper below about +1: "Y1Ba2Cu3O4", "Pr1Tl2Sr2Ca4Cu5O2". In superconducting cuprates copper is
    near +2; these formulas lack oxygen, or have an atom too many. Above DOPED_K with barium and rare earths, without
    hole dopants, and with copper below LEAST_DOPED_COPPER: "Y1Ba2Cu3O6.03, 92 K". With less oxygen than RBa2Cu3O6.35
    these are insulators (Jorgensen et al. 1990, doi:10.1103/PhysRevB.41.1863).
    """
    copper, oxygen, barium = (compositions[:, elements.element(symbol).index] for symbol in ("Cu", "O", "Ba"))
    charge = charges().numpy()
    for_copper = copper * charge[elements.element("Cu").index] - compositions @ charge
    oxide = (copper > 0.05) & (oxygen > 0)
    without_holes = np.isclose(compositions[:, [elements.element(s).index for s in NO_HOLES_FROM.split()]].sum(1), 1)
    insulator = (barium > 0) & without_holes & (for_copper < LEAST_DOPED_COPPER * copper)
    return oxide & (((tc_K > CUPRATE_K) & (for_copper < LOWEST_COPPER * copper)) | ((tc_K > DOPED_K) & insulator))


def concatenate(*tables: Table) -> Table:
    """The rows of several tables; counts are added up."""
    counts: Counter = Counter()
    for table in tables:
        counts.update(table.counts)
    return Table(
        np.concatenate([t.compositions for t in tables]),
        np.concatenate([t.values for t in tables]),
        sum((t.formulas for t in tables), ()),
        np.concatenate([t.reports for t in tables]),
        dict(counts),
        sum((t.replicates for t in tables), ()) if all(t.replicates for t in tables) else (),
    )


def read_non_superconductors(folder: Path, superconductors: Table) -> Table:
    """Compositions of the COD with an assumed Tc of 0 K (Konno et al. 2021), without those in SuperCon."""
    with gzip.open(folder / "cod_2009_inorganic.txt.gz", "rt", encoding="utf-8") as file:
        formulas = [line.strip() for line in file][1:]
    counts = Counter({"rows of COD": len(formulas)})
    table = _merge([(formula, 0.0) for formula in formulas], counts, source="COD")
    known = set(superconductors.composition_keys())
    new = np.array([key not in known for key in table.composition_keys()])
    counts["COD: also in SuperCon"] = int((~new).sum())
    counts["COD: compositions"] = int(new.sum())
    return replace(table.subset(new), counts=dict(counts))


def read_formation_energies(folder: Path) -> tuple[Table, Table, Table]:
    """Formation energies in eV/atom: MP train, MP val (Bartel's split), and OQMD without MP's val compositions."""
    splits: dict[str, list[tuple[str, float]]] = {"train": [], "val": []}
    for row in read_rows(folder / "mp_formation_energy.csv.gz"):
        splits[row["split"]].append((row["formula"], float(row["formation_energy_eV_per_atom"])))
    lowest = np.min
    val = _merge(splits["val"], Counter({"rows of MP val": len(splits["val"])}), lowest)
    held_out = set(val.composition_keys())
    train = _merge(splits["train"], Counter({"rows of MP train": len(splits["train"])}), lowest)
    oqmd_rows = [
        (row["formula"], float(row["formation_energy_eV_per_atom"]))
        for row in read_rows(folder / "oqmd_formation_enthalpy.csv.gz")
    ]
    plausible = [row for row in oqmd_rows if abs(row[1]) < PLAUSIBLE_EV_PER_ATOM]
    oqmd_counts = Counter({"rows of OQMD": len(oqmd_rows), "OQMD: beyond 5 eV/atom": len(oqmd_rows) - len(plausible)})
    oqmd = _merge(plausible, oqmd_counts, lowest)
    return _without(train, held_out, "MP train"), val, _without(oqmd, held_out, "OQMD")


def read_stability(folder: Path) -> tuple[np.ndarray, np.ndarray]:
    """MP val: compositions (n, 118) and decomposition energies (n,) in eV/atom, at or below 0 for a stable compound.

    Energies from DFT relative to all other phases of the chemical system (Bartel et al. 2020).
    """
    rows = [row for row in read_rows(folder / "mp_decomposition_energy.csv.gz") if row["split"] == "val"]
    energies = np.array([float(row["decomposition_energy_eV_per_atom"]) for row in rows])
    return np.stack([composition_vector(parse_formula(row["formula"])) for row in rows]), energies


def _without(table: Table, keys: set, name: str) -> Table:
    keep = np.array([key not in keys for key in table.composition_keys()])
    counts = {**table.counts, f"{name}: composition is in MP val": int((~keep).sum())}
    return replace(table.subset(keep), counts=counts)


def split(n: int, parts: tuple[float, ...], seed: int) -> list[np.ndarray]:
    """Random disjoint row indices with these fractions of n rows.

    Each row is a different composition, so no composition is in two parts.
    """
    order = np.random.default_rng(seed).permutation(n)
    ends = np.round(np.cumsum(parts) * n).astype(int)[:-1]
    return np.split(order, ends)
