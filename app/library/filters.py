"""The filters of the page Library as a condition on candidates."""

from __future__ import annotations

from dataclasses import dataclass

from core.chemistry import elements


@dataclass(frozen=True)
class LibraryFilters:
    """What a candidate must meet; each filter only if it is set.

    tc_at_least_K, above_hull_at_most_eV_per_atom : None: any, missing ones too
    passes, new, agrees : passes every screen; is no known superconductor; the control model does not disagree
    families : names; empty: all
    containing, without : symbols of elements of which all, or none, are in the candidate
    condition : a further condition, see `core.campaigns.condition`
    """

    tc_at_least_K: float | None = None
    above_hull_at_most_eV_per_atom: float | None = None
    passes: bool = True
    new: bool = True
    agrees: bool = False
    families: tuple[str, ...] = ()
    containing: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    condition: str = ""

    def where(self) -> str:
        """The filters without the further condition, as a condition on candidates."""
        parts = [name for name, asked in (("passes", self.passes), ("new", self.new)) if asked]
        if self.agrees:
            parts.append("(control_disagrees is null or not control_disagrees)")
        if self.tc_at_least_K is not None:
            parts.append(f"tc_K >= {float(self.tc_at_least_K)!r}")
        if self.above_hull_at_most_eV_per_atom is not None:
            parts.append(f"energy_above_hull_eV_per_atom <= {float(self.above_hull_at_most_eV_per_atom)!r}")
        if self.families:
            parts.append(f"family in ({_quoted(self.families)})")
        if self.containing:
            parts.append(f"list_has_all(elements, [{_quoted(_symbols(self.containing))}])")
        if self.without:
            parts.append(f"not list_has_any(elements, [{_quoted(_symbols(self.without))}])")
        return " and ".join(parts) or "true"


def _symbols(given: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(symbol for symbol in given if elements.is_element(symbol))


def _quoted(texts: tuple[str, ...]) -> str:
    return ", ".join("'" + text.replace("'", "''") + "'" for text in texts)
