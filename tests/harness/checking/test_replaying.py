import pytest

from convcheck import CheckError, TokenError, replay
from convcheck.model.history import HistoryError
from plugins.my_kernel import my_conv

TOKEN = "v1,x=1x2x3x3,out=2,k=2"


def test_every_verdict_is_there_and_alike_ones_are_one_row():
    found = replay(my_conv, TOKEN)
    assert found.conforms
    assert len(str(found).splitlines()) - 2 < len(found.verdicts)
    assert repr(found) == str(found)


def test_a_named_backend_is_replayed_in_a_process_of_its_own():
    assert replay("numpy", TOKEN).conforms


def test_the_calls_of_a_history():
    calls = []

    def forgets(x, weight, bias, stride=1, padding=0, dilation=1, groups=1):
        calls.append(x.shape)
        out = my_conv(x, weight, bias, stride, padding, dilation, groups)
        return out if len(calls) < 2 else out + 1

    found = replay(forgets, history=f"{TOKEN} {TOKEN}")
    assert not found.conforms


def test_a_case_in_which_nothing_is_judged_is_no_pass():
    assert not replay(my_conv, "v1,x=1x2x3x3,out=2,k=2,dtype=bfloat16").conforms


def test_what_is_no_case_is_refused():
    with pytest.raises(CheckError, match="expected cases, as tokens, or history"):
        replay(my_conv)
    with pytest.raises(CheckError, match="and not both"):
        replay(my_conv, TOKEN, history=TOKEN)
    with pytest.raises(TokenError):
        replay(my_conv, "v1,x=what")
    with pytest.raises(HistoryError):
        replay(my_conv, history="what")
    with pytest.raises(CheckError, match="is not asked for the step"):
        replay(my_conv, history="v1,x=1x2x3x3,out=2,k=2,dtype=bfloat16")
