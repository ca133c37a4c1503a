import pytest

from altered import CASE, Altered, failing
from convcheck import Backend, Capabilities, Status

ILLEGAL = (
    "v1,x=1x2x4x4,out=2,k=3,s=0",
    "v1,x=1x3x4x4,out=4,k=1,g=2",
    f"{CASE},flaw=bias_shape",
    f"{CASE},flaw=bias_few",
    f"{CASE},flaw=weight_list",
    "v1,x=1x2x4x4,out=2,k=3,s=1.9",
    "v1,x=1x2x4x4,out=2,k=3,d=nan",
    "v1,x=1x2x4x4,out=2,k=3,g=true",
    "v1,x=1x2x4x4,out=2,k=3,s=none",
    "v1,x=1x2x4x4,out=2,k=3,s=1x1x1",
    "v1,x=1x2x4x4,out=2,k=3,p=same%20",
)


class Lenient(Backend):
    name = "lenient"
    capabilities = Capabilities()

    def conv2d(self, x, weight, bias, params):
        return x


class Strict(Altered):
    def conv2d(self, x, weight, bias, params):
        if params.groups > 1:
            raise NotImplementedError("groups")
        return super().conv2d(x, weight, bias, params)


LEFT_OPEN = (
    "v1,x=1x2x4x4,out=2,k=3,s=1x",
    "v1,x=1x1x4x4,in=true,out=2,k=1",
    "v1,x=1x2x4x4,out=2,k=2.5",
    "v1,x=1x2x4x4,out=2,k=3,p=valid,flaw=bias_dtype",
)
WITHOUT_THE_FLAW = (
    "v1,x=1x2x4x4,out=2,k=3,bias=false,flaw=bias_column",
    "v1,x=1x2x4x4,out=2,k=3,bias=false,flaw=bias_planes",
    "v1,x=1x2x4x4,out=1,k=3,flaw=bias_single",
    "v1,x=1x2x4x4,out=2,k=3,entry=module,flaw=weight_ndim",
)


@pytest.mark.parametrize("token", LEFT_OPEN)
def test_what_torch_takes_against_its_documentation_is_left_open(token):
    assert not failing(Lenient(), token)


@pytest.mark.parametrize("token", WITHOUT_THE_FLAW)
def test_a_flaw_of_what_no_tensor_of_the_call_has_is_not_looked_for(token):
    assert not failing(Lenient(), token)


@pytest.mark.parametrize("token", ILLEGAL)
def test_what_is_wrongly_accepted_fails(token):
    assert failing(Lenient(), token) == {("parity", "call", Status.WRONGLY_ACCEPTED)}


@pytest.mark.parametrize("token", ILLEGAL)
def test_what_is_refused_with_any_exception_passes(token):
    assert not failing(Altered(), token)


def test_what_is_wrongly_refused_fails():
    assert ("parity", "call", Status.WRONGLY_REFUSED) in failing(Strict())
    assert {oracle for oracle, *_ in failing(Strict(), "v1,x=2x4x7x6,out=6,k=3x2")} <= {
        "cache-keys"
    }  # it asks for groups
