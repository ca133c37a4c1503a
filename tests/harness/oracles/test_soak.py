from altered import Altered, failing
from convcheck import Status
from convcheck_backends import NumpyBackend, TorchCpu

SMALL = "v1,x=1x2x5x4,out=3,k=3x2,p=1"


class Rare(NumpyBackend):
    """One call in so many leaves its last element unfinished."""

    def __init__(self, every):
        self.every, self.calls = every, 0

    def conv2d(self, x, weight, bias, params):
        self.calls += 1
        out = super().conv2d(x, weight, bias, params)
        if self.calls % self.every == 0:
            out.reshape(-1)[-1] += 1
        return out


def about(oracle, backend, token=SMALL):
    return failing(backend, token, only=(oracle,))


def test_a_rare_wrong_call_fails():
    assert about("soak", Rare(150)) == {("soak", "output", Status.FAIL)}


def test_many_right_calls_pass():
    assert not about("soak", Altered())
    assert not about("soak", TorchCpu())


def test_a_large_layer_is_not_called_hundreds_of_times():
    small, large = Rare(10**9), Rare(10**9)
    about("soak", small)
    about("soak", large, "v1,x=2x8x16x16,out=8,k=3,p=1")
    assert small.calls > large.calls + 100
