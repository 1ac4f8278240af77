"""The methods that the tables compare, and how the papers run each of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from core.benchmarks.paper import C_ES, KIAGO
from core.generation.registry import GRADIENT, SUBSTITUTION
from core.problem.settings import OptimiserSettings

SITE_ELEMENTS = (1, 2)  # elements that share one site in C-ES, as in the samples of KIAGO's table 3


@dataclass(frozen=True)
class Protocol:
    """How the papers run one method.

    method : name of the generator
    settings : values of OptimiserSettings that differ from those of the table
    takes_minimum : whether the method can hold a minimum fraction; else the fraction of the base is fixed
    """

    method: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    takes_minimum: bool = True

    def applied(self, settings: OptimiserSettings) -> OptimiserSettings:
        """The settings of a table with the values of this method."""
        return replace(settings, **self.settings)


PROTOCOLS = {
    KIAGO: Protocol(GRADIENT),
    C_ES: Protocol(SUBSTITUTION, {"added_elements": SITE_ELEMENTS}, takes_minimum=False),
}
