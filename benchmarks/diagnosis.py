"""How often the diagnosis is right: every defect of the library, with and without its own entry.

python benchmarks/diagnosis.py [every] [name…]: each `every`-th defect, or those whose name contains a word.
"""

import sys

from convcheck.diagnosis.evaluation import Evaluation, evaluate
from convcheck.findings.collect import HARMLESS


def main(arguments: list[str]) -> None:
    """Print one line for each defect and a summary."""
    every = int(arguments[0]) if arguments else 1
    words = arguments[1:]
    chosen = [d for d in HARMLESS if any(w in d.name for w in words)] if words else list(HARMLESS)[::every]
    done: list[Evaluation] = []
    for defect in chosen:
        for withheld in (False, True):
            found = evaluate(defect, withheld=withheld)
            done.append(found)
            print(
                f"{found.defect:32} {'withheld' if withheld else 'known   '} failures {found.failures:4} "
                f"findings {found.findings} name {'right' if found.right_name else 'WRONG'} ({found.named or 'none'}) "
                f"precision {found.precision:.2f} recall {found.recall:.2f}: {found.rule or 'always'}",
                flush=True,
            )
    for withheld in (False, True):
        detected = [e for e in done if e.withheld is withheld and e.findings]
        names, rules = (sum(flags) for flags in ([e.right_name for e in detected], [e.right_rule for e in detected]))
        single = sum(e.findings == 1 for e in detected)
        print(
            f"{'withheld' if withheld else 'known'}: {len(detected)} detected, name right {names}, "
            f"trigger right {rules}, one finding {single}"
        )


if __name__ == "__main__":
    main(sys.argv[1:])
