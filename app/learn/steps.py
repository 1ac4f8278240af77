"""The steps of the lesson, in order."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from app.learn.climb import climbing
from app.learn.constraints import constraints
from app.learn.crystals import crystals, is_there
from app.learn.diffusion import diffusion
from app.learn.exploitation import exploitation
from app.learn.integer_loss import integer_loss
from app.learn.method import method
from app.learn.neutrality import neutrality
from app.learn.normalisation import normalisation
from app.learn.stages import stages
from app.learn.table_image import table_image
from app.learn.take_home import take_home


class Step(NamedTuple):
    """One step: its name in the link, its label in the list of steps, its heading, and what draws it."""

    name: str
    label: str
    heading: str
    draw: Callable[[], None]


STEPS = (
    Step("method", "The method", "How a superconductor is designed by gradient", method),
    Step("constraints", "Constraints", "Compositions that always meet the constraints", constraints),
    Step("normalisation", "Normalisation", "Fractions from any numbers: ReLU and softmax", normalisation),
    Step("climbing", "Climbing", "One composition climbs", climbing),
    Step("exploitation", "Exploitation", "What the model promises, and what a control model sees", exploitation),
    Step("stages", "Two stages", "Stage 1, few elements, stage 2: a run step by step", stages),
    Step("whole-atoms", "Whole atoms", "Whole atoms by the integer loss", integer_loss),
    Step("neutrality", "Neutrality", "Why charge neutrality is rare", neutrality),
    Step("image", "Model input", "The periodic table as an image: the input of the published model", table_image),
    Step("diffusion", "Diffusion", "Another way: compositions from noise", diffusion),
    *([Step("crystals", "Crystals", "Crystals from noise, and towards a Tc", crystals)] if is_there() else []),
    Step("exercises", "Exercises", "Exercises and symbols", take_home),
)


def place_of(name: str | None) -> int:
    """The place of the step with this name; 0, the first one, if there is none."""
    return next((place for place, step in enumerate(STEPS) if step.name == name), 0)
