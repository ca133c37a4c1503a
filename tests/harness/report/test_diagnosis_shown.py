import pytest

from convcheck.campaign.campaign import Options, run
from convcheck.model.ladder import Ladder
from convcheck.model.record_lines import from_lines, to_lines
from convcheck.report.discrepancies import details, diagnosis, discrepancies
from convcheck.report.html import html


@pytest.fixture(scope="module")
def record():
    spec = "convcheck.defects:bias-lost-with-groups"
    options = Options(specs=(spec,), examples=40, in_process=True, reach=Ladder.QUICK)
    return run(options, name="run", command="test")


def test_a_diagnosis_survives_the_record(record):
    finding = record.findings[0]
    assert finding.diagnosis.failure_condition is not None
    assert finding.diagnosis.known_defects
    assert finding.diagnosis.localization is not None
    assert from_lines(to_lines(record)) == record


def test_every_report_shows_the_diagnosis(record):
    finding = record.findings[0]
    line = diagnosis(finding)
    assert "bias and groups > 1" in line or "groups > 1 and bias" in line
    assert "behaves like no bias where there are groups" in line
    rows = dict(details(finding))
    assert rows["failure condition"] == str(finding.diagnosis.failure_condition)
    assert rows["known defect"].startswith("behaves like no bias where there are groups (bias-lost-with-groups")
    assert finding.diagnosis.localization.token in rows["localization"]
    assert "▅" in discrepancies(record) or "█" in discrepancies(record)
    assert "<svg" in html(record)
