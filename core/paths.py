"""Paths of the project folder, its assets and its checkpoints."""

from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]
ASSETS = PROJECT / "assets"
CHECKPOINTS = PROJECT / "checkpoints"
