import pytest

from convcheck import Case
from convcheck.model.case import FLAWS
from convcheck.model.token import read
from convcheck_reference import Arguments, InputError, ParameterError

LAYER = "v1,x=2x4x7x6,out=6,k=3x2"


@pytest.mark.parametrize(
    ("token", "error", "message"),
    [
        (f"{LAYER},s=0", ParameterError, "stride"),
        (f"{LAYER},p=same,s=2", ParameterError, "stride"),
        ("v1,x=2x4x2x6,out=6,k=3x2", InputError, "kernel"),
        ("v1,x=2x4x7x6,in=3,out=6,k=3x2", InputError, "channels"),
        (f"{LAYER},flaw=bias_shape", InputError, "the bias has an entry too many"),
    ],
)
def test_an_illegal_case_says_what_its_candidate_has_to_refuse(token, error, message):
    violation = read(token).violation
    assert isinstance(violation, error)
    assert message in str(violation)


def test_every_flaw_is_said_in_words_of_its_own():
    said = [str(read(f"{LAYER},flaw={flaw}").violation) for flaw in FLAWS if flaw != "none"]
    assert len(set(said)) == len(said)


def test_illegal_arguments_go_before_a_flaw_of_the_tensors():
    assert isinstance(read(f"{LAYER},s=0,flaw=bias_shape").violation, ParameterError)


def test_a_legal_case_has_its_layer_and_the_shape_of_its_output():
    case = read(f"{LAYER},s=2x1,p=1x0")
    assert case.violation is None
    assert case.params.padding == ((1, 1), (0, 0))
    assert case.output_shape == (2, 6, 4, 5)


def test_an_illegal_case_has_neither():
    case = read(f"{LAYER},s=0")
    with pytest.raises(ParameterError):
        _ = case.params
    with pytest.raises(ParameterError):
        _ = case.output_shape


@pytest.mark.parametrize(
    ("shape", "batch", "unbatched"), [((2, 4, 7, 6), 2, False), ((0, 4, 7, 6), 0, False), ((4, 7, 6), 1, True)]
)
def test_an_unbatched_input_is_one_image(shape, batch, unbatched):
    case = Case(Arguments(4, 6, 3), shape)
    assert (case.batch, case.unbatched) == (batch, unbatched)
    assert case.output_shape == (*((batch,) * (not unbatched)), 6, 5, 4)


@pytest.mark.parametrize(
    ("layouts", "repeats"),
    [("", False), (",layout=reversed", False), (",layout-weight=expanded", True), (",layout-grad=broadcast", True)],
)
def test_a_tensor_of_stride_zero_repeats_values(layouts, repeats):
    assert read(f"{LAYER}{layouts}").repeats is repeats


def test_cases_are_equal_if_everything_about_them_is():
    assert len({read(LAYER), read(LAYER), read(f"{LAYER},seed=1"), read(f"{LAYER},values=wide")}) == 3
