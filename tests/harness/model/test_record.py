from dataclasses import replace

import pytest

from convcheck import Status
from convcheck.campaign.campaign import Options, run
from convcheck.model.coverage import Coverage
from convcheck.model.levels import Level, LevelCount
from convcheck.model.record import BackendRecord, Count, Finding, Record
from convcheck.model.record_lines import RecordError, from_lines, to_lines
from convcheck.model.record_merging import merged
from stand_ins import verdict


@pytest.fixture(scope="module")
def record():
    options = Options(specs=("numpy",), examples=30, in_process=True)
    return run(options, name="run", command="test")


def test_lines_give_the_record_back(record):
    assert from_lines(to_lines(record)) == record


def test_parts_add_up(record):
    both = merged([record, record], name="both", command="test")
    assert both.cases == 2 * record.cases
    assert both.judged("numpy") == 2 * record.judged("numpy")
    assert len(both.backends) == 1


@pytest.mark.parametrize("line", ["", "{}", "[]", '{"kind": "campaign", "schema": 99}', '{"kind": "count"}'])
def test_other_files_are_refused(line):
    with pytest.raises(RecordError):
        from_lines([line])


def made(name="run", **others):
    given = {
        "command": "test", "seed": 0, "examples": 9, "cases": 9, "started": "2026-01-02", "seconds": 1.0,
        "interrupted": False, "version": "1", "environment": {},
        "backends": (BackendRecord(name="mine", spec="mine", cases=9, margins={"float32 output": 0.5}, seconds={"triage": 1.0}),),
        "counts": (counted(Status.PASS, 8), counted(Status.VACUOUS, 1)),
        "levels": (passed(8),), "coverage": (Coverage(parameter="dtype", value="float32", cases=9),), "findings": (),
    }  # fmt: skip
    return Record(name=name, **{**given, **others})


def passed(cases, backend="mine", level=Level.COMPUTES):
    return LevelCount(backend=backend, level=level, passed=cases)


def counted(status, cases, backend="mine", clause="C2D-BIAS-1"):
    return Count(backend=backend, clause=clause, status=status, reason="", cases=cases)


def finding(status=Status.FAIL, level=Level.COMPUTES):
    return Finding(backend="mine", clause="C2D-BIAS-1", level=level, verdict=verdict(status=status))


ABSENT = BackendRecord(name="absent", spec="absent", unavailable="no device")


def test_only_verdicts_that_could_tell_are_judged():
    record = made(counts=(*(counted(status, 1) for status in Status), counted(Status.PASS, 5, "other")))
    # a pass, six kinds of failure, and a failure that another clause explains
    assert record.judged("mine") == 8
    assert record.judged("other") == 5
    assert record.judged("absent") == 0


@pytest.mark.parametrize(
    ("changed", "conforms"),
    [
        ({}, True),
        ({"findings": (finding(),)}, False),
        ({"findings": (finding(Status.KNOWN_FAILURE),)}, True),
        ({"findings": (finding(Status.UNEXPECTED_PASS),)}, False),
        ({"interrupted": True}, False),
        ({"counts": (counted(Status.VACUOUS, 9), counted(Status.NOT_APPLICABLE, 9))}, False),
        ({"counts": (counted(Status.PASS, 9, "other"),)}, False),
        ({"level": Level.PRECISION, "findings": (finding(level=Level.PRECISION),)}, False),
        ({"level": Level.PRECISION, "findings": (finding(level=Level.REFUSES),)}, True),
        ({"level": Level.PRECISION, "counts": (counted(Status.PASS, 9, clause="C2D-ERROR-1"),)}, False),
        ({"backends": (ABSENT,)}, False),
        ({"backends": ()}, False),
    ],
    ids=[
        "clean",
        "finding",
        "known",
        "unexpected pass",
        "interrupted",
        "vacuous",
        "another's",
        "level asked for",
        "level beyond",
        "judged beyond only",
        "absent",
        "nothing",
    ],
)
def test_conforming_takes_a_whole_run_that_could_tell_and_no_open_finding(changed, conforms):
    assert made(**changed).conforms is conforms


def test_a_backend_that_is_absent_does_not_stand_in_the_way_of_another():
    record = made()
    assert replace(record, backends=(*record.backends, ABSENT)).conforms


def test_findings_that_an_entry_covers_are_not_open():
    known, unexpected, new = (finding(s) for s in (Status.KNOWN_FAILURE, Status.UNEXPECTED_PASS, Status.FAIL))
    assert made(findings=(known, unexpected, new)).open_findings == (unexpected, new)


def test_parts_are_put_together_in_any_order():
    other = BackendRecord(
        name="mine", spec="mine", cases=2, margins={"float32 output": 0.1, "float64 output": 0.2}, seconds={"triage": 2.0}
    )  # fmt: skip
    first = made("a", findings=(finding(),))
    second = made(
        "b", cases=2, started="2026-01-01", interrupted=True, backends=(other, ABSENT), counts=(counted(Status.PASS, 2),),
        levels=(passed(2), passed(1, level=Level.STATE)),
    )  # fmt: skip
    both = merged([first, second], name="both", command="again")
    assert merged([second, first], name="both", command="again") == both
    assert (both.name, both.command, both.cases, both.seconds) == ("both", "again", 11, 2.0)
    assert (both.started, both.interrupted, both.findings) == ("2026-01-01", True, first.findings)
    mine, absent = both.backends
    assert (mine.cases, absent) == (11, ABSENT)
    assert mine.margins == {"float32 output": 0.5, "float64 output": 0.2}
    assert mine.seconds == {"triage": 3.0}
    assert both.levels == (passed(10), passed(1, level=Level.STATE))
    assert set(both.counts) == {counted(Status.PASS, 10), counted(Status.VACUOUS, 1)}
    assert both.coverage == (Coverage(parameter="dtype", value="float32", cases=18),)


def test_parts_of_other_dtypes_keep_what_is_known_of_each():
    parts = [
        made(
            name,
            backends=(BackendRecord(name="mine", spec="mine", cases=1, profiles={key: None}, behaviour={key: "x"}),),
        )
        for name, key in (("a", "float32 output"), ("b", "float64 output"))
    ]
    (mine,) = merged(parts, name="both", command="test").backends
    assert set(mine.profiles) == set(mine.behaviour) == {"float32 output", "float64 output"}
