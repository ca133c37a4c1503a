import pytest

from altered import CASE, Altered, failing
from convcheck import Backend, Capabilities, Status

ILLEGAL = ("v1,x=1x2x4x4,out=2,k=3,s=0", "v1,x=1x3x4x4,out=4,k=1,g=2", f"{CASE},flaw=bias_shape")


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


@pytest.mark.parametrize("token", ILLEGAL)
def test_what_is_wrongly_accepted_fails(token):
    assert failing(Lenient(), token) == {("parity", "call", Status.WRONGLY_ACCEPTED)}


@pytest.mark.parametrize("token", ILLEGAL)
def test_what_is_refused_with_any_exception_passes(token):
    assert not failing(Altered(), token)


def test_what_is_wrongly_refused_fails():
    assert ("parity", "call", Status.WRONGLY_REFUSED) in failing(Strict())
    assert not failing(Strict(), "v1,x=2x4x7x6,out=6,k=3x2")
