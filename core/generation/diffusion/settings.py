"""The settings that only SuperDiff reads. Has no heavy imports, because pages list them."""

from __future__ import annotations

from core.generation.method_settings import MethodSetting

CLASSES = {"cuprate": "cuprates", "iron-based": "iron-based", "other": "others"}  # of superconductors, as in SuperDiff
MOST_ELEMENTS = {"cuprate": 7, "iron-based": 5, "other": 5}  # in a formula, by the filter of SuperDiff's authors
PREFIX = "superdiff-"  # of the names of the checkpoints; the class follows
BY_BASE = "base"  # value of `of_class`: the class of the base
UNCONDITIONED = "none"  # value of `scale_factors`
SHARED = "shared"  # value of `reference_noise`
# Values of `formulas`, the rules of `core.generation.diffusion.formulas`.
SUPERDIFF, KIAGO, WHOLE, NEUTRAL = RULES = ("superdiff", "kiago", "whole", "neutral")

DIFFUSION_SETTINGS = (
    MethodSetting(
        name="denoising_steps",
        label="Denoising steps",
        help="From noise to compositions. 1,000 as published; fewer steps have noise levels of the published ones.",
        default=100,
        low=10,
        high=1000,
    ),
    MethodSetting(
        name="of_class",
        label="Trained on",
        help="Class of superconductors from which the network learned; by default that of the base.",
        default=BY_BASE,
        choices=((BY_BASE, "class of the base"), *CLASSES.items()),
    ),
    MethodSetting(
        name="scale_factors",
        label="Scale factors",
        help="ILVR: samples keep the amounts of the base, averaged over this many neighbours in the periodic sequence. "
        "Several factors are used in turn. KIAGO: 2, 3, 4, 6; SuperDiff: 2, 3, 4.",
        default="2,3,4,6",
        choices=(
            ("2,3,4,6", "2, 3, 4, 6"),
            ("2,3,4", "2, 3, 4"),
            *((factor, factor) for factor in ("2", "3", "4", "6")),
            (UNCONDITIONED, "none: without the base"),
        ),
    ),
    MethodSetting(
        name="reference_noise",
        label="Noise of the base",
        help="ILVR: one noise for each sample, or one for all samples of a step, as in the authors' code.",
        default="own",
        choices=(("own", "one per sample"), (SHARED, "one for all")),
    ),
    MethodSetting(
        name="guidance_weight",
        label="Guidance weight",
        help="Classifier guidance by Tc and formation energy (KIAGO: 0.001). The weight multiplies the gradient of the "
        "mean over 1,024 samples, as in the paper; 0: no guidance. Each step takes the next member of an ensemble.",
        default=0.0,
        low=0.0,
        high=1e6,
    ),
    MethodSetting(
        name="formulas",
        label="Formulas",
        help="Charge neutral: of the neutral formulas of whole atoms near a sample, within the bounds of atoms per "
        "formula unit, the best by predicted Tc and formation energy; elements that a model does not know are "
        "dropped. SuperDiff: two decimals, samples with negative "
        "amounts are rejected. KIAGO: four decimals, small and negative amounts are dropped; whole atoms for hydrides.",
        default=NEUTRAL,
        choices=(
            (NEUTRAL, "charge neutral"),
            (SUPERDIFF, "as SuperDiff"),
            (KIAGO, "as KIAGO"),
            (WHOLE, "as KIAGO, whole atoms"),
        ),
    ),
)


def scale_factors(value: str) -> tuple[int, ...]:
    """The factors of a value of `scale_factors`; empty without the base."""
    return () if value == UNCONDITIONED else tuple(map(int, value.split(",")))


def checkpoint_name(of_class: str) -> str:
    """The name of the checkpoint of a class."""
    return PREFIX + of_class
