"""One record with every status, every kind of finding and awkward texts in it, built by hand."""

import math
from dataclasses import replace
from pathlib import Path

import numpy as np

from convcheck.model.coverage import Coverage
from convcheck.model.diagnosis import (
    Diagnosis,
    ExplainingPromise,
    FailureCondition,
    HeatMap,
    KnownDefectMatch,
    Localization,
)
from convcheck.model.guarantees import Guarantee
from convcheck.model.levels import Level, LevelCount
from convcheck.model.profiles import Algorithm, Profile
from convcheck.model.reach import ReachCount
from convcheck.model.record import NOT_LOOKED_AT, BackendRecord, Count, Finding, Record
from convcheck.model.reproduction import PackedArray, PackedTensor, Reproduction, StandaloneCall
from convcheck.model.rules import Rule
from convcheck.model.verdicts import FAILURES, Evidence, Status, Verdict
from convcheck_reference.formats import Format

WRONG = 'C:\\new\\my "kernel" | it\'s.py:conv'
RIGHT = "numpy"
ABSENT = "absent-device"
AWKWARD = 'a|b <script>alert("x")</script> """ back\\slash\nsecond line \0 \x1b[31m \ufffe 12e5 é×'
SHOWN = 'a|b <script>alert("x")</script> """ back\\slash second line � �[31m � 12e5 é×'
"""`AWKWARD` as a cell shows it."""

OWN_PROFILE = Profile(
    name="house-mix",
    accumulator=Format("fp24", 16, -62, 63),
    input_rounding=2.0**-12,
    input_precision=13,
    truncating=True,
    flushes_subnormals=True,
    rounds_before_bias=True,
    spreads_nan=True,
    repeatable=False,
    algorithm=Algorithm.FFT,
)
TOKEN = "v1,x=1x1x2x2,out=1,k=1"

ONES = np.ones((1, 1, 2, 2), np.float32)
CALL = StandaloneCall(
    backward=False,
    tensors={
        "x": PackedTensor(PackedArray.of(ONES), "channels_last"),
        "weight": PackedTensor(PackedArray.of(ONES[..., :1, :1]), "contiguous"),
        "bias": PackedTensor(PackedArray.of(np.float32([0.5])), "contiguous"),
    },
    expected=PackedArray.of(np.full((1, 1, 2, 2), 1.5)),
    tolerance=PackedArray.of(np.array([[[[0.0, 0.0], [0.0, math.inf]]]])),
)

COUNTS = (
    (WRONG, "C2D-SHAPE-1", Status.PASS, "", 7),
    (WRONG, "C2D-SHAPE-1", Status.FAIL, AWKWARD, 3),
    (WRONG, "C2D-SHAPE-1", Status.FAIL, "the last column is 0", 1),
    (WRONG, "C2D-SHAPE-2", Status.PASS, "", 5),
    (WRONG, "C2D-SHAPE-2", Status.UNEXPECTED_PASS, "issue 7", 1),
    (WRONG, "C2D-SHAPE-3", Status.PASS, "", 2),
    (WRONG, "C2D-SHAPE-3", Status.KNOWN_FAILURE, "issue 8", 6),
    (WRONG, "C2D-SHAPE-4", Status.VACUOUS, "every element is 0", 4),
    (WRONG, "C2D-SHAPE-5", Status.NOT_APPLICABLE, "12e5", 9),
    (WRONG, "C2D-SHAPE-5", Status.NOT_APPLICABLE, "no gradients", 1),
    (WRONG, "C2D-PURE-3", Status.CRASHED, "no fresh process would start", 1),
    (WRONG, "C2D-PURE-1", Status.HUNG, "no result within 60 s", 2),
    (WRONG, "C2D-ERROR-1", Status.WRONGLY_ACCEPTED, "groups=0 was accepted", 2),
    (WRONG, "C2D-ERROR-2", Status.WRONGLY_REFUSED, "a legal layer was refused", 2),
    (WRONG, "C2D-PURE-2", Status.UNWRITTEN, "output holds what was in memory before the call", 2),
    (RIGHT, "C2D-SHAPE-1", Status.PASS, "", 20),
    (RIGHT, "C2D-SHAPE-4", Status.PASS, "", 1),
    (ABSENT, "", Status.UNAVAILABLE, f"no such device: {AWKWARD}", 0),
)


