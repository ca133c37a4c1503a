"""`convcheck explain`: what a layer does, in words, numbers and a picture."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from convcheck.cli.numbers import shape
from convcheck.cli.output import say
from convcheck.explanation.explaining import explain as explain_layer
from convcheck.explanation.reading import Typed, read_typed
from convcheck.report.atomic import write_atomically
from convcheck.report.explained import explained_html, explained_text

_ILLEGAL = 1


def explain(
    layer: Annotated[str, typer.Argument(help="Conv2d(3, 10, kernel_size=5, padding=2), or a case: v1,x=1x3x8x8,…")],
    input_: Annotated[str, typer.Option("--input", help="N,C,H,W or C,H,W")] = "",
    html: Annotated[Path | None, typer.Option(help="write one self-contained page instead")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="as JSON")] = False,
) -> None:
    """Say what a layer does, and draw where it reads."""
    typed = read_typed(layer)
    if input_ and typed.input_shape is not None:
        raise typer.BadParameter("a case has its input in x=…; leave out --input, or change that")
    asked = shape(input_) if input_ else typed.input_shape
    found = explain_layer(typed.arguments, asked, typed.dtype)
    if html is not None:
        _write(html, explained_html(typed, found, asked))
    elif as_json:
        say(json.dumps(asdict(found), ensure_ascii=False, indent=2))
    else:
        say(explained_text(typed, found, asked))
    raise typer.Exit(0 if _legal(typed, legal=found.legal) else _ILLEGAL)


def _legal(typed: Typed, *, legal: bool) -> bool:
    return legal and not typed.violation


def _write(path: Path, page: str) -> None:
    try:
        write_atomically(path, page)
    except (OSError, ValueError) as error:  # also a name that no file can have
        why = getattr(error, "strerror", None) or error
        raise typer.BadParameter(f"--html {str(path)[:300]!r} cannot be written: {why}; name another file") from error
    say(f"page: {path}")
