"""What a chemist wants to be proposed: any formula, new ones only, or new ones near the base."""

from __future__ import annotations

from dataclasses import dataclass, replace

from core.problem.settings import ANY_CHANGE, ANY_NOVELTY, NEAR, NEW, OptimiserSettings


@dataclass(frozen=True)
class Proposals:
    """One choice: its label, one line about it, and the settings it stands for.

    explanation : with the placeholders {least} and {most}, percentages of the atoms
    """

    label: str
    explanation: str
    novelty: str
    change: str


PROPOSALS = {
    "any": Proposals("Any", "Known superconductors too: a check, since the best known ones should come up.",
                     ANY_NOVELTY, ANY_CHANGE),
    "new": Proposals("New only", "At least {least} of the atoms differ from every superconductor in SuperCon.",
                     NEW, ANY_CHANGE),
    "near": Proposals("New, near the base", "New, and at most {most} of the atoms of the base are exchanged.",
                      NEW, NEAR),
}  # fmt: skip


def proposals_of(settings: OptimiserSettings) -> str | None:
    """The name of the choice that the settings stand for; None for another combination."""
    found = (name for name, p in PROPOSALS.items() if (p.novelty, p.change) == (settings.novelty, settings.change))
    return next(found, None)


def with_proposals(settings: OptimiserSettings, name: str) -> OptimiserSettings:
    """The settings with this choice."""
    return replace(settings, novelty=PROPOSALS[name].novelty, change=PROPOSALS[name].change)


def explanation(settings: OptimiserSettings) -> str:
    """One line about the choice, with the distances of the settings; empty for another combination."""
    name = proposals_of(settings)
    if name is None:
        return ""
    return PROPOSALS[name].explanation.format(
        least=f"{100 * settings.least_distance:.3g}%", most=f"{100 * settings.most_changed:.3g}%"
    )


FEW = 3  # formulas of the same elements, where few are asked for


def with_few_of_elements(settings: OptimiserSettings, few: bool) -> OptimiserSettings:
    """The settings with at most FEW results of the same elements, or without a limit."""
    return replace(settings, per_element_set=FEW if few else 0)


def few_of_elements_label(settings: OptimiserSettings) -> str:
    """The demand for different elements in words."""
    most = settings.per_element_set or FEW
    return f"At most {most} {'formula' if most == 1 else 'formulas'} of the same elements"
