"""Where the base of a problem comes from: a candidate of another run."""

from __future__ import annotations

from dataclasses import dataclass

from core.limits import RUN_ID_CHARACTERS


@dataclass(frozen=True)
class Origin:
    """A candidate that became the base of a problem. It says where a design comes from and changes no result.

    run : id of the run; rank : of the candidate in it, from 1; candidate : its number, which does not change
    """

    run: str
    rank: int
    candidate: int

    def is_valid(self) -> bool:
        """Whether the fields have their types and are within their ranges."""
        whole = all(type(n) is int and 0 <= n < 10**9 for n in (self.rank, self.candidate))
        return isinstance(self.run, str) and 0 < len(self.run) <= RUN_ID_CHARACTERS and whole
