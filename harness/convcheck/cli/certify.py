"""The command that certifies convcheck itself."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from convcheck.cli.numbers import MOST_CASES, MOST_WORKERS, Seed
from convcheck.cli.output import AsJson, plain, say, say_json
from convcheck.defects import DEFECTS, Category, Defect, defect
from convcheck.evaluation import VARIANTS, Budget, Variant
from convcheck.evaluation import certify as run_certification
from convcheck.evaluation.certificate import Certificate
from convcheck.evaluation.render import tables, write
from convcheck.report.folder import check_writable, folder_of

INCOMPLETE = 1


def certify(
    examples: Annotated[int, typer.Option(help="cases for each defect", min=1, max=MOST_CASES)] = 2000,
    variant_examples: Annotated[int, typer.Option(help="cases for each legal variant", min=1, max=MOST_CASES)] = 20_000,
    seed: Seed = 0,
    workers: Annotated[int, typer.Option(help="judging processes", min=1, max=MOST_WORKERS)] = 1,
    only: Annotated[
        list[str] | None, typer.Option(help="only this category, defect, variant, or 'variants'; may be repeated")
    ] = None,
    on: Annotated[
        str, typer.Option(help="the legal variant on top of whose numerics defects are put, such as cudnn-like")
    ] = "",
    report_dir: Annotated[Path, typer.Option(help="where the certificate goes")] = Path("reports"),
    as_json: AsJson = False,
) -> None:
    """Certify convcheck: wrong convolutions detected, and no alarm on legal ones."""
    defects, variants = select(tuple(only or ()))
    if on and on not in {item.name for item in VARIANTS}:
        raise typer.BadParameter(f"--on {on!r} is no variant; expected one of {', '.join(v.name for v in VARIANTS)}")
    folder = folder_of(report_dir, "-".join(filter(None, ("certificate", on, f"seed{seed}"))))
    check_writable(folder)
    budget = Budget(examples, variant_examples, seed, on)
    with Progress(
        TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(),
        console=Console(stderr=True),
    ) as progress:  # fmt: skip
        task = progress.add_task("certify", total=len(defects) + len(variants))

        def advance(name: str) -> None:
            progress.update(task, advance=1, description=name)

        certificate = run_certification(defects, variants, budget, workers=workers, progress=advance)
    written = write(certificate, folder)
    if as_json:
        say_json("certify", {"holds": certificate.holds, **plain(certificate), "certificate": written[0]})
    else:
        _show(certificate, written)
    raise typer.Exit(0 if certificate.holds else INCOMPLETE)


def _show(certificate: Certificate, written: Sequence[Path]) -> None:
    say(tables(certificate, "text"))
    if not any(path.suffix == ".svg" for path in written):
        say("no plot: install the extra, pip install convcheck[plot]")
    say(f"certificate: {written[0]}")


def select(only: tuple[str, ...]) -> tuple[tuple[Defect, ...], tuple[Variant, ...]]:
    """The defects and variants that the names stand for; all for none.

    Raises:
        UnknownDefectError: a name is that of no category, defect or variant.
    """
    if not only:
        return DEFECTS, VARIANTS
    categories = {str(category) for category in Category}
    named = {item.name for item in VARIANTS}
    singles = [defect(name).name for name in only if name not in categories | named | {"variants"}]
    defects = tuple(item for item in DEFECTS if str(item.category) in only or item.name in singles)
    return defects, tuple(item for item in VARIANTS if "variants" in only or item.name in only)
