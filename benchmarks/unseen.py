"""What the harness, and each baseline, makes of defects that the harness was not built against.

    PYTHONPATH=tests OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 python benchmarks/unseen.py --seed 0

With --set, the same of another set of defects. With --diagnose, what the diagnosis makes of each of them, which the
library cannot name. Baselines hand over NumPy's arrays, so they do not meet functions on torch's tensors.
"""

import argparse

from tabulate import tabulate

from convcheck.evaluation.certificate import CONVCHECK, Certificate, quantile
from convcheck.evaluation.certification import Budget, detect
from convcheck.evaluation.diagnosis import evaluate
from convcheck.plugin.function_backend import FunctionBackend
from unseen_defects import DEFECTS, FIELD, FIELD_LATER, LATER

SETS = {"first": DEFECTS, "later": LATER, "field": FIELD, "field_later": FIELD_LATER}


def certificate(defects, budget):
    """Every defect by every method that can call it."""
    detections = [
        found
        for defect in defects
        for found in detect(defect, budget)
        if found.method == CONVCHECK or not isinstance(defect.backend(), FunctionBackend)
    ]
    return Certificate(budget.examples, 0, budget.seed, tuple(detections), ())


def detected(certificate):
    """Table of when each defect was detected by the harness, and of which baselines did."""
    rows = []
    for found in certificate.by(CONVCHECK):
        others = [d.method for d in certificate.detections if d.defect == found.defect and d.detected_at is not None]
        others = "; ".join(m for m in others if m != CONVCHECK)
        rows.append([found.category, found.defect, found.detected_at or "missed", found.oracle, found.token, others])
    return tabulate(rows, headers=["category", "defect", "case", "oracle", "token", "baselines that detect it"])


def summary(certificate):
    """Table of how many each method detected."""
    rows = []
    for method in certificate.methods:
        found = certificate.by(method)
        count = sum(d.detected_at is not None for d in found)
        rows.append([method, f"{count}/{len(found)}", *(quantile(found, share) or "never" for share in (0.5, 0.9))])
    return tabulate(rows, headers=["method", "detected", "cases: median", "90th percentile"])


def diagnosed(defects, examples, seed):
    """Table of what was claimed about each defect; no name is right."""
    rows = []
    for defect in defects:
        _, found = evaluate(defect, examples=examples, seed=seed)
        name = f"{found.named or 'none'}{'' if found.right_name or not found.findings else ', WRONG'}"
        rows.append(
            [defect.name, found.failures, found.findings, name, found.precision, found.recall, found.rule or "always"]
        )
    headers = ["defect", "failures", "findings", "named", "precision", "recall", "rule"]
    return tabulate(rows, headers=headers, floatfmt=".2f")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--set", choices=SETS, default="first")
    parser.add_argument("--examples", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--diagnose", action="store_true")
    options = parser.parse_args()
    defects = SETS[options.set]
    if options.diagnose:
        print(diagnosed(defects, options.examples, options.seed))
        return
    found = certificate(defects, Budget(examples=options.examples, seed=options.seed))
    print(detected(found), summary(found), sep="\n\n")
    print(f"\n{options.examples} cases, seed {options.seed}")


if __name__ == "__main__":
    main()
