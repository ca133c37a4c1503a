from dataclasses import replace

import numpy as np
import pytest

from convcheck import Capabilities
from convcheck.execution import InProcessCandidate
from convcheck.execution.inputs import Inputs
from convcheck.model.calls import Operation, Raised, Returned
from convcheck.model.profiles import QUANTITIES
from convcheck.model.token import read
from convcheck.oracles.support.trial import INTEGERS, REALS, SINGLE_CALL, CallKey, Trial, plain_key
from convcheck.tensors.regions import heap
from convcheck_backends import NumpyBackend
from convcheck_reference import DTYPES

LAYER = "v1,x=2x4x5x6,out=6,k=3x2,g=2"
BOTH_WAYS = Capabilities(gradients=True, module=True)
FORWARD, BACKWARD = plain_key(INTEGERS, "output"), plain_key(INTEGERS, "grad_input")


def trial(token=LAYER, capabilities=BOTH_WAYS):
    return Trial(read(token), capabilities)


@pytest.mark.parametrize(
    ("token", "capabilities", "names"),
    [
        (LAYER, BOTH_WAYS, ["integers forward", "integers backward", "reals forward", "reals backward"]),
        (LAYER, Capabilities(), ["integers forward", "reals forward"]),
        (f"{LAYER},values=special", BOTH_WAYS, ["integers forward", "integers backward", "reals forward"]),
        (f"{LAYER},entry=module", BOTH_WAYS, ["call"]),
        (f"{LAYER},s=0", BOTH_WAYS, ["call"]),
    ],
)
def test_a_case_makes_the_calls_that_it_can(token, capabilities, names):
    assert list(trial(token, capabilities).calls) == [CallKey("", name) for name in names]


def test_every_gradient_comes_from_one_call():
    assert len({plain_key(REALS, quantity) for quantity in QUANTITIES}) == 2
    assert plain_key(REALS, "grad_bias") == CallKey("", "reals backward")


def test_backward_gets_the_very_tensors_of_forward_in_the_layouts_of_the_case():
    made = trial(f"{LAYER},layout-x=channels_last,layout-grad=reversed")
    forward, backward = made.calls[FORWARD], made.calls[BACKWARD]
    assert (forward.operation, backward.operation) == (Operation.FORWARD, Operation.BACKWARD)
    assert all(forward.tensors[name] is backward.tensors[name] for name in ("x", "weight", "bias"))
    assert "grad_output" not in forward.tensors
    assert {name: t.layout for name, t in backward.tensors.items()} == {
        "x": "channels_last", "weight": "contiguous", "bias": "contiguous", "grad_output": "reversed",
    }  # fmt: skip


def test_integers_end_before_a_page_that_cannot_be_touched_and_reals_begin_after_one():
    for placement, end in (("at_end", "guard_after"), ("aligned", "guard_after_aligned")):
        made = Trial(replace(trial().case, placement=placement), trial().capabilities)
        memory = [{t.memory for t in call.tensors.values()} for call in made.calls.values()]
        assert memory == [{end}, {end}, {"guard_before"}, {"guard_before"}]


def test_data_are_made_once_and_kept_when_the_calls_have_been_made():
    made = trial()
    integers, expected, calls = made.integers, made.expected_integers, made.calls
    done = made.with_outcomes({FORWARD: Raised("ValueError", "no")})
    assert done.integers is integers
    assert done.expected_integers is expected
    assert done.calls is calls
    assert done.outcomes
    assert not made.outcomes


def test_other_integers_differ_and_have_the_same_shapes():
    made = trial()
    for name in ("x", "weight", "bias", "grad_output"):
        mine, other = (getattr(values, name) for values in (made.integers, made.other_integers))
        assert mine.shape == other.shape
        assert not np.array_equal(mine, other)


@pytest.mark.parametrize("token", [LAYER, LAYER.replace("2x4x5x6", "4x5x6"), f"{LAYER},dtype=bfloat16"])
def test_what_comes_back_has_the_shapes_of_the_contract(token):
    candidate = InProcessCandidate(NumpyBackend)
    made = trial(token, candidate.capabilities)
    done = made.with_outcomes({key: candidate.call(call) for key, call in made.calls.items()})
    for quantity in QUANTITIES:
        for regime in (INTEGERS, REALS):
            found = done.returned(regime, quantity)
            assert found.shape == made.shape(quantity)
            assert found.dtype == DTYPES[made.case.dtype]
    assert made.returned(INTEGERS, "output") is None


