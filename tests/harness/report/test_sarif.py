"""The parts of SARIF 2.1.0 (OASIS, 27 March 2020) that are written, field by field, with what the standard allows."""

import json
from typing import Annotated, Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from convcheck.model.verdicts import Status
from convcheck.report.sarif import sarif
from full_record import FINDINGS, WRONG


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class Message(Strict):
    text: Annotated[str, Field(min_length=1)]


class Rule(Strict):  # 3.49
    id: str
    shortDescription: Message
    fullDescription: Message
    properties: dict


class Driver(Strict):  # 3.19
    name: str
    version: str
    rules: list[Rule]


class Tool(Strict):  # 3.18
    driver: Driver


class Invocation(Strict):  # 3.20; 3.9: UTC, with a Z
    commandLine: str
    startTimeUtc: Annotated[str, Field(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$")]
    executionSuccessful: bool


class Artifact(Strict):  # 3.4
    uri: Annotated[str, Field(pattern=r"^[^\s\\]+$")]
    uriBaseId: str | None = None


class Region(Strict):  # 3.30
    startLine: Annotated[int, Field(ge=1)]


class Physical(Strict):  # 3.29
    artifactLocation: Artifact
    region: Region


class Logical(Strict):  # 3.33.7
    fullyQualifiedName: str
    kind: Literal["function", "member", "module", "namespace", "parameter", "resource", "returnType", "type"]


class Location(Strict):  # 3.28
    logicalLocations: list[Logical]
    physicalLocation: Physical | None = None


class Suppression(Strict):  # 3.35
    kind: Literal["inSource", "external"]
    justification: str


class Result(Strict):  # 3.27
    ruleId: str
    ruleIndex: Annotated[int, Field(ge=0)]
    level: Literal["none", "note", "warning", "error"]
    message: Message
    locations: list[Location]
    partialFingerprints: dict[str, str]
    properties: dict
    suppressions: list[Suppression] | None = None


class Run(Strict):  # 3.14
    tool: Tool
    invocations: list[Invocation]
    results: list[Result]
    columnKind: Literal["utf16CodeUnits", "unicodeCodePoints"]


class Log(Strict):  # 3.13
    schema_: Annotated[str, Field(alias="$schema")]
    version: Literal["2.1.0"]
    runs: list[Run]


@pytest.fixture(scope="module")
def log(record):
    return Log.model_validate_json(sarif(record))


def test_a_file_that_is_none_would_be_noticed(record):
    document = json.loads(sarif(record))
    document["runs"][0]["results"][0]["level"] = "fatal"
    with pytest.raises(ValidationError, match="level"):
        Log.model_validate_json(json.dumps(document))


def test_every_finding_is_a_result_of_the_rule_of_its_clause(log):
    (run,) = log.runs
    assert [result.ruleId for result in run.results] == [finding.clause for finding in FINDINGS]
    for result in run.results:
        assert run.tool.driver.rules[result.ruleIndex].id == result.ruleId


def test_what_counts_is_an_error_and_what_is_known_is_suppressed(log, record):
    for finding, result in zip(record.findings, log.runs[0].results, strict=True):
        assert result.level == ("error" if finding in record.decisive_findings else "note")
        assert bool(result.suppressions) == (finding.status is Status.KNOWN_FAILURE)


def test_a_result_lies_where_the_backend_is_defined(log, record, tmp_path, monkeypatch):
    kernel = tmp_path / "my kernel.py"
    kernel.write_text("import math\n\n\ndef conv(x):\n    pass\n")
    monkeypatch.chdir(tmp_path)
    backends = [b.__class__(**{**vars(b), "spec": "my kernel.py:conv"}) for b in record.backends]
    moved = record.__class__(**{**vars(record), "backends": tuple(backends)})
    where = Log.model_validate_json(sarif(moved)).runs[0].results[0].locations[0]
    assert (where.physicalLocation.artifactLocation.uri, where.physicalLocation.region.startLine) == (
        "my%20kernel.py",
        4,
    )
    assert where.logicalLocations[0].fullyQualifiedName == WRONG


def test_a_finding_has_the_same_fingerprint_in_another_run(log, record):
    later = [f.__class__(**{**vars(f), "failing_cases": 99}) for f in record.findings]
    again = Log.model_validate_json(sarif(record.__class__(**{**vars(record), "findings": tuple(later)})))
    prints = [[result.partialFingerprints for result in each.runs[0].results] for each in (log, again)]
    assert prints[0] == prints[1]
