"""What the form of the page Generate holds, as a request, and a request in words. No Streamlit here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from app.components.periodic_table.table_state import TableState
from app.state.draft import initially_forbidden
from app.text.formatting import rough_duration
from core.chemistry import elements
from core.chemistry.composition import formula_of, whole_counts
from core.chemistry.formula_reader import parse_formula
from core.errors import InputError
from core.predictors.checkpoint import read_card
from core.reference_data.prototypes import load_prototypes
from core.structures.diffusion.crystals import N_TYPES
from core.structures.diffusion.duration import making_s, screening_s
from core.structures.diffusion.request import MOST_ATOMS, GenerationRequest, cell_of
from core.structures.diffusion.sampler import SamplerSettings
from core.structures.diffusion.template_draw import TemplateDraw
from core.structures.formula_units import likeliest_units
from core.structures.prototypes import load_finder

ELEMENTS, FORMULA = "Elements", "A formula"
COUNTS = (16, 64, 256, 1024)
STEPS = (50, 100, 250, 1000)
ALL_ALLOWED = TableState(frozenset(), {}, frozenset())
ALL_FORBIDDEN = TableState(frozenset(elements.symbols()), {}, frozenset())


@dataclass(frozen=True)
class Form:
    """The content of the form.

    of : ELEMENTS or FORMULA
    table : of the elements that may occur
    formula, units : of the crystals, and formula units in the cell; None: those of the likeliest known structure
    symmetric : whether crystals of a formula have the symmetry of known prototypes
    tc_K : Tc that is asked for; None: any
    screened : whether the crystals are screened
    """

    of: str = ELEMENTS
    table: TableState = field(default_factory=lambda: TableState(initially_forbidden(), {}, frozenset()))
    formula: str = ""
    units: int | None = None
    symmetric: bool = True
    tc_K: float | None = 10.0
    guidance: float = 2.0
    count: int = 64
    steps: int = 100
    corrector: bool = False
    screened: bool = True
    seed: int = 0

    def cell(self) -> tuple[str, ...]:
        """The atoms of the cell of the formula. Raises InputError."""
        return cell_of(parse_formula(self.formula), self.units or _likeliest_units(self.formula))

    def likeliest_units(self) -> int | None:
        """The formula units that are taken if none are given; None without a formula that can be read."""
        try:
            return _likeliest_units(self.formula)
        except InputError:  # the button says why
            return None

    def symmetry_note(self) -> str:
        """That no prototype has the formula's stoichiometry and number of atoms; empty if one has or none is needed."""
        if not (self.symmetric and self.formula.strip()):
            return ""
        try:
            return TemplateDraw(load_prototypes(), self.cell()).note
        except InputError:  # the button says why
            return ""

    def request(self, bfloat16: bool) -> GenerationRequest:
        """The request. Raises InputError as its parts do."""
        sampler = SamplerSettings(self.steps, self.corrector, guidance=self.guidance, bfloat16=bfloat16)
        if self.of == FORMULA:
            return GenerationRequest(self.count, self.seed, self.tc_K, None, self.cell(), sampler, self.symmetric)
        symbols = elements.symbols()[:N_TYPES]
        allowed = tuple(symbol for symbol in symbols if symbol not in self.table.forbidden)
        return GenerationRequest(
            self.count, self.seed, self.tc_K, None if allowed == symbols else allowed, None, sampler
        )


@lru_cache(maxsize=64)
def _likeliest_units(formula: str) -> int:
    """Asked several times whenever the page is drawn. Raises InputError."""
    return likeliest_units(load_finder(), parse_formula(formula), MOST_ATOMS)


def without_network() -> Mapping[str, str]:
    """Elements that no network of crystals makes, with the reason."""
    return dict.fromkeys(elements.symbols()[N_TYPES:], "unknown to the network")


def title(request: GenerationRequest) -> str:
    """A request in words: "64 crystals of Nb, Ti and C towards 10 K"."""
    count = "1 crystal" if request.count == 1 else f"{request.count:,} crystals"
    text = f"{count} of {_of(request)}"
    return f"{text} towards {request.tc_K:g} K" if guided(request) else text


def guided(request: GenerationRequest) -> bool:
    """Whether the Tc that is asked for has an effect: with the weight -1 it has none."""
    return request.tc_K is not None and request.sampler.guidance != -1


def _of(request: GenerationRequest) -> str:
    if request.composition is not None:
        atoms = {symbol: float(request.composition.count(symbol)) for symbol in dict.fromkeys(request.composition)}
        return formula_of({symbol: float(n) for symbol, n in (whole_counts(atoms) or atoms).items()})
    if request.allowed is None:
        return "any elements"
    if len(request.allowed) > 6:
        return f"{len(request.allowed)} elements"
    return " and ".join(filter(None, (", ".join(request.allowed[:-1]), request.allowed[-1])))


def time_text(request: GenerationRequest, screened: bool) -> str:
    """About how long a generation takes."""
    sizes = read_card(request.checkpoint)["sizes"]
    screening = f", {rough_duration(screening_s(request, sizes))} to screen them" if screened else ""
    return f"Without a graphics card {rough_duration(making_s(request, sizes))} to make them{screening}."


def settings_text(request: GenerationRequest) -> str:
    """The settings of the sampler in words."""
    sampler = request.sampler
    parts = [f"{sampler.steps:,} steps{', with corrector' if sampler.corrector else ''}"]
    if request.tc_K is not None:
        parts.append(f"guidance {sampler.guidance:g}".replace("-", "−"))
    if request.symmetric:
        parts.append("symmetry of prototypes")
    return "; ".join([*parts, f"seed {request.seed}"])
