"""What the pages say about the code is made from the code when they are built.

A page is made as a whole (`PAGES`), or a line ``<!-- made: NAME -->`` of it is replaced (`PARTS`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import asdict
from importlib import import_module
from inspect import getdoc
from typing import Any

import typer
from mkdocs.structure.files import File, Files
from typer.cli import get_docs_for_click

from convcheck import LAYOUTS, PATHS, PROFILES
from convcheck.cli.app import app
from convcheck.model.levels import MEANINGS, level_of_clause
from convcheck.oracles import ORACLES
from convcheck_reference.clauses import specification_markdown


def on_files(files: Files, config: Any) -> Files:
    """Add the pages that are made as a whole."""
    for path, page in PAGES.items():
        files.append(File.generated(config, path, content=page()))
    return files


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Fill in what is made."""
    return re.sub(r"^<!-- made: (\w+) -->$", lambda found: PARTS[found[1]](), markdown, flags=re.MULTILINE)


def _clauses() -> str:
    """The specification, with an anchor and the level of each clause."""

    def marked(found: re.Match[str]) -> str:
        clause, text = found.groups()
        return f"- **{clause}**{{ #{clause} }} {text} *({level_of_clause(clause).label})*"

    return re.sub(r"^- \*\*(C2D-\w+-\d+)\*\* (.*)$", marked, specification_markdown(), flags=re.MULTILINE)


def _options() -> str:
    command = typer.main.get_command(app)
    text = get_docs_for_click(obj=command, ctx=typer.Context(command), name="convcheck")
    return text.replace("# `convcheck`", "# Options of every command", 1)


def _oracles() -> str:
    """Each oracle in the order in which a failing case is named after them, with what its module says."""
    parts = []
    for oracle in ORACLES:
        module = import_module(oracle.judge.__module__) if oracle.judge.__module__.startswith("convcheck") else None
        about = getdoc(module) or ""
        parts.append(f"### {oracle.name}\n\n{about}\n")
    return "\n".join(parts)


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    lines = [list(head), ["---"] * len(list(head)), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def _levels() -> str:
    return _table(("level", "what it is about"), ((f"`{level}`", meaning) for level, meaning in MEANINGS.items()))


def _profiles() -> str:
    return _table(("name", "what it promises"), ((f"`{name}`", f"`{p.declaration}`") for name, p in PROFILES.items()))


def _layouts() -> str:
    return ", ".join(f"`{layout}`" for layout in LAYOUTS)


def _paths() -> str:
    return ", ".join(f"`{path}`" for path in PATHS)


PAGES = {"clauses.md": _clauses, "options.md": _options}
PARTS = {"oracles": _oracles, "levels": _levels, "profiles": _profiles, "layouts": _layouts, "paths": _paths}