@pytest.mark.parametrize(
    "array",
    [None, np.zeros((2, 6, 3, 4), np.float32), np.zeros((2, 6, 3, 5), np.float64), np.zeros((6, 3, 5), np.float32)],
    ids=["none", "shape", "dtype", "ndim"],
)
def test_an_array_that_breaks_the_contract_is_none(array):
    done = trial().with_outcomes({FORWARD: Returned({"output": array})})
    assert done.case.output_shape == (2, 6, 3, 5)
    assert done.returned(INTEGERS, "output") is None
    right = trial().with_outcomes({FORWARD: Returned({"output": np.zeros((2, 6, 3, 5), np.float32)})})
    assert right.returned(INTEGERS, "output") is not None
    assert right.returned(REALS, "output") is None


def test_an_outcome_is_found_by_who_asked_and_its_name():
    outcome = Returned({})
    done = trial().with_outcomes({CallKey("image of ones", "the call"): outcome})
    assert done.outcome("image of ones", "the call") is outcome
    assert done.outcome("image", "of ones the call") is None
    assert done.outcome("", "the call") is None


def test_poison_is_known_of_the_call_that_gives_a_quantity():
    done = trial().with_outcomes({BACKWARD: Returned({}, poisoned=True), FORWARD: Returned({})})
    assert done.poisoned(INTEGERS, "grad_weight")
    assert not done.poisoned(INTEGERS, "output")
    assert not done.poisoned(REALS, "grad_weight")


@pytest.mark.parametrize(
    ("flaw", "name", "change"),
    [
        ("input_ndim", "x", lambda shape: shape[-2:]),
        ("input_channels", "x", lambda shape: (shape[0], shape[1] + 1, *shape[2:])),
        ("weight_ndim", "weight", lambda shape: shape[:-1]),
        ("weight_channels", "weight", lambda shape: (shape[0], shape[1] + 1, *shape[2:])),
        ("bias_shape", "bias", lambda shape: (shape[0] + 1,)),
        ("input_ndim_5", "x", lambda shape: (1, *shape)),
        ("input_channels_few", "x", lambda shape: (shape[0], shape[1] - 1, *shape[2:])),
        ("weight_channels_few", "weight", lambda shape: (shape[0], shape[1] - 1, *shape[2:])),
        ("bias_few", "bias", lambda shape: (shape[0] - 1,)),
        ("bias_single", "bias", lambda _: (1,)),
        ("bias_column", "bias", lambda shape: (shape[0], 1)),
        ("bias_planes", "bias", lambda shape: (shape[0], 1, 1)),
    ],
)
def test_a_flaw_is_of_one_tensor(flaw, name, change):
    plain, flawed = (trial(f"{LAYER}{more}") for more in ("", f",flaw={flaw}"))
    right = {n: t.values.shape for n, t in plain.calls[FORWARD].tensors.items()}
    wrong = {n: t.values.shape for n, t in flawed.calls[SINGLE_CALL].tensors.items()}
    assert wrong == right | {name: change(right[name])}


@pytest.mark.parametrize(
    ("flaw", "name", "given"),
    [
        ("input_none", "x", type(None)),
        ("weight_none", "weight", type(None)),
        ("input_list", "x", list),
        ("weight_list", "weight", list),
        ("bias_list", "bias", list),
    ],
)
def test_something_else_stands_in_place_of_one_tensor(flaw, name, given):
    asked = trial(f"{LAYER},flaw={flaw}").calls[SINGLE_CALL]
    placed = Inputs(heap).place(asked, NumpyBackend())
    assert {n: type(native) for n, native in placed.items() if type(native) is not np.ndarray} == {name: given}


def test_a_flawed_dtype_is_of_the_weight():
    tensors = trial(f"{LAYER},flaw=weight_dtype").calls[SINGLE_CALL].tensors
    assert {name: t.values.dtype.name for name, t in tensors.items()} == {
        "x": "float32", "weight": "float64", "bias": "float32",
    }  # fmt: skip


def test_a_module_gets_its_input_only():
    call = trial(f"{LAYER},entry=module").calls[SINGLE_CALL]
    assert (call.operation, set(call.tensors)) == (Operation.MODULE, {"x"})


def test_what_an_oracle_makes_for_its_calls_is_there_when_it_judges():
    made = []

    def make(_, what):
        made.append(what)
        return [what]

    before = trial()
    first = before.once(make, "a")
    assert before.with_outcomes({}).once(make, "a") is first
    assert before.once(make, "b") == ["b"]
    assert made == ["a", "b"]


def test_what_an_oracle_makes_under_one_promise_is_not_that_under_another():
    before = trial()

    def promised(made):
        return made.capabilities

    assert before.once(promised) == BOTH_WAYS
    assert before.under(Capabilities()).once(promised) == Capabilities()
