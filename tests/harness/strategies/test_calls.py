from functools import partial

import numpy as np
import pytest
from hypothesis import Phase, find, given, settings

import convcheck
from convcheck import Capabilities, CapabilityError, UnavailableError
from convcheck.model.ladder import Ladder
from convcheck.strategies import CallsError
from convcheck.strategies import calls as any_calls
from convcheck.strategies.calls import DrawnCall

calls = partial(any_calls, ladder=Ladder.QUICK)
QUICK = settings(max_examples=60, deadline=None, database=None, derandomize=True)


def conv(x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    import torch

    tensors = [None if t is None else torch.from_numpy(np.ascontiguousarray(t)) for t in (x, weight, bias)]
    return torch.nn.functional.conv2d(*tensors, stride, padding, dilation, groups).numpy()


@pytest.mark.filterwarnings("ignore:Using padding='same'")
def test_a_right_function_is_exactly_right_on_integers():
    @QUICK
    @given(calls())
    def right(call):
        np.testing.assert_array_equal(conv(*call.tensors, **call.keywords), call.expected)

    right()


def test_a_wrong_function_comes_down_to_the_smallest_call_with_its_token():
    def takes_no_groups(call):
        return call.keywords["groups"] > 1

    call = find(calls(), takes_no_groups, settings=settings(QUICK, max_examples=2000))
    assert call.case.token == "v1,x=1x2x1x1,out=2,k=1,g=2,bias=false"
    assert repr(call).startswith(f"<{call.case.token}; x: (1, 2, 1, 1), weight: (2, 1, 1, 1), bias: None; float32; ")


def test_the_failing_example_is_shown_by_its_token():
    @settings(QUICK, report_multiple_bugs=False)
    @given(calls())
    def wrong(call):
        assert call.keywords["groups"] == 1

    with pytest.raises(AssertionError) as caught:
        wrong()
    (note,) = [n for n in caught.value.__notes__ if "call=" in n]
    assert "call=<v1,x=" in note
    assert len(note) < 300


@pytest.mark.filterwarnings("ignore:Using padding='same'")
def test_tensors_of_torch_lie_as_drawn():
    import torch

    formats = set()

    @QUICK
    @given(calls(arrays="torch"))
    def right(call):
        assert all(type(tensor) is torch.Tensor for tensor in call.tensors if tensor is not None)
        formats.add(call.x.is_contiguous())
        output = torch.nn.functional.conv2d(*call.tensors, **call.keywords)
        np.testing.assert_array_equal(output.numpy(), call.expected)

    right()
    assert formats == {True, False}


def test_only_what_is_declared_is_drawn_and_padding_modes_are_keywords_where_there_are_any():
    declared = Capabilities(dtypes=("float64",), groups=False, excludes=("stride_h > 1",))

    @QUICK
    @given(calls(declared, values="reals"))
    def drawn(call):
        assert call.case.violation is None
        assert call.x.dtype == np.float64
        assert call.keywords["groups"] == 1
        assert call.case.params.stride[0] == 1
        assert call.keywords["padding_mode"] in ("zeros", "reflect", "replicate", "circular")

    drawn()


@pytest.mark.parametrize(
    ("given_", "error", "message"),
    [
        ({"values": "integer"}, CallsError, "'integer'; expected 'integers' or 'reals'"),
        ({"arrays": "no such"}, CapabilityError, "expected 'numpy', 'torch'"),
        ({"arrays": "no_such_package"}, UnavailableError, "pip install no_such_package"),
        ({"capabilities": Capabilities(layouts=("reversed",)), "arrays": "torch"}, CapabilityError, "layouts"),
    ],
)
def test_what_cannot_be_drawn_is_refused_at_once(given_, error, message):
    with pytest.raises(error, match=message):
        calls(**given_)


def test_real_data_may_hold_nan_and_the_output_that_is_due_says_so_without_a_warning():
    holds_nan = find(
        calls(values="reals"), lambda call: np.isnan(call.x).any(), settings=settings(QUICK, max_examples=2000)
    )
    assert holds_nan.case.regime == "special"
    assert np.isnan(holds_nan.expected).any()


def test_both_strategies_go_without_arguments():
    few = settings(max_examples=1, phases=[Phase.generate], deadline=None, database=None, derandomize=True)

    @few
    @given(convcheck.strategies.cases(), convcheck.strategies.calls())
    def drawn(case, call):
        assert case.dtype == "float32"
        assert isinstance(call, DrawnCall)

    drawn()
