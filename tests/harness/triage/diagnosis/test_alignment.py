import pytest

from convcheck import Capabilities
from convcheck.execution import InProcessCandidate
from convcheck.model.calls import Raised
from convcheck.model.token import read
from convcheck.oracles import Trial
from convcheck.triage.diagnosis.failure_condition import learn
from convcheck_backends import NumpyBackend


class NeedsAligned(NumpyBackend):
    """Refuses what a load of so many bytes at once cannot take; what it computes does not matter here."""

    capabilities = Capabilities()

    def __init__(self, size, names=("x", "weight", "bias")):
        self.size, self.names = size, names

    def conv2d(self, x, weight, bias, params):
        for name, array in (("x", x), ("weight", weight), ("bias", bias)):
            if name in self.names and array is not None and array.size and array.ctypes.data % self.size:
                raise ValueError(f"{name} is misaligned")
        return x


@pytest.mark.parametrize(
    ("backend", "token", "rule"),
    [
        (NeedsAligned(16), "v1,x=2x3x5x7,out=3,k=3,placement=at_end", "alignment < 16"),
        (NeedsAligned(32, ("x",)), "v1,x=2x3x5x6,out=3,k=3,layout-x=offset", "alignment_x < 32"),
    ],
)
def test_a_kernel_that_needs_aligned_pointers_is_said_to(backend, token, rule):
    host = InProcessCandidate(lambda: backend)

    def refuses(case):
        calls = Trial(case, host.capabilities).calls.values()
        return case.batch > 0 and any(isinstance(host.call(call), Raised) for call in calls)

    found = learn(read(token), refuses)
    assert found.exact, found
    assert str(found.rule) in (rule, f"batch > 0 and {rule}", f"{rule} and batch > 0")