FIGURES = " (precision 1.00, recall 1.00 on 120 cases drawn to break the rule)"
"""What a report says of the condition of the complete finding besides its rule."""

LEVELS = {
    "C2D-SHAPE-1": Level.COMPUTES,
    "C2D-SHAPE-2": Level.STATE,
    "C2D-SHAPE-3": Level.PRECISION,
    "C2D-PURE-1": Level.STATE,
    "C2D-PURE-2": Level.IEEE,
    "C2D-PURE-3": Level.COMPUTES,
    "C2D-ERROR-1": Level.REFUSES,
    "C2D-ERROR-2": Level.COMPUTES,
}
"""Of the findings that break a clause."""

LEVEL_COUNTS = (
    (WRONG, Level.COMPUTES, "", 14, 7),
    (WRONG, Level.IEEE, "", 3, 2),
    (WRONG, Level.REFUSES, "C2D-ERROR-1", 0, 2),
    (WRONG, Level.REFUSES, "C2D-ERROR-10", 4, 0),
    (WRONG, Level.STATE, "", 0, 2),
    (RIGHT, Level.COMPUTES, "", 20, 0),
    (RIGHT, Level.PRECISION, "", 1, 0),
)


def _finding(clause, status, reason, quantity="output", **fields):
    verdict = Verdict("exact", quantity, status, (clause,), reason)
    return Finding(
        backend=WRONG,
        clause=clause,
        level=LEVELS[clause],
        verdict=verdict,
        reproduction=Reproduction(token=TOKEN),
        dtypes=("float32",),
        **fields,
    )


COMPLETE = Finding(
    backend=WRONG,
    clause="C2D-SHAPE-1",
    level=Level.COMPUTES,
    verdict=Verdict(
        "bounded",
        "output",
        Status.FAIL,
        ("C2D-SHAPE-1", "C2D-PAD-1"),
        AWKWARD,
        math.inf,
        Evidence((0, 0, 1, 1), "1.5 ± 0.25", "-0.0", 1, 4, "the last column"),
    ),
    reproduction=Reproduction(
        token=TOKEN,
        first_failing_case="v1,x=2x1x9x9,out=1,k=3,p=same",
        setup_cases=("v1,x=1x1x3x3,out=1,k=1", "v1,x=1x1x4x4,out=1,k=1,mode=it's"),
        reproduced=2,
        attempts=3,
        state_dependent=True,
        standalone=True,
        call=CALL,
    ),
    diagnosis=Diagnosis(
        failure_condition=FailureCondition(Rule("groups > 1 and bias"), 1.0, 1.0, 120),
        known_defects=(
            KnownDefectMatch("bias-lost", "no bias where there are groups", 12, 20),
            KnownDefectMatch("bias-zero", "a bias of zeros", 5, 20),
        ),
        localization=Localization(
            "v1,x=1x1x9x9,out=1,k=1",
            "the last column",
            (
                HeatMap("rows 0–1", "columns 0–2", ((0.0, 0.01, 1.0), (0.0, 0.99, 1.0))),
                HeatMap('image "0"', "channels 0–1", ((0.5, 0.25),)),
            ),
        ),
        cross_check="torch agrees with the reference",
        promise=ExplainingPromise("subnormals flushed", 'profiles={\n    "float32": Profile(),\n}', 12, 40),
        free=("dilation", "stride_w", "batch"),
    ),
    failing_cases=3,
    dtypes=("float32", "float64"),
    also_affects=("grad_input", "grad_bias"),
)

