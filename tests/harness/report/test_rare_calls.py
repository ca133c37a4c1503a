"""What rate of wrong calls a run excludes."""

from dataclasses import replace

import pytest

from convcheck.model.record_merging import merged
from convcheck.report.end_summary import end_summary
from convcheck.report.rare_calls import excluded_rate_lines, excluded_rates
from convcheck.report.summary import summary
from full_record import RECORD


def with_calls(record, **calls):
    return replace(record, backends=tuple(replace(b, right_calls=calls) for b in record.backends))


@pytest.fixture
def record():
    return with_calls(replace(RECORD, findings=()), output=3_000, grad_input=3)


def test_three_of_so_many_right_calls_are_the_rate_that_is_excluded(record):
    found = {quantity: said for quantity, _, said in excluded_rates(record, record.backends[0])}
    assert found == {"output": "fewer than one in 1,000"}
    assert (1 - 1 / 1_000) ** 3_000 < 0.05


def test_a_quantity_that_was_wrong_excludes_nothing():
    record = with_calls(RECORD, output=3_000)
    (finding, *_) = record.findings
    backend = next(b for b in record.backends if b.name == finding.backend)
    some = replace(record, findings=(replace(finding, verdict=replace(finding.verdict, quantity="output")),))
    assert [said for _, _, said in excluded_rates(some, backend)] == ["some are wrong: see the findings"]
    assert not [line for line in excluded_rate_lines(some) if line.startswith(f"{backend.name}:")]


def test_the_summary_and_the_terminal_say_it(record):
    assert "fewer than one in 1,000" in summary(record, "markdown")
    assert "output right in 3,000 calls on integers: of calls like these fewer than one in 1,000 is wrong" in (
        end_summary(record)
    )


def test_calls_of_parts_of_a_run_are_added(record):
    both = merged([record, record], name="both", command="")
    assert both.backends[0].right_calls == {"grad_input": 6, "output": 6_000}
