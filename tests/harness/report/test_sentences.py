import pytest

from convcheck.report.discrepancies import replay_command
from convcheck.report.sentences import finding_sentence
from full_record import FINDINGS, SHOWN, TOKEN


@pytest.mark.parametrize("finding", FINDINGS, ids=range(len(FINDINGS)))
def test_a_finding_is_one_line_that_begins_with_its_level(finding):
    said = finding_sentence(finding)
    assert "\n" not in said
    assert said.startswith(f"{finding.level.label}: {finding.verdict.quantity} {finding.status}: ")
    assert said.endswith(f"; repeat it with: {replay_command(finding)}") == bool(finding.reproduction.token)


def test_what_is_wrong_where_when_and_how_to_repeat_it():
    said = finding_sentence(FINDINGS[0])
    parts = [SHOWN, "expected", "fails iff groups > 1 and bias", "repeat it with: convcheck replay", TOKEN]
    assert [part in said for part in parts] == [True] * len(parts)
    assert sorted(map(said.index, parts)) == list(map(said.index, parts))
