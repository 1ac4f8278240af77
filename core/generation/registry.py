"""Registry of generators, the only list of them.

A generator is imported on first use, so that pages and the command line can list generators without importing their
dependencies.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pkgutil import resolve_name
from typing import TYPE_CHECKING, Any

from core.errors import InputError
from core.generation.diffusion.settings import DIFFUSION_SETTINGS
from core.generation.method_settings import MethodSetting, with_defaults
from core.problem.problem import DesignProblem
from core.problem.settings import DEFAULT_METHOD, DEMANDS

if TYPE_CHECKING:
    from core.generation.interface import Generator

GRADIENT, SUBSTITUTION, SUPERDIFF = DEFAULT_METHOD, "substitution", "superdiff"
GENETIC, MEMETIC = "genetic", "memetic"
# What a problem demands of its results, applied to every method.
RESULT_SETTINGS = frozenset(DEMANDS)
# What the searches on the grid of integer formulas read.
SEARCH_SETTINGS = RESULT_SETTINGS | {
    "formation_energy_weight", "stability", "risk_aversion", "n_unit", "max_elements", "objective", "target_tc_K",
    "fractional_elements", "start", "start_family", "start_above_K",
}  # fmt: skip
KIAGO = "A. Fujii, A. K. A. Lu, K. Shimizu, S. Watanabe, Digital Discovery 2025, 4, 3662, doi:10.1039/d5dd00250h"


@dataclass(frozen=True)
class Registration:
    """Name and description of a generator.

    name : value of `method` in a problem
    label : name on pages
    summary : one or two sentences for chemists
    paper : citation of the method
    implementation : "module:attribute" of the Generator
    settings : fields of OptimiserSettings that the generator uses; pages disable all others
    own_settings : settings that only this generator uses; a problem stores them as `method_settings`
    title : addition to the title of a problem, for example "by random substitution"; empty for the default generator
    start : description of the initial compositions, with the placeholders {base}, {replaced} (elements) and {added}
        (number of elements that replace each); empty if the settings of the start describe them
    work : description of a run, with the placeholders {candidates}, {steps}, {product} and {time}
    candidate_steps_per_s : with the best models on two CPU cores, startup and screening included, for that time
    candidates_are, steps_are : what a run has many of, in the plural: candidates and steps, formulas kept and rounds
    optimises : whether candidates change during a run; if not, pages show no progress
    keeps_archive : whether a report holds the best formulas so far, see `Report.archive`, and not candidates that move;
        pages then show the archive and no trajectories
    can_stop : whether the candidates have formulas before the last step, so that a run can stop and keep them
    one_member_per_step : whether the members of an ensemble take turns, see `Predictor.member_at`; pages then average
        predictions over the members
    checkpoints : "module:function", problem -> names of the checkpoints that the method itself needs, besides those of
        the predictors; None: none
    """

    name: str
    label: str
    summary: str
    paper: str
    implementation: str
    settings: frozenset[str]
    own_settings: tuple[MethodSetting, ...] = ()
    title: str = ""
    start: str = ""
    work: str = "{candidates} candidates × {steps} steps = {product}; {time}"
    candidate_steps_per_s: float = 2_000
    candidates_are: str = "candidates"
    steps_are: str = "steps"
    optimises: bool = True
    keeps_archive: bool = False
    can_stop: bool = False
    one_member_per_step: bool = False
    checkpoints: str | None = None


_REGISTERED: dict[str, Registration] = {}


def register(registration: Registration) -> None:
    """Add a generator. Raises ValueError if the name is taken."""
    if registration.name in _REGISTERED:
        raise ValueError(f"a generator named {registration.name} is already registered")
    _REGISTERED[registration.name] = registration


def unregister(name: str) -> None:
    """Remove a generator, for tests that register one. Raises KeyError for an unknown name."""
    del _REGISTERED[name]


def registrations() -> tuple[Registration, ...]:
    """All generators, with the default first."""
    return tuple(_REGISTERED.values())


def registration(name: str) -> Registration:
    """The generator with this name. Raises InputError for an unknown name."""
    if not isinstance(name, str) or name not in _REGISTERED:
        raise InputError("method", name, "unknown method", f"Choose one of: {', '.join(_REGISTERED)}")
    return _REGISTERED[name]


def settings_of_method(problem: DesignProblem) -> dict[str, Any]:
    """The value of each setting that only the problem's method uses; missing ones have their defaults."""
    return with_defaults(problem.method_settings, registration(problem.method).own_settings)


def checkpoints_of_method(problem: DesignProblem) -> tuple[str, ...]:
    """Names of the checkpoints that the problem's method needs besides those of the predictors."""
    function = registration(problem.method).checkpoints
    return () if function is None else resolve_name(function)(problem)


def generator_of(problem: DesignProblem) -> Generator:
    """The generator of the problem's method. Raises InputError for an unknown method."""
    return _loaded(registration(problem.method).implementation)


def expected_s(problem: DesignProblem) -> float:
    """Rough duration (s) of a run on two CPU cores, with startup and screening. Raises InputError as `generator_of`."""
    schedule = generator_of(problem).schedule(problem)
    return schedule.candidates * schedule.steps / registration(problem.method).candidate_steps_per_s


