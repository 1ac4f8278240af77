"""The resume point of a run: the complete state of its generator, in one safetensors file.

A state is a frozen dataclass of tensors with a field `step`, whichever generator it belongs to. The names in the file
are the names of its fields; beside them are the recent values that the records average.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import MISSING, Field, dataclass, fields
from pathlib import Path
from typing import Any, ClassVar, Generic, Protocol, TypeVar

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save

from core.errors import shown
from core.files import read_bounded, write_atomically
from core.limits import WEIGHTS_BYTES
from core.runs import layout
from core.runs.documents import is_duration
from core.tensor_file import TensorFileError, checksum, with_metadata
from core.tensor_file import layout as layout_of


class State(Protocol):
    """Any frozen dataclass whose fields are tensors. step : () int64 on the CPU, completed steps."""

    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]

    @property
    def step(self) -> torch.Tensor: ...


S = TypeVar("S", bound=State)
_RECENT = "recent."  # before the names of tensors that do not belong to the state


@dataclass(frozen=True)
class Known:
    """What a resume point keeps beside the state, so that a lost provenance.json costs nothing.

    fingerprint : see `core.runs.provenance.fingerprint`
    threads : number of threads of the first start, which determines the rounding; None: not known
    """

    fingerprint: str
    threads: int | None = None


def save_resume_point(
    folder: Path,
    state: State,
    known: Known,
    elapsed_s: float,
    recent: Mapping[str, torch.Tensor] | None = None,
) -> None:
    """Store a state atomically and durably, with a checksum. Raises OSError if the file cannot be written.

    elapsed_s : working time (s) up to this state
    recent : `core.runs.member_mean.MemberMean.tensors`
    """
    named = {f.name: getattr(state, f.name) for f in fields(state)}
    named |= {_RECENT + name: values for name, values in (recent or {}).items()}
    content = save({name: values.detach().cpu().contiguous() for name, values in named.items()})
    metadata = {"fingerprint": known.fingerprint, "elapsed_s": repr(elapsed_s), "sha256": checksum(content)}
    if known.threads is not None:
        metadata["threads"] = str(known.threads)
    write_atomically(folder / layout.RESUME, with_metadata(content, metadata), durable=True, private=True)


@dataclass(frozen=True)
class ResumePoint(Generic[S]):
    """A stored state on a device.

    elapsed_s : working time (s) up to it
    recent : as it was stored
    checked : whether it agrees with its checksum; earlier versions stored none
    """

    state: S
    elapsed_s: float
    recent: Mapping[str, torch.Tensor]
    checked: bool

    def fits(self, initial: S) -> bool:
        """Whether every tensor has type and shape of those of an initial state."""
        return all(
            getattr(self.state, f.name).shape == getattr(initial, f.name).shape
            and getattr(self.state, f.name).dtype == getattr(initial, f.name).dtype
            for f in fields(initial)
        )


def load_resume_point(
    folder: Path, state_class: type[S], fingerprint: str, device: torch.device
) -> ResumePoint[S] | None:
    """The stored state on `device`; None without a usable file.

    A file is not used, and a message on standard error gives the reason, if it is corrupt, does not agree with its
    checksum, has another fingerprint, or holds the state of another generator.
    """
    path = folder / layout.RESUME
    if not path.exists():
        return None
    try:
        content = read_bounded(path, WEIGHTS_BYTES)
        _, metadata = layout_of(content)
        tensors, found = load(content), checksum(content)
    except (SafetensorError, TensorFileError, OSError) as error:
        return _no_resume_point(f"The resume point cannot be read ({shown(error)})")
    if metadata.get("sha256", found) != found:  # earlier versions stored none
        return _no_resume_point("The resume point does not agree with its checksum")
    if metadata.get("fingerprint") != fingerprint:
        return _no_resume_point("The problem or the checkpoints have changed since the resume point was stored")
    stored = {name: tensor for name, tensor in tensors.items() if not name.startswith(_RECENT)}
    elapsed_s = _duration(metadata.get("elapsed_s"))
    complete = _without_default(state_class) <= stored.keys() <= {f.name for f in fields(state_class)}
    if not complete or stored["step"].numel() != 1 or elapsed_s is None:
        return _no_resume_point("The resume point holds the state of another generator")
    moved = {name: tensor if name == "step" else tensor.to(device) for name, tensor in stored.items()}
    recent = {n.removeprefix(_RECENT): t.to(device) for n, t in tensors.items() if n.startswith(_RECENT)}
    return ResumePoint(state_class(**moved), elapsed_s, recent, "sha256" in metadata)


def _duration(text: str | None) -> float | None:
    try:
        return float(text) if text is not None and is_duration(float(text)) else None
    except ValueError:
        return None


def _without_default(state_class: type[State]) -> set[str]:
    """The fields of a state that a file must have; a file of an earlier version lacks later ones."""
    return {f.name for f in fields(state_class) if f.default_factory is MISSING}


def _no_resume_point(reason: str) -> None:
    print(f"{reason}; the run starts from the beginning.", file=sys.stderr)
