"""Links to databases and literature about a formula or its chemical system. Pure functions; nothing is fetched here."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote, urlencode

from core.chemistry.exact_formula import literal_amounts


@dataclass(frozen=True)
class ExternalLink:
    """One link. label : the site; about : what it is asked for"""

    label: str
    about: str
    url: str


def external_links(formula: str) -> list[ExternalLink]:
    """Where a formula of a candidate table, or its chemical system, can be looked up."""
    symbols = sorted(literal_amounts(formula))
    system = "-".join(symbols)
    elements = [(f"el{place}", symbol) for place, symbol in enumerate(symbols[:8], 1)]  # the form of the COD has eight
    strict = [("strictmin", len(symbols)), ("strictmax", len(symbols))]
    return [
        ExternalLink(
            "Materials Project", f"compounds of {system}",
            f"https://next-gen.materialsproject.org/materials?{urlencode({'chemsys': system})}",
        ),
        ExternalLink("OQMD", f"compounds of {system}", f"https://oqmd.org/materials/composition/{quote(system)}"),
        ExternalLink(
            "COD", f"crystal structures of {system}",
            f"https://www.crystallography.net/cod/result?{urlencode([*elements, *strict])}",
        ),
        ExternalLink(
            "Google Scholar", f"papers that name {formula}",
            "https://scholar.google.com/scholar?" + urlencode({"q": f'"{formula}" superconductor'}),
        ),
    ]  # fmt: skip