@cache
def _loaded(implementation: str) -> Generator:
    return resolve_name(implementation)


register(
    Registration(
        name=GRADIENT,
        label="By gradient (KIAGO)",
        summary="All candidates follow the gradient of critical temperature and formation energy, and then converge to "
        "integer formulas.",
        paper=KIAGO,
        implementation="core.generation.gradient.generator:GENERATOR",
        settings=frozenset(
            {
                "candidates", "steps", "learning_rate", "formation_energy_weight", "stability", "risk_aversion",
                "integer_weight",
                "integer_loss", "integer_schedule", "step_schedule", "rounding", "n_unit", "max_elements",
                "mutate_probability", "perturb_ratio", "added_elements", "objective", "target_tc_K",
                "fractional_elements", "start", "start_family", "start_above_K",
            }
        )
        | RESULT_SETTINGS,
        can_stop=True,
        one_member_per_step=True,
    )
)  # fmt: skip
register(
    Registration(
        name=SUBSTITUTION,
        label="Random substitution (C-ES)",
        summary="Elements of the base are replaced at random by others of the same oxidation state, without "
        "optimisation: the baseline of KIAGO 3.1.",
        paper=KIAGO + " (section 3.1)",
        implementation="core.generation.substitution.generator:GENERATOR",
        settings=frozenset({"candidates", "n_unit", "max_elements", "added_elements"}) | RESULT_SETTINGS,
        title="by random substitution",
        start="{base} with {replaced} replaced by {added} each of the same oxidation state, drawn at random",
        work="{candidates} candidates drawn and predicted, none optimised (C-ES, KIAGO 3.1)",
        optimises=False,
    )
)
register(
    Registration(
        name=SUPERDIFF,
        label="Diffusion (SuperDiff)",
        summary="Noise becomes compositions like those of SuperCon, conditioned on the base (ILVR) and, if wanted, "
        "guided by the predictors: the generative baseline of KIAGO 3.1.",
        paper="S. Yuan, S. V. Dordevic, Sci. Rep. 2024, 14, 10275, doi:10.1038/s41598-024-61040-3; guidance: " + KIAGO,
        implementation="core.generation.diffusion.generator:GENERATOR",
        settings=frozenset({"candidates", "formation_energy_weight", "n_unit", "max_elements"}) | RESULT_SETTINGS,
        own_settings=DIFFUSION_SETTINGS,
        title="by diffusion",
        start="normal noise; with scale factors, conditioned on {base} (ILVR)",
        candidate_steps_per_s=400,
        one_member_per_step=True,
        checkpoints="core.generation.diffusion.generator:checkpoints_of",
    )
)
register(
    Registration(
        name=GENETIC,
        label="Genetic search",
        summary="Integer formulas are mutated and crossed; those with the best objective that pass the charge screens "
        "are the parents of the next generation.",
        paper="J. H. Holland, Adaptation in Natural and Artificial Systems, 1975",
        implementation="core.generation.search.genetic:GENERATOR",
        settings=SEARCH_SETTINGS,
        own_settings=(
            MethodSetting("population", "Population", "Number of the best formulas that are kept and have children.",
                          default=512, low=16, high=8192),
            MethodSetting("offspring", "Children per generation", "Number of new formulas that are predicted in each "
                          "generation.", default=1024, low=16, high=16384),
            MethodSetting("generations", "Generations", "Number of generations.", default=40, low=1, high=5000,
                          lengthens=True),
        ),
        title="by genetic search",
        start="{base} and the integer formulas nearest to it",
        work="the best {candidates} formulas kept over {steps} generations; {time}",
        candidates_are="formulas kept",
        steps_are="generations",
        keeps_archive=True,
        can_stop=True,
    )
)  # fmt: skip
register(
    Registration(
        name=MEMETIC,
        label="Memetic search",
        summary="Genetic search over many families of materials, with local search around the best formulas, "
        "whose moves the gradient suggests.",
        paper="P. Moscato, On Evolution, Search, Optimization, Genetic Algorithms and Martial Arts, Caltech 1989",
        implementation="core.generation.search.memetic:GENERATOR",
        settings=SEARCH_SETTINGS,
        own_settings=(
            MethodSetting("kept", "Formulas kept", "Number of the best formulas that are kept.", 512, 16, 8192),
            MethodSetting("rounds", "Rounds", "Number of rounds; each predicts about 350 of 2,000 formulas "
                          "with the default Tc model.",
                          16, 1, 5000, lengthens=True),
            MethodSetting("gradient", "Gradient", "Whether the gradient decides which neighbours are considered.",
                          "yes", choices=(("yes", "yes"), ("no", "no"))),
        ),
        title="by memetic search",
        start="{base} and the integer formulas nearest to it",
        work="the best {candidates} formulas kept over {steps} rounds; {time}",
        candidate_steps_per_s=500,
        candidates_are="formulas kept",
        steps_are="rounds",
        keeps_archive=True,
        can_stop=True,
    )
)  # fmt: skip
