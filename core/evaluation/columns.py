"""The columns of the candidate table: every name, type, label and explanation once."""

from __future__ import annotations

from dataclasses import dataclass

from core.chemistry.tolerances import KNOWN_COMPOSITION


@dataclass(frozen=True)
class Column:
    """One column of the candidate table.

    name : header in files, with the unit; part of the file format
    dtype : pandas type
    label : header on the page
    meaning : explanation, one sentence without a full stop
    digits : decimal places in CSV files; None for other types
    """

    name: str
    dtype: str
    label: str
    meaning: str
    digits: int | None = None


COLUMNS = (
    Column("rank", "int64", "Rank", "Order by Tc minus its error, candidates that pass every screen first"),
    Column("formula", "str", "Formula", "Whole numbers of atoms in lowest terms; fractional amounts represent doping"),
    Column("tc_K", "float64", "Tc (K)", "Predicted critical temperature of the integer formula", 2),
    Column(
        "tc_std_K",
        "float64",
        "± (K)",
        "Expected standard deviation of Tc, from the distance to known compounds, the disagreement of the parts of the "
        "model, and the Tc that the compound would have as a superconductor",
        2,
    ),
    Column("tc_gain_K", "float64", "Gain (K)", "Predicted Tc minus the predicted Tc of the base", 2),
    Column("tc_judge_K", "float64", "Control model (K)", "Tc by the control model, which is never optimised", 2),
    Column(
        "superconducting_probability",
        "float64",
        "P(superconducting)",
        "Probability of a superconductor, for a compound drawn from SuperCon and the COD; a low one widens the error",
        3,
    ),
    Column(
        "formation_energy_eV_per_atom",
        "float64",
        "Ef (eV/atom)",
        "Predicted formation energy of the formula",
        4,
    ),
    Column(
        "formation_energy_std_eV_per_atom",
        "float64",
        "± Ef (eV/atom)",
        "Expected standard deviation of the formation energy, from the spread of the ensemble",
        4,
    ),
    Column(
        "energy_above_hull_eV_per_atom",
        "float64",
        "Above hull (eV/atom)",
        "Predicted energy minus that of the best mixture of reference compounds; below 0: more stable than all of them",
        4,
    ),
    Column(
        "energy_above_hull_std_eV_per_atom",
        "float64",
        "± hull (eV/atom)",
        "Expected standard deviation of the energy above hull; errors that the competing phases share cancel in it",
        4,
    ),
    Column("passes", "bool", "Passes", "Passes every screen"),
    Column("failed_screen", "str", "Failed screen", "First screen that the candidate fails; empty if it passes"),
    Column("charge_neutral", "bool", "Neutral", "Oxidation states (smact14; one per element or per atom) can sum to 0"),
    Column(
        "pauling_ok", "bool", "Pauling", "Neutral, anions more electronegative than cations; not tested for free atoms"
    ),
    Column(
        "usual_charges",
        "boolean",
        "Usual charges",
        "Oxidation states that are usual in the ICSD balance, with mixed valence of one metal; empty where charge "
        "counting does not apply: alloys, boron networks, metallic hydrides",
    ),
    Column(
        "oxidation_states",
        "str",
        "Oxidation states",
        "The most plausible oxidation states that balance the charges, by their frequency in the ICSD",
    ),
    Column("reason", "str", "Charge balance", "Explanation of the result of the charge test"),
    Column(
        "decomposition",
        "str",
        "Competes with",
        "Best mixture of reference compounds, with fractions of atoms",
    ),
    Column(
        "known",
        "bool",
        "Known superconductor",
        f"Every fraction is within {KNOWN_COMPOSITION} of a known superconductor's",
    ),
    Column("nearest_known", "str", "Nearest known", "Nearest known superconductor (earth mover's distance)"),
    Column(
        "nearest_known_tc_K",
        "float64",
        "Tc of nearest known (K)",
        "Reported Tc of the nearest known superconductor",
        2,
    ),
    Column(
        "nearest_known_ranges",
        "str",
        "Reports of nearest known",
        "Ranges into which the reported Tc of the nearest known superconductor fall, with the numbers of reports",
    ),
    Column(
        "nearest_known_caveat",
        "str",
        "Caveat of nearest known",
        "Why its reported Tc suggests pressure or another stoichiometry, with a source",
    ),
    Column(
        "distance_to_known",
        "float64",
        "Distance (steps)",
        "To the nearest known superconductor: earth mover's distance in steps on the Mendeleev-number scale, on which "
        "similar elements are neighbours; NaCl and KCl differ by 0.5 steps: half of the atoms, one place",
        3,
    ),
    Column(
        "known_phase",
        "str",
        "Reference phase",
        "Compound of the Materials Project of this composition, which may never have been made; empty if there is none",
    ),
    Column("distance_to_training", "float64", "To training", "Distance to the nearest compound of the Tc data", 3),
    Column(
        "extrapolating",
        "boolean",
        "Extrapolates",
        "Farther from the training data than 95% of the compounds of unseen chemical systems",
    ),
    Column(
        "hydrogen_rich",
        "bool",
        "H-rich",
        "At least 40% hydrogen: the predicted Tc holds under very high pressure, not at ambient pressure",
    ),
    Column(
        "pressure_suspected",
        "bool",
        "Pressure?",
        "Tc is above what is known at ambient pressure: of elements, semiconductors, hydrogen-rich compounds",
    ),
    Column(
        "off_stoichiometry_suspected",
        "bool",
        "Off stoichiometry?",
        "As written the compound is an insulator or a parent: a Tc suggests doping, such as more or less oxygen",
    ),
    Column("caveat", "str", "Caveat", "Why pressure or another stoichiometry is suspected, with a source"),
    Column("n_elements", "int64", "Elements", "Number of elements"),
    Column("n_atoms", "int64", "Atoms", "Atoms per formula unit"),
    Column("tc_before_rounding_K", "float64", "Tc unrounded (K)", "Predicted Tc before rounding to integers", 2),
    Column(
        "formation_energy_before_rounding_eV_per_atom",
        "float64",
        "Ef unrounded (eV/atom)",
        "Predicted formation energy before rounding to integers",
        4,
    ),
    Column(
        "integer_loss",
        "float64",
        "Integer loss",
        "Distance to the integer grid before rounding (L_integer)",
        5,
    ),
    Column(
        "rounding_distance",
        "float64",
        "Exchanged",
        "Fraction of the atoms that rounding exchanged: half the sum of the absolute changes of the fractions",
        4,
    ),
    Column("times_found", "int64", "Found", "Number of optimised candidates that ended at this formula"),
    Column("candidate", "int64", "Candidate", "Number of the first optimised candidate that ended at this formula"),
)
# Computed from the columns above when a run is read, so that the runs of earlier versions have them too.
DERIVED_COLUMNS = (
    Column("tc_minus_error_K", "float64", "Tc − error (K)", "Predicted Tc minus its expected error; sets the rank", 2),
    Column(
        "control_disagrees",
        "boolean",
        "Control differs",
        "The control model's Tc differs from Tc by more than the expected error",
    ),
    Column("family", "str", "Family", "Cuprate, iron-based, hydride or other; left: another family than the base"),
    Column("family_kept", "bool", "Family kept", "In the family of the base: cuprate, iron-based, hydride or other"),
    Column("parent", "str", "Parent", "Known compound that the candidate is, or of which it is a doped form"),
    Column("doped_as", "str", "As doped", "The candidate per formula unit of its parent, dopants after their host"),
    Column("defects", "str", "Defects", "Vacant sites, atoms in excess and mixed sites of the doped parent"),
)
# Of the candidates for which crystal structures were relaxed: those of the first structure.
STRUCTURE_COLUMNS = (
    Column("structure_space_group", "str", "Space group", "Of the likeliest crystal structure, relaxed by CHGNet"),
    Column(
        "structure_above_hull_eV_per_atom",
        "float64",
        "Hull, structure (eV/atom)",
        "Energy above hull of this structure by CHGNet, with known compounds by the same potential; the other hull is "
        "that of the composition model, which knows no structure",
        3,
    ),
)
BY_NAME = {column.name: column for column in COLUMNS}
