import pytest
from hypothesis import find, given, settings, target

from convcheck import Capabilities
from convcheck.strategies import cases, plain_cases

EVERYTHING = Capabilities(dtypes=("float32", "bfloat16", "complex64"), gradients=True, module=True)
QUICK = settings(max_examples=2000, deadline=None, database=None, derandomize=True)


PLAINEST = "v1,x=1x1x1x1,out=1,k=1,bias=false"


@pytest.mark.parametrize(
    ("holds", "token"),
    [
        (lambda c: True, PLAINEST),
        (lambda c: c.dtype == "bfloat16", f"{PLAINEST},dtype=bfloat16"),
        (lambda c: c.params.stride[1] > 1, PLAINEST.replace(",bias", ",s=1x2,bias")),
        (lambda c: c.layouts[1] == "sliced", f"{PLAINEST},layout-weight=sliced"),
    ],
)
def test_hypothesis_shrinks_a_plain_case_to_what_matters(holds, token):
    smallest = find(plain_cases(EVERYTHING), holds, settings=QUICK)
    assert smallest.token == token


def test_a_test_of_ones_own_can_aim_at_a_figure():
    costs = []

    @settings(max_examples=60, deadline=None, database=None, derandomize=True)
    @given(cases(EVERYTHING, ("float32",)))
    def aims(case):
        if case.violation is None:
            costs.append(case.params.multiply_adds(case.input_shape))
            target(float(costs[-1]), label="multiply-adds")
        assert case.dtype == "float32"

    aims()
    assert costs


@settings(max_examples=150, deadline=None)
@given(cases(EVERYTHING))
def test_what_is_drawn_is_declared(case):
    assert case.violation is not None or EVERYTHING.unsupported(case) is None
