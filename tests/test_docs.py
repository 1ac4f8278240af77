"""The documentation matches the code: the tree of docs/architecture.md, and every link between documents."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from core.paths import PROJECT

DOCUMENTS = sorted([*PROJECT.glob("*.md"), *(PROJECT / "docs").glob("*.md")])
ENTRY = re.compile(r"(?P<indent> *)(?P<name>\S+)(?: +(?P<comment>\S.*))?")


def tree() -> dict[str, str]:
    """Path -> comment of every line of the tree; folders end in a slash."""
    text = (PROJECT / "docs" / "architecture.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"^```text\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    found: dict[str, str] = {}
    folders: list[str] = []
    for line in block.splitlines():
        entry = ENTRY.fullmatch(line)
        assert entry, line
        depth = len(entry["indent"]) // 2
        folders = folders[:depth]
        path = "".join(folders) + entry["name"]
        found[path] = entry["comment"] or ""
        if path.endswith("/"):
            folders.append(entry["name"])
    return found


def modules() -> set[str]:
    """Every Python module of the engine and the app, and every folder that has one."""
    files = [p.relative_to(PROJECT) for part in ("core", "app") for p in (PROJECT / part).rglob("*.py")]
    folders = {f"{file.parent}/" for file in files if str(file.parent) != "."}
    return folders | {str(file) for file in files if file.name != "__init__.py"}


def test_the_tree_names_every_module_and_no_other():
    listed = set(tree())
    assert sorted(modules() - listed) == [], "missing in docs/architecture.md"
    assert sorted(listed - modules()) == [], "named in docs/architecture.md, but not there"


def test_every_line_of_the_tree_has_a_comment():
    assert [path for path, comment in tree().items() if not comment] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(PROJECT)))
def test_links_lead_to_files(document: Path):
    links = re.findall(r"\]\((?!https?://|#)([^)#]+)", document.read_text(encoding="utf-8"))
    assert [link for link in links if not (document.parent / link).exists()] == []


@pytest.mark.parametrize("document", sorted((PROJECT / "docs").glob("*.md")), ids=lambda path: path.name)
def test_the_readme_leads_to_every_document(document: Path):
    assert f"(docs/{document.name})" in (PROJECT / "README.md").read_text(encoding="utf-8")
