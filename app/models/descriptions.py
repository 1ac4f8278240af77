"""Names of the models on the page, their order, and what limits the meaning of their numbers."""

from __future__ import annotations

from dataclasses import astuple

from core.generation.diffusion.settings import CLASSES, checkpoint_name
from core.predictors.registry import BEST, CONTROL, PUBLISHED, predictors
from core.reference_data.large_cells import NAME as LARGE_CELLS
from core.reference_data.prototypes import NAME as LIBRARY
from core.reference_data.references import NAME as REFERENCES
from core.reference_data.tc_reports import NAME as REPORTS
from core.structures.diffusion.names import BASE, WITH_TC
from core.structures.potential_references import NAME as POTENTIAL_REFERENCES
from core.structures.ranking import NAME as RANKING
from core.structures.structure_models import METAL_NAME, TC_NAME

_FIRST = (*astuple(BEST), CONTROL, *astuple(PUBLISHED))
_LABELS = {info.name: info.label for info in predictors()}
# Name of the card -> heading, in the order of the page.
_DIFFUSION = {checkpoint_name(name): f"Diffusion network, {label}" for name, label in CLASSES.items()}
_CRYSTALS = {BASE: "Crystal structures by diffusion", WITH_TC: "Crystal structures by diffusion, for a Tc"}
_STRUCTURES = {
    LIBRARY: "Structure prototypes",
    LARGE_CELLS: "Compounds in large cells",
    POTENTIAL_REFERENCES: "Energies of known compounds by CHGNet",
    RANKING: "Ranking of structures",
    METAL_NAME: "Metal or not, by structure",
    TC_NAME: "Calculated Tc, by structure",
}
_TABLES = {REFERENCES: "Reference tables", REPORTS: "Reports of Tc"}
NAMES = {name: _LABELS[name] for name in _FIRST} | _LABELS | _DIFFUSION | _STRUCTURES | _CRYSTALS | _TABLES
_TC_LIMITS = """
- **A composition has no structure.** Diamond and graphite are identical to this model, and so are all polymorphs of a
  formula.
- **The Tc of a new composition is an extrapolation.** The figures on this page hold for compositions like those in the
  data. The optimiser leaves this region on purpose, and favours compositions that the model overrates.
- **Pressure is not an input.** The high Tc of the hydrides in SuperCon were measured under very high pressure; the
  model cannot tell the difference.
- **“Not a superconductor” is an assumption.** Compounds of the COD count as 0 K, although most were never tested.
"""
_ENERGY_LIMITS = """
- **The data are calculated** (density-functional theory at 0 K), and the model adds an error of its own.
- **A composition has no structure:** the model learns the energy of the most stable known structure of each
  composition.
- **Elements that the model does not know** cannot be used at all.
"""
LIMITS = {
    BEST.tc: _TC_LIMITS
    + """- **The ± grows with the distance to known superconductors,** with the disagreement of the parts of the model,
  and with the Tc that a compound would have if it did superconduct. It was fitted on chemical systems outside the
  training data.
- **The probability of superconducting** holds for a compound drawn from SuperCon and the COD together, where one in
  four superconducts. Most compounds of the COD were never tested.
- **Near known superconductors the model interpolates,** and follows their doping series. Far from them it
  transfers the effect of an element from other compounds, and rarely predicts a Tc above those that were measured.
- **A report that all others contradict has little weight.** This suppresses errors in the data, but also a discovery
  that stands alone. Hydrides under pressure are in the data, and have little influence on other compounds.
""",
    BEST.formation_energy: _ENERGY_LIMITS
    + """- **Energies are on the references of the Materials Project.** They are learnt from the Materials Project and
  OQMD together; most compounds of OQMD are not stable, as most of those that a search proposes. Of the held-out
  compounds of OQMD, the tables show how often the sign is wrong and how far predictions of each range are too low.
- **An element is exactly 0**, by construction.
""",
    CONTROL: """
- **The optimiser never uses it.** If it does not predict the gain that the Tc model predicts, the gain is probably an
  error of the Tc model.
- **It was trained on the same measurements,** so it shares their errors and gaps and is not an independent test. It
  consists of trees too, but of trees with sharp branches and with other features.
""",
    PUBLISHED.tc: _TC_LIMITS,
    PUBLISHED.formation_energy: _ENERGY_LIMITS,
    **dict.fromkeys(
        _DIFFUSION,
        """
- **It predicts noise, not a property.** The figures are errors of the noise at levels from almost clean (25) to almost
  pure noise (975); they show how well the network knows its class, and nothing about single candidates.
- **It holds no amount exactly.** Fixed elements and substitutions cannot be required of its samples.
""",
    ),
    **dict.fromkeys(
        _CRYSTALS,
        """
- **It predicts noise, not a property.** The figures are errors of the noise in lattice and positions, and of hidden
  elements, for any formula and where the formula is given. What is generated is not relaxed, and may not be stable.
- **Its Tc is calculated,** by electron-phonon theory for conventional superconductors, and never measured.
""",
    ),
    TC_NAME: """
- **It is calculated, and for conventional superconductors only:** electron-phonon coupling in the harmonic
  approximation. It says nothing about cuprates or iron-based superconductors, and never enters a measured Tc.
- **One setting was chosen with the held-out part in view:** that compounds joined by their formula weigh as much as the
  others. Its advantage over a model of the composition on the same rows, 2.78 K to 3.06 K, is a little flattered by it.
""",
    POTENTIAL_REFERENCES: """
- **They are of one potential,** and are never compared with energies of another, or with calculated ones.
- **They are those of the chemical systems of known superconductors.** An energy of another system is computed when a
  hull needs it, and kept.
- **The lowest of a few known structures** stands for a compound, the elements with more of them; each is relaxed by the
  potential.
""",
    REFERENCES: """
- **A competing phase has the energy that the Materials Project calculated,** where the model has learned it; other
  phases, and all candidates, have the energy that the model predicts. So distances are near those of the Materials
  Project, but not the same.
- **The ± of a distance is an expected error**, from how much the ensemble members disagree about the distance; errors
  that a candidate and its competing phases have in common cancel. It was fitted on half of the held-out compounds; the
  table tests it on the other half, beside the same estimate from the formation energy alone. On these compounds, both
  are about equally informative.
- **The hull is only as complete as its phases.** An unknown competing phase makes a candidate look more stable than it
  is.
- **“New” means: not in this list.** The list holds SuperCon and a few more compounds, not the whole literature.
""",
}
