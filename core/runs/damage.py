"""What is wrong with a file of a run, and what can be done about it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from core.errors import InputError, shown


class Remedy(StrEnum):
    """What can be done about a damaged file, from the least to the greatest loss."""

    REBUILD = "rebuild"  # from the other files of the run, at once
    RESUME = "resume"  # carry the run out again, from its resume point if there is one
    DELETE = "delete"  # nothing but the other files can be kept

    @property
    def words(self) -> str:
        """The remedy as a sentence without a full stop."""
        return _WORDS[self]


_WORDS = {
    Remedy.REBUILD: "It can be rebuilt from the other files of the run",
    Remedy.RESUME: "The run can be carried out again, which gives the same result",
    Remedy.DELETE: "It cannot be rebuilt; restore it from a copy, or delete the run",
}


@dataclass(frozen=True)
class Damage:
    """A damaged or missing file of a run.

    file : name of the file in the folder
    wrong : what is wrong, completes "problem.json …"
    remedy : what can be done
    """

    file: str
    wrong: str
    remedy: Remedy

    @property
    def message(self) -> str:
        """What is wrong and what can be done, in two sentences."""
        return f"{self.file} {shown(self.wrong)}. {self.remedy.words}."


class DamageError(InputError):
    """A file of a run cannot be used. damage : what is wrong with it"""

    def __init__(self, damage: Damage):
        self.damage = damage
        super().__init__("folder", damage.file, damage.wrong, damage.remedy.words)

    @property
    def message(self) -> str:
        """What is wrong and what can be done."""
        return self.damage.message

    def __reduce__(self):
        return type(self), (self.damage,)
