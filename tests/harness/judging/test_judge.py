from collections import Counter
from operator import attrgetter

import numpy as np
import pytest

from altered import Altered, off_by
from convcheck import Capabilities, Level, Status
from convcheck.judging.judge import first_causes, judge_block, judge_case
from convcheck.judging.tally import Tally
from convcheck.model.calls import Died, Hung
from convcheck.model.passes import Pass
from convcheck.model.token import read
from convcheck.oracles import applicable, find
from stand_ins import Counted, failure, verdict

LAYER = "v1,x=2x4x5x6,out=4,k=2"
CASES = [read(f"{LAYER},seed={seed}") for seed in range(9)]
REFUSED = verdict("parity", "call", Status.WRONGLY_REFUSED)
MISSHAPEN = verdict("contract", "output")


class Forward(Altered):
    capabilities = Capabilities()


def test_of_a_case_the_first_failing_verdict_on_each_quantity_is_kept():
    output, gradient = verdict("exact"), verdict("gradients-exact", "grad_input")
    passed = verdict("contract", "output", Status.PASS)
    given = [
        passed,
        output,
        verdict("bounded"),
        verdict("special"),
        gradient,
        verdict("gradients-bounded", "grad_input"),
    ]
    assert first_causes(given) == (output, gradient)
    assert first_causes([passed, verdict("exact", status=Status.VACUOUS)]) == ()


@pytest.mark.parametrize("status", [Status.CRASHED, Status.HUNG, Status.WRONGLY_ACCEPTED, Status.WRONGLY_REFUSED])
def test_a_call_that_failed_comes_before_what_is_wrong_with_results(status):
    failed = verdict("parity", "call", status)
    assert first_causes([verdict("exact"), failed, verdict("soak", "call", Status.CRASHED)]) == (failed,)


def test_a_gradient_is_refused_because_of_an_output_of_another_shape():
    assert first_causes([REFUSED, MISSHAPEN, verdict("bounded")]) == (MISSHAPEN,)
    assert first_causes([REFUSED, verdict("exact")]) == (REFUSED,)
    crashed = verdict("parity", "call", Status.CRASHED)
    assert first_causes([crashed, MISSHAPEN]) == (crashed,)


@pytest.mark.parametrize("name", ["adjoint", "double-backward", "finite-differences"])
def test_what_breaks_wherever_anything_is_wrong_counts_only_by_itself(name):
    quantity = "adjoint" if name == "adjoint" else "grad_grad_output"
    assert find(name).redundant
    assert first_causes([verdict("exact"), verdict(name, quantity)]) == (verdict("exact"),)
    assert first_causes([verdict(name, quantity)]) == (verdict(name, quantity),)


def tally(cases=1, at=0, **others):
    return Tally(cases=cases, failures=[failure(position=at)], **others)


def test_tallies_add_up_and_the_largest_margin_stays():
    passed, vacuous = ("C2D-ARITH-1", Status.PASS, ""), ("C2D-ARITH-1", Status.VACUOUS, "constant")
    total, second = Tally(), tally(2, at=1, counts=Counter({passed: 1, vacuous: 1}), margins={"a": 0.5, "b": 0.1})
    first = tally(
        3, counts=Counter({passed: 3}), margins={"a": 0.2, "c": 0.3}, coverage=Counter({("dtype", "float32"): 3})
    )
    first.seconds["judging"], second.seconds["judging"] = 1.0, 2.0
    for each in (first, second):
        total.add(each)
    assert total.cases == 5
    assert total.counts == {passed: 4, vacuous: 1}
    assert total.margins == {"a": 0.5, "b": 0.1, "c": 0.3}
    assert [f.position for f in total.failures] == [0, 1]
    assert total.coverage == {("dtype", "float32"): 3}
    assert total.seconds == {"judging": 3.0}
    assert (first.cases, len(first.failures)) == (3, 1)


def test_blocks_count_the_same_whether_judged_at_once_or_in_parts():
    counted = attrgetter("cases", "counts", "levels", "margins", "coverage")
    whole, parts = judge_block(Counted(Altered), CASES, 0), Tally()
    for at in (0, 4):
        parts.add(judge_block(Counted(Altered), CASES[at : at + 4 if not at else None], 0))
    assert counted(parts) == counted(whole)


def test_each_clause_counts_once_a_case_by_what_says_most():
    counts = judge_block(Counted(Altered), CASES, 0).counts
    by_clause = Counter()
    for (clause, _, _), cases in counts.items():
        by_clause[clause] += cases
    assert max(by_clause.values()) == len(CASES)
    assert counts["C2D-ARITH-1", Status.PASS, ""] == len(CASES)
    nothing_to_see = read("v1,x=1x1x1x1,out=1,k=1,p=4,bias=false")
    vacuous = judge_block(Counted(Forward), [nothing_to_see], 0).counts
    assert {status for clause, status, _ in vacuous if clause == "C2D-ARITH-2"} == {Status.VACUOUS}
    assert ("C2D-ERROR-13", Status.PASS, "") in vacuous


def test_a_failing_verdict_is_a_failure_and_no_count():
    found = judge_block(Counted(lambda: Altered(off_by(1))), CASES[:3], 7)
    assert [(f.block, f.position, f.case) for f in found.failures] == [
        (7, at, case) for at, case in enumerate(CASES[:3])
    ]
    assert {f.verdict.oracle for f in found.failures} == {"exact"}
    assert not any(status is Status.FAIL for _, status, _ in found.counts)
    assert found.margins["float32 output"] > 1


