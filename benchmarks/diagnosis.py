"""How often the diagnosis is right: defects of the library as candidates, with their own entry and without.

A defect is detected if a campaign finds it. Its name is right if the first known defect named is the defect itself, or
one that no fresh case tells from it. With its entry withheld a name is wrong unless fresh cases agree, and
the rule has to have precision and recall of 0.9 on fresh cases. Rules speak of legal cases only. A rule that is said
to hold exactly where the failure is ("iff") says so falsely if one of 200 further cases drawn to break it does.

    OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 python benchmarks/diagnosis.py --workers 4 [part of a name…]
"""

import argparse
from collections.abc import Sequence
from functools import partial

from tabulate import tabulate

from convcheck.defects import DEFECTS
from convcheck.evaluation.certification import in_order
from convcheck.evaluation.diagnosis import Evaluation, evaluate
from convcheck.judging.blocks import BLOCK
from convcheck.triage.findings import HARMLESS

HEADERS = (
    "category", "detected", "known: name right", "known: rule right", "known: one finding",
    "withheld: no wrong name", "withheld: rule right", "withheld: one finding", "claims 'iff'", "falsely",
)  # fmt: skip

Pair = tuple[Evaluation, Evaluation]


def line(found: Evaluation) -> str:
    """One evaluation."""
    return (
        f"{found.defect:32} {'withheld' if found.withheld else 'known   '} failures {found.failures:4} "
        f"findings {found.findings} name {'right' if found.right_name else 'WRONG'} ({found.named or 'none'}) "
        f"precision {found.precision:.2f} recall {found.recall:.2f} iff {found.sure} FALSE {found.falsely_sure}: "
        f"{found.rule or '-'}"
    )


def row(label: str, pairs: Sequence[Pair]) -> tuple[str, ...]:
    """Counts over some defects, of those that were detected."""
    detected = [pair for pair in pairs if pair[0].findings]
    counts = [share([pair[0].findings > 0 for pair in pairs])]
    for at in (0, 1):
        found = [pair[at] for pair in detected]
        counts += [
            share([e.right_name for e in found]),
            share([e.right_rule for e in found if e.legal]),
            share([e.one_finding for e in found]),
        ]
    claims = [sum(one.sure for pair in pairs for one in pair), sum(one.falsely_sure for pair in pairs for one in pair)]
    return (label, *counts, *map(str, claims))


def share(flags: Sequence[bool]) -> str:
    """How many of them hold."""
    return f"{sum(flags)}/{len(flags)}"


def table(pairs: Sequence[Pair]) -> str:
    """By category, and in all."""
    by_category: dict[str, list[Pair]] = {}
    for pair in pairs:
        by_category.setdefault(pair[0].category, []).append(pair)
    rows = [row(name, some) for name, some in by_category.items()]
    return tabulate([*rows, row("all", pairs)], headers=HEADERS, disable_numparse=True)


def main() -> None:
    """Print two lines for each defect as they come, and the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("words", nargs="*", help="only defects whose name contains one of these")
    parser.add_argument("--category", help="only defects of this category")
    parser.add_argument("--every", type=int, default=1, help="only each n-th defect")
    parser.add_argument("--workers", type=int, default=1, help="processes")
    parser.add_argument("--examples", type=int, default=BLOCK, help="cases of each campaign, a block at most")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    chosen = [
        defect
        for defect in HARMLESS
        if options.category in (None, defect.category)
        and (not options.words or any(word in defect.name for word in options.words))
    ][:: options.every]
    pairs = []
    one = partial(evaluate, examples=options.examples, seed=options.seed)
    for pair in in_order(one, chosen, options.workers):
        pairs.append(pair)
        print(*map(line, pair), sep="\n", flush=True)
    print(table(pairs))
    print(f"{len(DEFECTS) - len(HARMLESS)} defects end or block their process, so they are not run here.")


if __name__ == "__main__":
    main()
