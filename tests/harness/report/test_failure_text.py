from convcheck.report.failure_text import failure_properties, failure_text
from convcheck.report.replaying import replay_command
from full_record import COMPLETE, FINDINGS


def test_a_failing_test_says_what_when_like_what_where_and_how_to_repeat_it():
    first, *lines = failure_text(COMPLETE).split("\n")
    assert first.startswith("computes: `output` is wrong iff groups > 1 and bias: ")
    assert [line.split(":")[0].strip() for line in lines] == [
        *("what", "worst element", "where", "rule", "lookalike", "replay")
    ]
    assert lines[-1] == f"  replay: {replay_command(COMPLETE)}"


def test_what_is_not_known_has_no_line():
    for finding in FINDINGS:
        assert ": \n" not in f"{failure_text(finding)}\n"
        assert all(failure_properties(finding).values())


def test_other_programs_read_the_rule_and_the_lookalike():
    found = failure_properties(COMPLETE)
    assert (found["convcheck.rule"], found["convcheck.lookalike"]) == ("groups > 1 and bias", "bias-lost")
    assert found["convcheck.replay"] == replay_command(COMPLETE)
