"""The resume point of a run: the complete state of its generator, in one safetensors file.

A state is a frozen dataclass of tensors with a field `step`, whichever generator it belongs to. The names in the file
are the names of its fields; beside them are the recent values that the records average.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import MISSING, Field, fields
from pathlib import Path
from typing import Any, ClassVar, Protocol, TypeVar

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save

from core.files import write_atomically
from core.runs import layout


class State(Protocol):
    """Any frozen dataclass whose fields are tensors. step : () int64 on the CPU, completed steps."""

    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]

    @property
    def step(self) -> torch.Tensor: ...


S = TypeVar("S", bound=State)


_RECENT = "recent."  # before the names of tensors that do not belong to the state


def save_resume_point(
    folder: Path, state: State, fingerprint: str, elapsed_s: float, recent: Mapping[str, torch.Tensor] | None = None
) -> None:
    """Store a state atomically. Raises OSError if the file cannot be written.

    fingerprint : see `core.runs.provenance.fingerprint`
    elapsed_s : working time (s) up to this state
    recent : `core.runs.member_mean.MemberMean.tensors`
    """
    named = {f.name: getattr(state, f.name) for f in fields(state)}
    named |= {_RECENT + name: values for name, values in (recent or {}).items()}
    tensors = {name: values.detach().cpu().contiguous() for name, values in named.items()}
    metadata = {"fingerprint": fingerprint, "elapsed_s": repr(elapsed_s)}
    write_atomically(folder / layout.RESUME, save(tensors, metadata))


def load_resume_point(
    folder: Path, state_class: type[S], fingerprint: str, device: torch.device
) -> tuple[S | None, float]:
    """The stored state on `device`, and the working time (s) up to it; (None, 0) without a usable file.

    A file is not used, and a message on standard error gives the reason, if it is corrupt, has another fingerprint, or
    holds the state of another generator.
    """
    path = folder / layout.RESUME
    if not path.exists():
        return None, 0.0
    try:
        with safe_open(path, "pt") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (not a mapping)
    except (SafetensorError, OSError) as error:
        return _no_resume_point(f"The resume point cannot be read ({error})")
    if metadata.get("fingerprint") != fingerprint:
        return _no_resume_point("The problem or the checkpoints have changed since the resume point was stored")
    tensors = {name: tensor for name, tensor in tensors.items() if not name.startswith(_RECENT)}
    if not _without_default(state_class) <= tensors.keys() <= {f.name for f in fields(state_class)}:
        return _no_resume_point("The resume point holds the state of another generator")
    moved = {name: tensor if name == "step" else tensor.to(device) for name, tensor in tensors.items()}
    return state_class(**moved), float(metadata["elapsed_s"])


def _without_default(state_class: type[State]) -> set[str]:
    """The fields of a state that a file must have; a file of an earlier version lacks later ones."""
    return {f.name for f in fields(state_class) if f.default_factory is MISSING}


def load_recent(folder: Path, device: torch.device) -> dict[str, torch.Tensor]:
    """The tensors `recent` of the resume point, which must be usable, on `device`; empty for one without them."""
    with safe_open(folder / layout.RESUME, "pt") as file:
        names = [name for name in file.keys() if name.startswith(_RECENT)]  # noqa: SIM118 (not a mapping)
        return {name.removeprefix(_RECENT): file.get_tensor(name).to(device) for name in names}


def _no_resume_point(reason: str) -> tuple[None, float]:
    print(f"{reason}; the run starts from the beginning.", file=sys.stderr)
    return None, 0.0
