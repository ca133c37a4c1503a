import pytest

from convcheck_reference import PADDING_MODES, padding, selfcheck
from convcheck_reference.errors import SelfCheckError
from convcheck_reference.selfcheck import self_check

FUNCTIONS = {
    "output": "conv2d",
    "grad_input": "conv2d_grad_input",
    "grad_weight": "conv2d_grad_weight",
    "grad_bias": "conv2d_grad_bias",
}
LOOPS = {
    "output": "naive_conv2d",
    "grad_input": "naive_grad_input",
    "grad_weight": "naive_grad_weight",
    "grad_bias": "naive_grad_bias",
}


@pytest.mark.parametrize(("quantity", "name"), [*FUNCTIONS.items(), *LOOPS.items()])
def test_a_formulation_that_is_wrong_in_one_element_is_noticed_and_named(monkeypatch, quantity, name):
    right = getattr(selfcheck, name)

    def wrong(*operands):
        result = right(*operands)
        result[(-1,) * result.ndim] += 1
        return result

    monkeypatch.setattr(selfcheck, name, wrong)
    with pytest.raises(SelfCheckError, match=rf"disagree in the {quantity} of Conv2d\(2, 4"):
        self_check()


@pytest.mark.parametrize("mode", PADDING_MODES[1:])
def test_a_padding_mode_that_pads_with_zeros_is_noticed(monkeypatch, mode):
    right = padding.source_index
    monkeypatch.setattr(
        padding, "source_index", lambda size, pads, asked: right(size, pads, "zeros" if asked == mode else asked)
    )
    with pytest.raises(SelfCheckError, match=f"padding_mode='{mode}'"):
        self_check()


def test_every_quantity_of_every_mode_is_compared():
    assert self_check() >= len(PADDING_MODES) * len(FUNCTIONS) * 6
