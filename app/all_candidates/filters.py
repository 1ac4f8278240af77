"""The filters of the page Library as a condition on candidates."""

from __future__ import annotations

from dataclasses import dataclass

from core.chemistry import elements

AT_LEAST = {"tc_at_least_K": "tc_K", "control_tc_at_least_K": "tc_judge_K", "distance_at_least": "distance_to_known"}


@dataclass(frozen=True)
class LibraryFilters:
    """What a candidate must meet; each filter only if it is set.

    tc_at_least_K, control_tc_at_least_K : Tc by the model and by the control model; None: any, missing ones too
    above_hull_at_most_eV_per_atom : None: any, missing ones too
    distance_at_least : to the nearest known superconductor, in steps of the Mendeleev scale; None: any
    passes, new, agrees, no_phase : passes every screen; is no known superconductor; the control model does not
        disagree; no reference phase has this composition
    starred : has a star
    families : names; empty: all
    containing, without : symbols of elements of which all, or none, are in the candidate
    condition : a further condition, see `core.campaigns.condition`
    """

    tc_at_least_K: float | None = None
    control_tc_at_least_K: float | None = None
    above_hull_at_most_eV_per_atom: float | None = None
    distance_at_least: float | None = None
    passes: bool = True
    new: bool = True
    agrees: bool = False
    no_phase: bool = False
    starred: bool = False
    families: tuple[str, ...] = ()
    containing: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    condition: str = ""

    def where(self) -> str:
        """The filters as a condition on candidates, without `starred` and the further condition."""
        parts = [name for name, asked in (("passes", self.passes), ("new", self.new)) if asked]
        if self.agrees:
            parts.append("(control_disagrees is null or not control_disagrees)")
        if self.no_phase:
            parts.append("known_phase = ''")
        limits = {column: getattr(self, name) for name, column in AT_LEAST.items()}
        parts += [f"{column} >= {float(limit)!r}" for column, limit in limits.items() if limit is not None]
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
