"""The registry of benchmarks. Listing does not import torch; a benchmark is imported when it runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from importlib import import_module
from typing import TYPE_CHECKING, Any

from core.errors import InputError

if TYPE_CHECKING:
    from core.benchmarks.harness import Options, Outcome

GivenOptions = Mapping[str, Any]  # option name -> value, only options that differ from the defaults


@dataclass(frozen=True)
class Benchmark:
    """One benchmark.

    summary : one line for --help
    function : "module:function" in core.benchmarks, options -> Outcome
    options_class : "module:class" of those options; a field that is a tuple accepts several values
    defaults : options in which the paper differs from KIAGO
    unused : option -> why the benchmark cannot use it
    """

    summary: str
    function: str
    options_class: str = "harness:Options"
    defaults: GivenOptions = field(default_factory=dict)
    unused: Mapping[str, str] = field(default_factory=dict)


NO_BASES = {"bases": "it has no table of bases"}
NO_METHODS = {"methods": "its methods are given"}
NO_DIFFUSION = NO_METHODS | {"samples": "it has no diffusion model"}
ONE_SAMPLING = {"seeds": "a base is sampled once", **NO_METHODS}
NO_CANDIDATES = {"candidates": "it has samples"}
BENCHMARKS = {
    "table1": Benchmark("KIAGO: cost in Tc of whole numbers of atoms, by integer loss and by rounding",
                        "integers:table1", unused=NO_DIFFUSION),
    "table2": Benchmark("KIAGO: higher Tc from known superconductors, compared with element substitution",
                        "raise_tc:table2"),
    "table4": Benchmark("KIAGO: what denoising, guidance and conditioning contribute to Tc, by guidance weight",
                        "guidance:table4", unused=NO_BASES | ONE_SAMPLING | NO_CANDIDATES),
    "table5-7": Benchmark("KIAGO: one element substituted: success, neutrality, gain",
                          "substitute:table5_7"),
    "table8": Benchmark("KIAGO: the best substitutions beside the best known ones",
                        "substitute:table8", unused=NO_DIFFUSION),
    "table9-10": Benchmark("KIAGO: hydrides",
                           "hydrides:table9_10"),
    "figure3": Benchmark("KIAGO: starts from a known superconductor, and random starts",
                         "starts:figure3", unused=NO_BASES | NO_DIFFUSION),
    "gdmcd-table2": Benchmark("GDMCD: whole numbers of atoms, with and without exempt elements",
                              "integers:gdmcd_table2", unused=NO_BASES | NO_DIFFUSION,
                              defaults={"candidates": (8192,), "steps": (1000, 1000)}),
    "neutral": Benchmark("bases of table 2: share that passes the charge screens, by nearest and by neutral rounding",
                         "raise_tc:neutral", unused=NO_DIFFUSION),
    "exploitation": Benchmark("bases of table 2: the predicted gain, and how much of it the control model confirms",
                              "raise_tc:exploitation", unused=NO_DIFFUSION),
    "superdiff": Benchmark("SuperDiff: samples without a base beside the authors' figures; needs the raw data",
                           "diffusion_claims:claims", unused=NO_BASES | ONE_SAMPLING | NO_CANDIDATES),
    "superdiff-formulas": Benchmark("bases of table 2: samples of SuperDiff by three rules for formulas, and KIAGO",
                                    "diffusion_formulas:formulas"),
    "superdiff-steps": Benchmark("a base of table 2: samples of SuperDiff in 50 to 1,000 steps",
                                 "diffusion_steps:steps", unused=ONE_SAMPLING),
    "superdiff-example": Benchmark("a few samples of SuperDiff from noise to compositions, for the page Learn",
                                   "diffusion_example:example",
                                   unused=NO_BASES | ONE_SAMPLING | NO_CANDIDATES
                                   | {"samples": "it has a few"}),
    "example-run": Benchmark("the finished run that the page Learn opens, and a few of its candidates step by step",
                             "example_run:example_run", options_class="example_run:ExampleRunOptions",
                             unused=NO_BASES | NO_METHODS | {"seeds": "it has one run",
                                                             "steps": "it takes the defaults"}),
    "search": Benchmark("searches in the same time: memetic and genetic search, C-ES, KIAGO and random formulas",
                        "search:compare", options_class="search:SearchOptions"),
    "default-search": Benchmark("the default design of the app, and genetic search in the same time, for table 2",
                                "default_search:default_search", options_class="search:SearchOptions",
                                unused=NO_METHODS | {"seconds": "the default design runs to its end",
                                                     "per_element_set": "it takes the defaults",
                                                     "rival_seconds": "genetic search gets the same time",
                                                     "margin_K": "all seeds are made", "kept": "it has its cache"}),
    "top-ten": Benchmark("default designs from five bases: what a chemist asks of the ten candidates shown first",
                         "top_ten:top_ten", unused={"seeds": "it takes seed 0", "candidates": "it takes the defaults",
                                                    "samples": "it has no diffusion model",
                                                    "steps": "it takes the defaults"}),
    "known": Benchmark("35 compounds, from Nb to LK-99, beside what is known of them",
                       "known_compounds:known_compounds",
                       unused={"seeds": "it has no seeds", "candidates": "it designs nothing",
                               "steps": "it designs nothing", **NO_BASES, **NO_DIFFUSION}),
    "families": Benchmark("families of superconductors left out of the training of the Tc model; needs the raw data",
                          "families:families",
                          unused={"seeds": "it has no seeds", "candidates": "it designs nothing",
                                  "steps": "it designs nothing", **NO_DIFFUSION}),
    "speed": Benchmark("candidate-steps per second of the reference loop and of ours, memory, screens",
                       "speed:speed", options_class="speed:SpeedOptions"),
    "gpu": Benchmark("a GPU against the reference loop and its own limits: steps, memory, agreement, trainings",
                     "gpu:gpu", options_class="gpu:GpuOptions"),
    "campaign": Benchmark("what a campaign costs beside the work of its runs; 10,000 runs on more cores",
                          "campaign_cost:cost", options_class="campaign_cost:CampaignCostOptions"),
    "campaign-kills": Benchmark("a campaign whose workers and scheduler are killed, compared with an undisturbed one",
                                "campaign_kills:kills", options_class="campaign_kills:CampaignKillsOptions"),
    "structure-hull": Benchmark("energy above hull by the potential against the Materials Project; needs the raw data",
                                "structure_hull:structure_hull", options_class="structure_hull:StructureHullOptions"),
    "example-structures": Benchmark("the ten best candidates of three shipped examples with their crystal structures",
                                    "example_structures:example_structures",
                                    options_class="example_structures:ExampleStructuresOptions"),
    "crystal-guidance": Benchmark("Tc of crystals generated without a Tc, towards 10 and 110 K; needs the raw data",
                                  "crystal_guidance:crystal_guidance",
                                  options_class="crystal_guidance:CrystalGuidanceOptions"),
    "crystal-prediction": Benchmark("structures of held-out formulas, by prototypes and diffusion; needs the raw data",
                                    "crystal_prediction:crystal_prediction",
                                    options_class="crystal_prediction:CrystalPredictionOptions"),
    "crystal-funnel": Benchmark("the screening of crystals generated towards 10 K, and how many end near the hull",
                                "crystal_funnel:crystal_funnel", options_class="crystal_funnel:CrystalFunnelOptions"),
    "crystal-constraints": Benchmark("crystals of allowed elements and of given formulas: validity",
                                     "crystal_constraints:crystal_constraints",
                                     options_class="crystal_constraints:CrystalConstraintsOptions"),
    "relaxed-prediction": Benchmark("structures of held-out formulas before and after relaxation; needs the raw data",
                                    "relaxed_prediction:relaxed_prediction",
                                    options_class="relaxed_prediction:RelaxedPredictionOptions"),
    "crystal-example": Benchmark("a few crystals on their way from noise, by the weight of the Tc, for the page Learn",
                                 "crystal_example:example", options_class="crystal_guidance:CrystalGuidanceOptions",
                                 unused={"count": "it has a few crystals", "relaxed": "it relaxes none",
                                         "data": "it needs no data"}),
    "hostile": Benchmark("hostile formulas, problems, run folders and checkpoints: answers, clear errors, failures",
                         "hostile:hostile", options_class="hostile:HostileOptions"),
    "durability": Benchmark("runs killed at random and at every write, and with a full disk, then resumed",
                            "durability:durability", options_class="durability:DurabilityOptions"),
    "load": Benchmark("many users of one server while runs are at work: seconds for each page, memory",
                      "load:load", options_class="load:LoadOptions"),
    "time-to-quality": Benchmark("seconds until ours is as good as the reference loop with 4,096 x 1,000",
                                 "quality:time_to_quality",
                                 unused={"seeds": "its rounds have seeds of their own, one after the other",
                                         **NO_DIFFUSION}),
}  # fmt: skip


def run_benchmark(name: str, given: GivenOptions) -> tuple[str, Outcome]:
    """Carry out a benchmark; returns the name of its files and the outcome.

    given : options that differ from the defaults; candidates, steps and bases as tuples

    Raises InputError for an option that the benchmark cannot use.
    """
    benchmark = BENCHMARKS[name]
    options = options_of(name, {**benchmark.defaults, **given})
    return name + options.file_suffix, _load(benchmark.function)(options)


def options_of(name: str, given: GivenOptions) -> Options:
    """The options object of a benchmark. Raises InputError for an option that the benchmark cannot use."""
    benchmark = BENCHMARKS[name]
    options_class: Any = _load(benchmark.options_class)
    known = {option.name: option for option in fields(options_class)}
    values = {}
    for option, value in given.items():
        if option not in known or option in benchmark.unused:
            reason = f": {benchmark.unused[option]}" if option in benchmark.unused else ""
            raise InputError(option, value, f"{name} has no use for this option{reason}", "Leave it out")
        values[option] = _fitted(name, option, value, several=isinstance(known[option].default, tuple))
    return options_class(**values)


def _fitted(name: str, option: str, value: Any, several: bool) -> Any:
    """The value as a tuple if the option takes several, as a single value otherwise."""
    if several == isinstance(value, tuple):
        return value
    if several:
        return (value,)
    if len(value) > 1:
        raise InputError(option, value, f"{name} takes one number of {option}", "Give one")
    return value[0]


def _load(location: str) -> Callable[..., Any]:
    """The object at "module:name" in core.benchmarks."""
    module, _, name = location.partition(":")
    return getattr(import_module(f"core.benchmarks.{module}"), name)
