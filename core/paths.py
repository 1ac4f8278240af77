"""Where the project keeps things on disk."""

from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]
ASSETS = PROJECT / "assets"
CHECKPOINTS = PROJECT / "checkpoints"
