"""What is gathered of a run does not grow with it, and every failing case is counted."""

from collections import Counter

import pytest

from convcheck.campaign import gathering
from convcheck.campaign.counting import counts
from convcheck.campaign.gathering import Gathered
from convcheck.campaign.known_failures import Known, KnownFailure
from convcheck.campaign.level_counts import level_counts
from convcheck.judging.tally import Tally
from convcheck.model.rules import Rule
from convcheck.model.verdicts import FAILURES, Status
from convcheck.numerics.precision import Ratios
from stand_ins import TOKENS, failure, verdict

KNOWN = KnownFailure(backend="", reason="seen", clause="C2D-BIAS-1", where=Rule("bias"))


def tally(part, *verdicts):
    """Of a part of two cases, of which the second fails."""
    return Tally(cases=2, failures=[failure(TOKENS[0], found, block=part, position=1) for found in verdicts])


def gathered(parts, *verdicts, entries=()):
    found = Gathered("mine", Known(tuple(entries)))
    for part in range(parts):
        found.add(tally(part, *verdicts))
    return found


@pytest.fixture
def few(monkeypatch):
    monkeypatch.setattr(gathering, "MOST_ALIKE", 3)


def numbers(found):
    """Cases by clause and status."""
    totals = Counter()
    for count in counts("mine", found.tally, (), (), found.beyond.rows):
        totals[count.clause, count.status] += count.cases
    return totals


def test_failures_beyond_are_counted_under_their_clauses_and_levels(few):
    wrong = verdict(clauses=("C2D-ARITH-1", "C2D-STRIDE-1"))
    found, all_kept = gathered(50, wrong), Gathered("mine", Known(()))
    for part in range(50):
        all_kept.tally.add(tally(part, wrong))
    assert len(found.tally.failures) == 3
    assert found.tally.cases == 100
    assert found.failing == 50
    assert numbers(found) == numbers(all_kept)
    assert sum(n for (_, status), n in numbers(found).items() if status in FAILURES) == 50
    assert level_counts("mine", (), found.tally, found.beyond.levels) == level_counts("mine", (), all_kept.tally)
    assert found.beyond.origins.total() == 47


def test_another_kind_is_kept_though_many_of_one_came_first(few):
    found = gathered(50, verdict())
    found.add(tally(50, verdict(quantity="grad_bias")))
    assert [f.verdict.quantity for f in found.tally.failures] == ["output"] * 3 + ["grad_bias"]


def test_a_case_is_kept_with_all_its_failures_or_not_at_all(few):
    found = gathered(50, verdict(), verdict(quantity="grad_weight"))
    found.add(tally(50, verdict(), verdict(quantity="grad_bias")))
    assert len(found.tally.failures) == 2 * 3 + 2
    cases = Counter((f.block, f.position) for f in found.tally.failures)
    assert set(cases.values()) == {2}
    assert found.beyond.origins.total() == 47


def test_known_failures_beyond_belong_to_their_entry(few):
    found = gathered(50, verdict(clauses=("C2D-BIAS-1",)), entries=[KNOWN])
    ((finding, covered),) = Known((KNOWN,)).findings("mine", found.tally.failures, found.beyond.known)
    assert finding.failing_cases == 50
    assert len(covered) == 3
    rows = counts("mine", found.tally, (finding,), (covered,), found.beyond.rows)
    assert {(row.clause, row.status): row.cases for row in rows} == {("C2D-BIAS-1", Status.KNOWN_FAILURE): 50}
    assert not level_counts("mine", (KNOWN,), found.tally, found.beyond.levels)


def test_samples_of_the_precision_are_bounded(monkeypatch):
    monkeypatch.setattr(gathering, "MOST_SAMPLES", 3)
    found = Gathered("mine", Known(()))
    for terms in range(9):
        samples = [Ratios("float32", quantity, terms, "reals", True, (1.0,)) for quantity in ("output", "grad_input")]
        found.add(Tally(precision_samples=samples))
    assert [(s.quantity, s.terms) for s in found.tally.precision_samples if s.quantity == "output"] == [
        ("output", terms) for terms in range(3)
    ]
    assert len(found.tally.precision_samples) == 6
