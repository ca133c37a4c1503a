from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
import xmlschema

from convcheck.model.levels import Level
from convcheck.model.verdicts import Status
from convcheck.report.failure_text import failure_text
from convcheck.report.junit import junit
from convcheck.report.replaying import replay_command
from convcheck_reference.clauses import CLAUSES
from full_record import ABSENT, COMPLETE, FINDINGS, RIGHT, SHOWN, WRONG


@pytest.fixture(scope="module")
def schema():
    return xmlschema.XMLSchema(Path(__file__).parent / "junit.xsd")


@pytest.fixture(scope="module")
def suites(record):
    return {suite.get("name"): suite for suite in ET.fromstring(junit(record))}


def outcome(suite, clause):
    """Tag, type, message and text of what became of a clause; None for a pass."""
    (case,) = [case for case in suite.findall("testcase") if case.get("name").split()[0] == clause]
    return next(((node.tag, node.get("type"), node.get("message"), node.text) for node in case), None)


def test_the_file_is_what_ci_services_read(record, schema):
    schema.validate(junit(record))
    with pytest.raises(xmlschema.XMLSchemaValidationError):
        schema.validate(junit(record).replace(" errors=", " mistakes="))


def test_every_backend_is_a_suite_with_every_clause(suites, record):
    assert list(suites) == [WRONG, RIGHT, ABSENT]
    for name, suite in suites.items():
        assert suite.get("timestamp") == record.started
        assert [case.get("name") for case in suite.findall("testcase")] == [f"{c.id} {c.title}" for c in CLAUSES]
        assert {case.get("classname") for case in suite.findall("testcase")} == {name}


@pytest.mark.parametrize(("backend", "failures", "passed"), [(WRONG, 7, 0), (RIGHT, 0, 2), (ABSENT, 0, 0)])
def test_the_counts_of_a_suite_are_those_of_its_cases(suites, backend, failures, passed):
    suite = suites[backend]
    assert len(suite.findall("testcase/failure")) == failures
    assert sum(len(case) == 0 for case in suite.findall("testcase")) == passed
    counts = {name: int(suite.get(name)) for name in ("tests", "failures", "errors", "skipped")}
    skipped = len(CLAUSES) - failures - passed
    assert counts == {"tests": len(CLAUSES), "failures": failures, "errors": 0, "skipped": skipped}
    assert len(suite.findall("testcase/skipped")) == skipped


def test_a_run_and_its_backends_have_times(record):
    root = ET.fromstring(junit(record))
    assert [float(element.get("time")) for element in (root, root[0])] == [12.345, 1.5]


def test_every_open_finding_fails_its_clause_with_status_reason_and_what_is_known(suites):
    for finding in FINDINGS[2:7] + FINDINGS[8:]:
        expected = ("failure", str(finding.status), finding.verdict.reason, failure_text(finding))
        assert outcome(suites[WRONG], finding.clause) == expected


def test_a_clause_with_several_findings_has_them_all(suites):
    tag, status, message, text = outcome(suites[WRONG], "C2D-SHAPE-1")
    assert (tag, status, message) == ("failure", "fail", SHOWN.replace(" second", "\nsecond"))
    assert SHOWN in text
    assert "  rule: fails iff groups > 1 and bias" in text
    assert "the last column is 0" in text
    assert [replay_command(finding) in text for finding in FINDINGS[:2]] == [True, True]


def test_a_failure_without_a_finding_has_its_counts(record):
    suite = ET.fromstring(junit(replace(record, findings=())))[0]
    assert outcome(suite, "C2D-SHAPE-1") == ("failure", "fail", "4 of 11 cases", None)


@pytest.mark.parametrize(
    ("clause", "words"),
    [
        ("C2D-SHAPE-3", "known failure"),
        ("C2D-SHAPE-4", "vacuous"),
        ("C2D-SHAPE-5", "not applicable"),
        ("C2D-PAD-1", "not judged"),
    ],
)
def test_what_was_not_judged_is_skipped_with_its_status(suites, clause, words):
    assert outcome(suites[WRONG], clause) == ("skipped", None, words, None)


def test_an_unavailable_backend_is_skipped_with_its_reason(suites):
    messages = {skipped.get("message") for skipped in suites[ABSENT].iter("skipped")}
    assert messages == {"unavailable: no such device: " + SHOWN.replace(" second", "\nsecond")}


def test_a_suite_says_how_its_backend_stands_at_each_level(suites):
    for name, standing in (
        (WRONG, ["fail", "fail", "known failure", "fail", "fail"]),
        (RIGHT, ["pass", "not looked at", "pass", "not looked at", "not looked at"]),
    ):
        found = [(p.get("name"), p.get("value")) for p in suites[name].iter("property")]
        assert found == [(f"level {level.label}", said) for level, said in zip(Level, standing, strict=True)]


def test_a_test_case_has_its_level(suites):
    groups = {case.get("name").split()[0]: case.get("group") for case in suites[WRONG].findall("testcase")}
    # of its findings, or else of the clause
    assert groups["C2D-ERROR-2"] == "computes"
    assert groups["C2D-PURE-1"] == "state"
    assert groups["C2D-ARITH-2"] == "precision"
    assert groups["C2D-SHAPE-1"] == "computes"


def test_what_is_wrong_beyond_the_level_is_skipped_with_its_reason(record, schema):
    written = junit(replace(record, level=Level.COMPUTES))
    schema.validate(written)
    suite = ET.fromstring(written)[0]
    assert suite.get("failures") == "3"
    assert outcome(suite, "C2D-SHAPE-1")[0] == "failure"
    assert outcome(suite, "C2D-ERROR-1") == ("skipped", None, "beyond level computes: groups=0 was accepted", None)


def test_every_status_but_pass_is_visible(suites):
    nodes = [node for suite in suites.values() for node in suite.iter()]
    said = {node.get("type") or (node.get("message") or "").split(":")[0] for node in nodes}
    assert said >= set(map(str, Status)) - {"pass", str(Status.ELSEWHERE)}


@pytest.mark.parametrize("character", ["\0", "\x08", "\x1b", "\x1f", "\ufffe", "\uffff", "\ud800"])
def test_characters_that_xml_cannot_hold_are_replaced_everywhere(record, schema, character):
    text = f"before{character}after"
    finding = replace(COMPLETE, backend=text, verdict=replace(COMPLETE.verdict, reason=text))
    written = junit(replace(record, backends=(replace(record.backends[0], name=text),), findings=(finding,)))
    assert character not in written
    schema.validate(written)
    (suite,) = ET.fromstring(written)
    assert suite.get("name") == "before�after"
    assert outcome(suite, "C2D-SHAPE-1")[2] == "before�after"


def test_other_characters_are_kept(record):
    text = 'tab\tline\n <&> "\'" ]]> é × 漢字 😀'
    suite = ET.fromstring(junit(replace(record, backends=(replace(record.backends[0], unavailable=text),))))[0]
    assert outcome(suite, "C2D-PAD-1")[2] == f"unavailable: {text}"