def test_a_case_counts_at_every_level_at_which_it_was_judged_and_nothing_was_wrong():
    special, illegal = read(f"{LAYER},values=special"), read(f"{LAYER},s=0")
    right = judge_block(Counted(Altered), [CASES[0], special, illegal], 0).levels
    assert right[Level.COMPUTES, ""] == 2
    assert right[Level.PRECISION, ""] == 1
    assert right[Level.IEEE, ""] >= 1
    assert right[Level.REFUSES, "C2D-ERROR-1"] == 1
    wrong = judge_block(Counted(lambda: Altered(off_by(1))), [CASES[0], illegal], 0).levels
    assert wrong == {(Level.REFUSES, "C2D-ERROR-1"): 1}
    assert not judge_block(Counted(Altered), [read("v1,x=2x4x5x6,out=4,k=2.5")], 0).levels


def test_what_is_not_declared_is_counted_with_its_reason_and_not_called():
    class Narrow(Altered):
        capabilities = Capabilities(groups=False)

    candidate = Counted(Narrow)
    illegal = read("v1,x=2x4x5x6,out=4,k=2.5")
    found = judge_block(candidate, [read(f"{LAYER},g=2"), read(f"{LAYER},dtype=float64"), illegal], 0)
    assert candidate.calls == 0
    assert {(status, reason) for _, status, reason in found.counts} >= {
        (Status.NOT_APPLICABLE, "groups are not declared"),
        (Status.NOT_APPLICABLE, "dtype float64 is not declared"),
    }
    assert sum(found.counts.values()) == found.cases == 3


def test_only_verdicts_on_the_clause_that_is_asked_for_count():
    wrong = Counted(lambda: Altered(off_by(1)))
    assert judge_block(wrong, CASES[:2], 0, "C2D-ARITH-1").failures
    other = judge_block(wrong, CASES[:2], 0, "C2D-PURE-1")
    assert not other.failures
    assert ("C2D-PURE-1", Status.PASS, "") in other.counts
    assert judge_block(wrong, CASES[:2], 0, "C2D-STRIDE-1").counts == {}


def test_whatever_is_right_about_the_clause_that_is_asked_for_counts_at_its_level():
    # the adjoint identity compares no single result with what is due
    right = judge_block(Counted(Altered), CASES[:2], 0, "C2D-GRAD-5")
    assert right.levels[Level.COMPUTES, ""]


def test_the_parts_of_the_time_are_told():
    found = judge_block(Counted(Altered), CASES[:2], 0)
    assert set(found.seconds) == {"candidate", "judging", "bookkeeping"}
    assert all(seconds > 0 for seconds in found.seconds.values())


def test_the_precision_of_one_case_in_eight_is_sampled():
    assert len(judge_block(Counted(Altered), CASES, 0).precision_samples) == 2 * 3  # output and two gradients
    assert len(judge_block(Counted(Altered), CASES[:8], 0).precision_samples) == 3


def test_only_the_oracles_that_are_named_judge_and_only_their_calls_are_made():
    candidate = Counted(Altered)
    verdicts, in_candidate, in_judging = judge_case(candidate, CASES[0], [find("exact")])
    assert {v.oracle for v in verdicts} == {"exact"}
    assert candidate.calls == 4
    assert in_candidate > 0
    assert in_judging > 0


def test_a_wrong_shape_that_makes_gradients_raise_is_one_failure_of_the_shape():
    class Short(Altered):
        def conv2d(self, *arguments):
            return super().conv2d(*arguments)[..., 1:]

        def conv2d_backward(self, grad_output, x, weight, bias, params):
            raise RuntimeError(f"cannot broadcast {np.shape(grad_output)}")

    found = judge_block(Counted(Short), CASES[:1], 0)
    assert [(f.verdict.oracle, f.verdict.quantity) for f in found.failures] == [("contract", "output")]


@pytest.mark.parametrize(
    ("outcome", "status"), [(Died("killed by signal 11 (SIGSEGV)"), Status.CRASHED), (Hung(60.0), Status.HUNG)]
)
def test_a_candidate_that_does_not_come_back_is_asked_for_nothing_more(outcome, status):
    class Gone(Counted):
        def call(self, call):
            super().call(call)
            return outcome

    candidate = Gone(Altered)
    verdicts, _, _ = judge_case(candidate, CASES[0], applicable(CASES[0]))
    assert candidate.calls == 4
    assert {v.status for v in first_causes(verdicts)} == {status}
    asked = Counted(Altered)
    judge_case(asked, CASES[0], applicable(CASES[0]))
    assert asked.calls > 100


def test_a_case_is_right_or_wrong_in_each_pass_of_a_clause():
    wrong_bias = Altered(gradients=lambda found: found._replace(bias=found.bias + 1))
    tally = judge_block(Counted(lambda: wrong_bias), CASES[:2], 0)
    assert {key[1:] for key in tally.wrong} == {("float32", Pass.BACKWARD)}
    assert tally.wrong["C2D-GRAD-3", "float32", Pass.BACKWARD] == 2
    assert tally.right["C2D-SHAPE-1", "float32", Pass.FORWARD] == 2
    assert all(tally.right[key] + cases <= 2 for key, cases in tally.wrong.items())
