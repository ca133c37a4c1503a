import pytest

from convcheck.explanation.reading import Typed, read_typed
from convcheck.model.token import TokenError
from convcheck_reference import Arguments
from convcheck_reference.errors import ParameterTypeError


def test_a_layer_has_no_input():
    assert read_typed("Conv2d(3, 10, 5)") == Typed(Arguments(3, 10, 5))


def test_a_case_has_its_input_and_its_dtype():
    found = read_typed(" v1,x=2x3x8x8,out=10,k=5,dtype=float64 ")
    assert (found.arguments, found.input_shape, found.dtype) == (Arguments(3, 10, 5), (2, 3, 8, 8), "float64")
    assert found.violation == ""


def test_an_illegal_case_says_why():
    assert read_typed("v1,x=2x3x8x8,out=10,k=5,flaw=input_ndim").violation == "the input has two dimensions"


@pytest.mark.parametrize("text", ["ConvTranspose2d(3, 10, 5)", "torch.nn.ConvTranspose2d(3, 10, 5, output_padding=1)"])
def test_the_transposed_layer_is_told_apart(text):
    with pytest.raises(ParameterTypeError, match=r"ConvTranspose2d is another layer.*gradient of a Conv2d.*grad_input"):
        read_typed(text)


def test_what_begins_as_a_case_is_read_as_one():
    with pytest.raises(TokenError, match="a case starts with its version"):
        read_typed("v9,x=1x1x1x1,out=1,k=1")
