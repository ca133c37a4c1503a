import json

import pytest

from convcheck.defects import Category, Defect, defect
from convcheck.evaluation import CONVCHECK, Budget, Variant, certify
from convcheck.evaluation.certificate import Detection, quantile
from convcheck.evaluation.variants import variant
from convcheck.model.rules import Rule
from convcheck.plugin.reference_backend import ReferenceBackend

BUDGET = Budget(examples=40, variant_examples=10)


def test_a_certificate_is_deterministic_and_names_what_spoke():
    chosen = [defect(name) for name in ("stride-exchanged", "negatives-cut", "grad-weight-mean")]
    first, second = (certify(chosen, [variant("im2col-gemm")], BUDGET) for _ in range(2))
    assert first == second
    assert first.holds
    ours = {d.defect: d for d in first.by(CONVCHECK)}
    assert all(d.detected_at and d.oracle and d.clause and d.token for d in ours.values())
    assert ours["grad-weight-mean"].oracle.startswith("gradients")
    kinds = [json.loads(line)["kind"] for line in first.json_lines().splitlines()]
    assert kinds[0] == "certificate"
    assert kinds.count("variant") == 1


def test_workers_give_the_same_certificate():
    chosen = [defect(name) for name in ("stride-exchanged", "negatives-cut")]
    assert certify(chosen, [], BUDGET, workers=2) == certify(chosen, [], BUDGET)


def test_a_wrong_variant_is_a_false_alarm():
    wrong = Variant("wrong", "a stride exchanged", defect("stride-exchanged").backend)
    certificate = certify([], [wrong], BUDGET)
    assert certificate.false_alarms > 0
    assert not certificate.holds
    assert certificate.false_alarm_checks[0].token


def test_a_right_defect_is_missed():
    right = Defect("right", Category.BIAS, "the reference", Rule(""), ReferenceBackend)
    certificate = certify([right], [], Budget(examples=5, variant_examples=5))
    assert [d.defect for d in certificate.missed] == ["right"]
    assert not certificate.holds


def test_a_fatal_defect_is_judged_in_a_process_of_its_own():
    (found, *_) = certify([defect("dies-on-empty-batch")], [], BUDGET).detections
    assert found.oracle == "parity"


def test_nothing_certifies_nothing():
    assert not certify([], [], BUDGET).holds


@pytest.mark.parametrize(("share", "expected"), [(0.5, 3), (0.75, 9), (0.9, None)])
def test_a_missed_defect_counts_as_never(share, expected):
    rows = [Detection(str(n), Category.BIAS, CONVCHECK, at) for n, at in enumerate((1, 3, 9, None))]
    assert quantile(rows, share) == expected
