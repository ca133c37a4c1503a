from collections import Counter

from convcheck import Level, Status
from convcheck.campaign.known_failures import KnownFailure
from convcheck.campaign.level_counts import level_counts
from convcheck.judging.tally import Tally
from stand_ins import TOKENS, failure, verdict

STRIDE, DILATION = "v1,x=1x1x4x4,out=1,k=1,s=0", "v1,x=1x1x4x4,out=1,k=1,d=0"
ACCEPTED = verdict("parity", "call", Status.WRONGLY_ACCEPTED)


def rows(tally, *known):
    return [(c.level, c.error_clause, c.passed, c.failed) for c in level_counts("mine", known, tally)]


def test_each_level_has_its_passes_and_its_failing_cases_in_order():
    passed = {
        (Level.REFUSES, "C2D-ERROR-10"): 2,
        (Level.REFUSES, "C2D-ERROR-6"): 1,
        (Level.STATE, ""): 4,
        (Level.COMPUTES, ""): 9,
    }
    failures = [
        failure(position=0),
        failure(position=0, found=verdict("gradients-exact", "grad_input")),  # of the same case
        failure(position=1, found=verdict("taint")),
        failure(STRIDE, ACCEPTED, position=2),
        failure(STRIDE, ACCEPTED, position=3),
        failure(DILATION, verdict("parity", "call", Status.CRASHED), position=4),
    ]
    assert rows(Tally(levels=Counter(passed), failures=failures)) == [
        (Level.COMPUTES, "", 9, 1),
        (Level.IEEE, "", 0, 1),
        (Level.REFUSES, "C2D-ERROR-1", 0, 2),
        (Level.REFUSES, "C2D-ERROR-6", 1, 1),
        (Level.REFUSES, "C2D-ERROR-10", 2, 0),
        (Level.STATE, "", 4, 0),
    ]


def test_what_a_backend_declares_beyond_torch_is_no_kind_of_illegal_arguments():
    refused = verdict("extensions", "call", Status.WRONGLY_REFUSED, level=Level.COMPUTES)
    assert rows(Tally(failures=[failure("v1,x=1x1x4x4,out=1,k=3,s=2,p=same", refused)])) == [(Level.COMPUTES, "", 0, 1)]


def test_what_is_known_to_fail_is_in_neither_number():
    failures = [failure(TOKENS[0], position=0), failure(TOKENS[1], position=1)]
    entry = KnownFailure(backend="", reason="known", token=TOKENS[0])
    assert rows(Tally(failures=failures), entry) == [(Level.COMPUTES, "", 0, 1)]
