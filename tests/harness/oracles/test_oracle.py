import pytest

import convcheck.oracles
from convcheck import Capabilities
from convcheck.model.profiles import QUANTITIES
from convcheck.model.token import read
from convcheck.oracles import (
    CALL,
    ORACLES,
    PRECISION,
    RESULT,
    USUAL_DRAWS,
    Expectation,
    Oracle,
    Priority,
    Trial,
    applicable,
    extra_calls,
    find,
    of_kind,
)  # fmt: skip

LAYER = read("v1,x=2x4x5x6,out=4,k=2")
BOTH_WAYS = Capabilities(gradients=True, partial_gradients=True, double_backward=True)


def test_an_oracle_that_says_nothing_else_judges_what_every_case_calls():
    plain = Oracle("plain", lambda _: ())
    assert plain.kind == "plain"
    assert (plain.has_own_calls, plain.compares_values) == (False, False)
    assert plain.calls(Trial(LAYER, BOTH_WAYS)) == {}
    assert plain.expectation(Trial(LAYER, BOTH_WAYS), "output") is None
    assert (plain.every, plain.priority, plain.draws) == (1, Priority.RESULTS, USUAL_DRAWS)
    assert not any((plain.judges_illegal, plain.relational, plain.of_state, plain.redundant, plain.wraps_output))


def test_what_it_has_follows_from_what_it_is_given():
    own = Oracle("own", lambda _: (), lambda _: {}, expectation=lambda *_: None, kind=RESULT)
    assert (own.has_own_calls, own.compares_values, own.kind) == (True, True, RESULT)


def test_names_are_unique_and_find_their_oracle():
    assert len({oracle.name for oracle in ORACLES}) == len(ORACLES)
    assert all(find(oracle.name) is oracle for oracle in ORACLES)
    with pytest.raises(KeyError, match="no oracle is called 'exakt'"):
        find("exakt")


def test_only_kinds_of_failures_are_shared():
    assert {o.name for o in of_kind(RESULT)} == {"contract", "exact", "gradients-exact", "projected"}
    assert {o.name for o in of_kind(PRECISION)} == {"bounded", "gradients-bounded", "aggregated"}
    assert of_kind("wrongly refused") == ()
    assert [o for o in ORACLES if o.kind not in (CALL, RESULT, PRECISION, o.name)] == []


def test_of_an_illegal_case_only_its_refusal_is_judged_or_what_a_declared_extension_makes_of_it():
    illegal = read("v1,x=2x4x5x6,out=4,k=2,s=0")
    assert {o.name for o in applicable(illegal)} == {"parity", "extensions", "leftovers"}
    assert applicable(LAYER) == ORACLES


def test_oracles_with_calls_of_their_own_come_after_plain_calls_and_are_asked_more_seldom():
    for oracle in ORACLES:
        assert (oracle.priority is Priority.OWN_CALLS) == oracle.has_own_calls, oracle.name
        assert (oracle.every > 1) == oracle.has_own_calls, oracle.name


@pytest.mark.parametrize("oracle", [o for o in ORACLES if o.has_own_calls], ids=lambda o: o.name)
def test_own_calls_are_kept_under_the_name_of_who_asked(oracle):
    trial = Trial(LAYER, BOTH_WAYS)
    calls = extra_calls(trial, [oracle])
    assert {key.asked_by for key in calls} <= {oracle.name}
    assert len(calls) == len(oracle.calls(trial))
    other = "" if oracle.entry == "module" else ",entry=module"
    for token in ("v1,x=2x4x5x6,out=4,k=2,s=0", f"v1,x=2x4x5x6,out=4,k=2{other}"):
        assert extra_calls(Trial(read(token), Capabilities(module=True, gradients=True)), [oracle]) == {}


@pytest.mark.parametrize("oracle", [o for o in ORACLES if o.compares_values], ids=lambda o: o.name)
def test_what_is_due_is_of_a_call_that_is_made_and_of_the_shape_of_its_result(oracle):
    case = read("v1,x=2x4x5x6,out=4,k=2,values=special") if oracle.name == "special" else LAYER
    trial = Trial(case, BOTH_WAYS)
    calls = {**trial.calls, **extra_calls(trial, [oracle])}
    quantities = [q for q in QUANTITIES if q.startswith("grad") == oracle.name.startswith("gradients")]
    for quantity in quantities[:3]:
        due = oracle.expectation(trial, quantity)
        assert isinstance(due, Expectation)
        assert due.key in calls
        assert due.value.shape == due.tolerance.shape == trial.shape(quantity)
        assert (due.tolerance >= 0).all()


def test_an_oracle_taken_away_is_found_no_more(monkeypatch):
    monkeypatch.setattr(convcheck.oracles, "ORACLES", ORACLES[1:])
    with pytest.raises(KeyError):
        find(ORACLES[0].name)
