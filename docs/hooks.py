"""What the pages say about the code is made from the code when they are built.

A page is made as a whole (`PAGES`), a line ``<!-- made: NAME -->`` of it is replaced (`PARTS`), and so is a line
``<!-- picture: Conv2d(…) on HEIGHT × WIDTH -->``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from importlib import import_module
from typing import Any

import typer
from mkdocs.structure.files import File, Files
from typer.cli import get_docs_for_click

from convcheck import LAYOUTS, PATHS, PROFILES
from convcheck.cli.app import app
from convcheck.explanation.figures import figures
from convcheck.explanation.reading import parse_layer
from convcheck.model.levels import level_of_clause
from convcheck.model.rules import NAMES
from convcheck.oracles import ORACLES
from convcheck.oracles.metamorphic import RELATIONS, oracle_name
from convcheck_reference import Conv2dParams
from convcheck_reference.clauses import specification_markdown


def on_files(files: Files, config: Any) -> Files:
    """Add the pages that are made as a whole."""
    for path, page in PAGES.items():
        files.append(File.generated(config, path, content=page()))
    return files


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Fill in what is made; clauses that are named outside of code lead to their statements."""
    filled = re.sub(r"^<!-- made: (\w+) -->$", lambda found: PARTS[found[1]](), markdown, flags=re.MULTILINE)
    filled = re.sub(r"^<!-- picture: (.*\)) on (\d+) × (\d+) -->$", _picture, filled, flags=re.MULTILINE)
    clauses = "../" * page.file.src_uri.count("/") + "clauses.md"
    return filled if page.file.src_uri == "clauses.md" else _linked(filled, clauses)


def _linked(markdown: str, clauses: str) -> str:
    parts = re.split(r"(^```.*?^```|`[^`\n]+`)", markdown, flags=re.MULTILINE | re.DOTALL)
    texts = [re.sub(r"\bC2D-[A-Z]+-\d+\b", rf"[\g<0>]({clauses}#\g<0>)", text) for text in parts[::2]]
    return "".join(text + code for text, code in zip(texts, [*parts[1::2], ""], strict=True))


def _clauses() -> str:
    """The specification, with an anchor and the level of each clause."""

    def marked(found: re.Match[str]) -> str:
        clause, text = found.groups()
        return f"- **{clause}**{{ #{clause} }} {text} *({level_of_clause(clause).label})*"

    text = re.sub(r"^- \*\*(C2D-\w+-\d+)\*\* (.*)$", marked, specification_markdown(), flags=re.MULTILINE)
    said = "Every verdict names the clauses that it judges. Behind each is the [level](levels.md) at which it speaks."
    return text.replace("Printed by `convcheck spec`.", f"`convcheck spec` prints them. {said}", 1)


def _options() -> str:
    group: Any = typer.main.get_command(app)
    context = typer.Context(group)
    group.commands = {name: group.resolve_command(context, [name])[1] for name in group.commands}
    text = get_docs_for_click(obj=group, ctx=context, name="convcheck")
    return text.replace("# `convcheck`", "# Options of every command", 1)


def _oracles() -> str:
    """Each oracle but the relations, in their order: when it is asked, and what its module says."""
    related = {oracle_name(relation) for relation in RELATIONS}
    return "\n\n".join(_oracle(oracle) for oracle in ORACLES if oracle.name not in related)


def _oracle(oracle: Any) -> str:
    asked = "every case" if oracle.every == 1 else f"one case in {oracle.every}"
    about = import_module(oracle.judge.__module__).__doc__
    return f"### {oracle.name}\n\nAsked about {asked}; level *{oracle.level.label}*.\n\n{about}"


def _relations() -> str:
    return _table(("relation", "what has to hold"), ((r.name, r.statement) for r in RELATIONS))


def _profiles() -> str:
    return _table(("name", "what it promises"), ((f"`{name}`", f"`{p.declaration}`") for name, p in PROFILES.items()))


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [head, ("---",) * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _listed(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names) + "."


def _picture(found: re.Match[str]) -> str:
    """The pictures of a layer on an image."""
    layer, size = found[1], (int(found[2]), int(found[3]))
    params = Conv2dParams.of(parse_layer(layer))
    drawn = (f"<figure>{f.svg}<figcaption>{f.caption}</figcaption></figure>" for f in figures(params, size))
    return f'<div class="pictures" markdown="0"><p><code>{layer}</code></p>{"".join(drawn)}</div>'


PAGES = {"clauses.md": _clauses, "options.md": _options}
PARTS = {
    "layouts": lambda: _listed(LAYOUTS),
    "oracles": _oracles,
    "paths": lambda: _listed(PATHS),
    "profiles": _profiles,
    "relations": _relations,
    "rules": lambda: _listed(NAMES),
}
