import subprocess
import sys

import numpy as np
import pytest

from convcheck import Capabilities, Status
from convcheck.campaign import Options, run
from convcheck.model.token import read
from convcheck.oracles import Trial
from convcheck.report import write_report
from convcheck.triage.failure_signature import FailureSignature
from convcheck.triage.standalone import shown_by_one_call, standalone_call
from convcheck_backends import NumpyBackend
from stand_ins import IMPRECISE, OUTPUT, probe_of, verdict

CANDIDATE = """
import numpy as np
from convcheck import Backend, Capabilities, Profile
from convcheck_reference import FORMATS, Conv2dParams, conv2d

HALF = Profile(name="sums-in-half", accumulator=FORMATS["float16"])


class Half(Backend):
    '''Sums in float16, as it promises; loses the last column.'''

    name = "half"
    capabilities = Capabilities(profiles={"float32": HALF})

    def conv2d(self, x, weight, bias, params):
        params = Conv2dParams.of(params.arguments)
        params.output_shape(x.shape)
        if weight.shape != params.weight_shape or weight.dtype != x.dtype or bias is not None and len(bias) != len(weight):
            raise ValueError("tensors that do not fit the layer")
        with np.errstate(over="ignore"):
            half = conv2d(x, weight, bias, params).astype(np.float16).astype(np.float32)
        half[..., -1] = 0
        return half
"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "candidate.py").write_text(CANDIDATE)
    return tmp_path


def exit_status(script):
    return subprocess.run([sys.executable, script], check=False, capture_output=True).returncode


def judged(file):
    options = Options(specs=(f"{file}:Half",), examples=40, in_process=True)
    return run(options, name="run", command="test")


def test_the_script_of_a_backend_with_a_profile_of_its_own_has_its_data_and_its_tolerance(folder):
    record = write_report(judged(folder / "candidate.py"), folder / "report")
    scripts = [folder / "report" / f.reproduction.script for f in record.findings if f.reproduction.script]
    assert scripts
    assert [exit_status(script) for script in scripts] == [1] * len(scripts)
    mended = CANDIDATE.replace("half[..., -1] = 0", "pass")
    (folder / "candidate.py").write_text(mended)
    assert [exit_status(script) for script in scripts] == [0] * len(scripts)
    (folder / "mended.py").write_text(mended)
    assert judged(folder / "mended.py").conforms


LAYER, BACKWARD = "v1,x=2x4x5x6,out=4,k=2", Capabilities(gradients=True, module=True)


def call_of(found, token=LAYER):
    return standalone_call(Trial(read(token), BACKWARD), found)


@pytest.mark.parametrize(
    ("oracle", "quantity", "regime"),
    [
        ("exact", "output", "integers"),
        ("bounded", "output", "reals"),
        ("gradients-exact", "grad_weight", "integers"),
        ("gradients-bounded", "grad_bias", "reals"),
    ],
)
def test_a_wrong_value_is_shown_by_the_call_that_it_came_from_with_what_is_due(oracle, quantity, regime):
    trial = Trial(read(LAYER), BACKWARD)
    found = standalone_call(trial, verdict(oracle, quantity))
    values = getattr(trial, regime)
    assert found.backward is (quantity != "output")
    assert ("grad_output" in found.tensors) is found.backward
    assert np.array_equal(found.tensors["x"].values.array, values.x)
    assert np.array_equal(found.expected.array, getattr(trial, f"expected_{regime}").sum(quantity).value)
    assert found.tolerance.array.shape == trial.shape(quantity)
    assert (found.tolerance.array == 0).all() == (regime == "integers")


def test_tensors_keep_their_layout():
    found = call_of(verdict(), f"{LAYER},layout-x=channels_last")
    assert {name: tensor.layout for name, tensor in found.tensors.items()} == {
        "x": "channels_last", "weight": "contiguous", "bias": "contiguous",
    }  # fmt: skip


def test_what_an_oracle_asked_for_is_shown_by_the_call_that_it_made():
    found = call_of(verdict("one-hot", "output"), f"{LAYER},seed=3")
    assert not found.backward
    assert found.expected is not None
    plain = call_of(verdict(), f"{LAYER},seed=3")
    assert found.tensors["x"].values != plain.tensors["x"].values


def test_a_gradient_asked_for_alone_is_shown_by_the_call_that_asks_for_it_alone():
    trial = Trial(read(LAYER), Capabilities(gradients=True, partial_gradients=True))
    found = standalone_call(trial, verdict("gradients-partial", "grad_weight"))
    assert (found.backward, found.wanted) == (True, ("weight",))
    assert call_of(verdict("gradients-exact", "grad_weight")).wanted == ("x", "weight", "bias")


@pytest.mark.parametrize("status", [Status.CRASHED, Status.WRONGLY_REFUSED, Status.HUNG])
def test_a_call_that_failed_is_shown_by_the_last_which_makes_most_of_the_candidate(status):
    found = call_of(verdict("parity", "call", status))
    assert found.backward
    assert found.expected is found.tolerance is None


def test_what_is_illegal_is_shown_by_its_one_call():
    found = call_of(verdict("parity", "call", Status.WRONGLY_ACCEPTED), "v1,x=2x4x5x6,out=4,k=2,s=0")
    assert not found.backward
    assert set(found.tensors) == {"x", "weight", "bias"}


@pytest.mark.parametrize(
    ("found", "token"),
    [
        (verdict("exact"), f"{LAYER},entry=module"),
        (verdict("module", "module"), f"{LAYER},entry=module"),
        (verdict("parity", "call", Status.CRASHED), f"{LAYER},entry=module"),
        (verdict("soak", "call", Status.CRASHED), LAYER),
        (verdict("contract", "inputs"), LAYER),
        (verdict("contract", "output"), LAYER),
        (verdict("adjoint", "adjoint"), LAYER),
        (verdict("gradients-retained", "gradients"), LAYER),
        (verdict("grad-modes", "output"), LAYER),
        (verdict("metamorphic-flip", "output"), LAYER),
    ],
    ids=[
        "module",
        "initialisation",
        "module ended",
        "a call among many",
        "inputs",
        "shape",
        "adjoint",
        "two passes",
        "modes",
        "relation",
    ],
)
def test_what_is_more_than_one_result_of_one_call_has_no_such_call(found, token):
    assert call_of(found, token) is None


class WrongAfter(NumpyBackend):
    """Wrong after so many calls."""

    capabilities = Capabilities()

    def __init__(self, right):
        self._right = right

    def conv2d(self, x, weight, bias, params):
        self._right -= 1
        return super().conv2d(x, weight, bias, params) + np.float32(self._right < 0)


@pytest.mark.parametrize(("right", "shown"), [(0, True), (1, False)])
def test_one_call_shows_a_failure_only_where_it_fails_on_a_fresh_candidate(right, shown):
    probe = probe_of(lambda: WrongAfter(right))
    for signature, found in ((OUTPUT, verdict("exact")), (IMPRECISE, verdict("bounded"))):
        assert shown_by_one_call(probe, read(LAYER), signature, found) is shown
    assert probe.candidate.restarts == probe.candidate.calls == 2


def test_what_two_outputs_contradict_is_not_shown_by_one_call():
    probe = probe_of(lambda: WrongAfter(0))
    signature, found = FailureSignature("metamorphic-flip", "output"), verdict("metamorphic-flip", "output")
    assert not shown_by_one_call(probe, read(LAYER), signature, found)
    assert probe.candidate.calls == 0