FINDINGS = (
    COMPLETE,
    _finding(
        "C2D-SHAPE-1",
        Status.FAIL,
        "the last column is 0",
        "grad_weight",
        diagnosis=Diagnosis(failure_condition=FailureCondition(Rule("stride_w == 3"), 0.5, 0.75, 8)),
    ),
    Finding(
        backend=WRONG,
        clause="C2D-PURE-3",
        level=Level.COMPUTES,
        verdict=Verdict("campaign", "call", Status.CRASHED, ("C2D-PURE-3",), "no fresh process would start"),
    ),
    _finding("C2D-PURE-1", Status.HUNG, "no result within 60 s", "call", failing_cases=2),
    _finding("C2D-ERROR-1", Status.WRONGLY_ACCEPTED, "groups=0 was accepted", "call", failing_cases=2),
    _finding("C2D-ERROR-2", Status.WRONGLY_REFUSED, "a legal layer was refused", "call", failing_cases=2),
    _finding(
        "C2D-PURE-2",
        Status.UNWRITTEN,
        "output holds what was in memory before the call",
        failing_cases=2,
    ),
    _finding("C2D-SHAPE-3", Status.KNOWN_FAILURE, "padding is lost", failing_cases=6, known="issue 8"),
    _finding("C2D-SHAPE-2", Status.UNEXPECTED_PASS, "the known failure is gone", known="issue 7"),
)

RECORD = Record(
    name="nightly",
    command="convcheck run --backend 'a | b' --seed 3",
    seed=3,
    examples=None,
    cases=61,
    started="2026-02-03T04:05:06+00:00",
    seconds=12.345,
    interrupted=False,
    version="0.1.0",
    environment={"python": "3.11.7", "numpy": AWKWARD},
    backends=(
        BackendRecord(
            name=WRONG,
            spec=f"{Path(__file__).parent / 'plugins' / 'my_kernel.py'}:my_conv",
            cases=40,
            versions={"engine": "1.2", "threads": "4"},
            guarantees=(
                Guarantee(name="files", what="reads its folder only", holds=True, by="Landlock 7"),
                Guarantee(name="network", what="reaches no other machine", holds=False, by=f"seccomp: {AWKWARD}"),
            ),
            profiles={"float32 output": OWN_PROFILE},
            margins={"float32 output": math.inf, "float64 output": 0.123456},
            behaviour={"float32 output": "fp16-acc, coarser than house-mix"},
            seconds={"candidate": 1.5},
        ),
        BackendRecord(name=RIGHT, spec="numpy", cases=21, margins={"float32 output": 12e5}),
        BackendRecord(name=ABSENT, spec=ABSENT, unavailable=f"no such device: {AWKWARD}"),
    ),
    counts=tuple(
        Count(
            backend=backend,
            clause=clause,
            status=status,
            reason=reason,
            cases=cases,
            level=LEVELS[clause] if status in FAILURES | {Status.KNOWN_FAILURE, Status.UNEXPECTED_PASS} else None,
        )
        for backend, clause, status, reason, cases in COUNTS
    ),
    levels=tuple(
        LevelCount(backend=backend, level=level, error_clause=clause, passed=passed, failed=failed)
        for backend, level, clause, passed, failed in LEVEL_COUNTS
    ),
    reached=(
        ReachCount(backend="torch-cpu", quantity="batch", largest=33, crossed=(1, 2, 9)),
        ReachCount(backend="torch-cpu", quantity="height", largest=1024, crossed=(1, 17)),
        ReachCount(backend="torch-cpu", quantity="multiply-adds", largest=1 << 20, crossed=(5,)),
    ),
    coverage=(
        Coverage(parameter="stride", value="1×1", cases=50),
        *(Coverage(parameter="stride", value=f"1×{n}", cases=30 - n) for n in range(2, 15)),
        Coverage(parameter="dtype", value="float|32", cases=61),
    ),
    findings=FINDINGS,
)

NOT_LOOKED_INTO = replace(
    RECORD,
    counts=(
        *RECORD.counts,
        Count(backend=WRONG, clause="C2D-STRIDE-1", status=Status.PASS, reason="", cases=3),
        Count(
            backend=WRONG,
            clause="C2D-STRIDE-1",
            status=Status.ELSEWHERE,
            reason="counted under C2D-SHAPE-1",
            cases=2,
        ),
        Count(
            backend=WRONG,
            clause="C2D-STRIDE-2",
            status=Status.FAIL,
            reason=NOT_LOOKED_AT,
            cases=1,
            level=Level.COMPUTES,
        ),
    ),
)
"""The same with failing cases that count under another clause, and one whose cause was not looked for."""
