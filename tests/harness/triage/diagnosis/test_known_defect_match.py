from dataclasses import replace
from itertools import count

import numpy as np

from convcheck import Capabilities
from convcheck.defects import defect
from convcheck.defects.deviations import only, reads
from convcheck.defects.model import Category, deviating
from convcheck.evaluation.diagnosis import evaluate
from convcheck.execution import InProcessCandidate
from convcheck.model.token import read
from convcheck.oracles import PRECISION, RESULT
from convcheck.triage.diagnosis.examine import examine
from convcheck.triage.diagnosis.known_defect_match import LEAST_WRONG, match_after_setup, match_known_defects
from convcheck.triage.failure_signature import FailureSignature
from convcheck.triage.findings import HARMLESS
from convcheck.triage.probe import Budget, Probe
from convcheck_backends import NumpyBackend

_inside = only(lambda position, axis: (position >= 0) & (position < axis.size))


def probe_of(backend):
    """With calls for names rather than for a failure condition, which is not looked at here."""
    return Probe(InProcessCandidate(backend), budget=Budget(300))


def named(backend, token, signature, without=()):
    probe = probe_of(backend)
    library = [d for d in HARMLESS if d.name not in without]
    return examine(probe, signature, read(token), [], library).diagnosis.known_defects


class OwnStrideSwap(NumpyBackend):
    """Written without the library: an outsider's defect."""

    capabilities = Capabilities()

    def conv2d(self, x, weight, bias, params):
        if params.stride[0] == params.stride[1]:
            return super().conv2d(x, weight, bias, params)
        full = super().conv2d(x, weight, bias, type(params)(**_arguments(params, stride=1)))
        (oh, ow), (sh, sw) = params.output_size(*x.shape[-2:]), params.stride
        out = np.zeros((*full.shape[:-2], oh, ow), x.dtype)
        part = full[..., ::sw, ::sh][..., :oh, :ow]
        out[..., : part.shape[-2], : part.shape[-1]] = part
        return out


def _arguments(params, **changes):
    spelled = params.arguments
    return {name: getattr(spelled, name) for name in spelled.__slots__} | changes


TOKEN = "v1,x=2x3x7x9,out=4,k=2,s=1x2"


def test_a_defect_is_known_by_its_results():
    found = named(defect("stride-of-height-on-both").backend, TOKEN, FailureSignature(RESULT, "output"))
    assert found[0].name == "stride-of-height-on-both"
    assert found[0].tried >= found[0].matched >= LEAST_WRONG


def test_no_defect_is_compared_after_the_time_for_causes():
    candidate, signature = defect("stride-of-height-on-both").backend, FailureSignature(RESULT, "output")
    cases = [replace(read(TOKEN), seed=seed) for seed in range(4)]
    for until, compared in ((10**6, True), (4, False)):
        ticks = count()
        budget = Budget(300, until, ticks.__next__)
        probe = Probe(InProcessCandidate(candidate), budget=budget)
        found = match_known_defects(probe, signature, cases, ([], cases), HARMLESS)
        assert bool(found) is compared


def test_a_defect_that_is_not_in_the_library_has_no_name():
    signature = FailureSignature(RESULT, "output")
    assert not named(defect("stride-of-height-on-both").backend, TOKEN, signature, {"stride-of-height-on-both"})
    assert not named(OwnStrideSwap, TOKEN, signature, {"stride-exchanged"})


def test_twins_that_no_case_tells_apart_are_still_put_to_the_test():
    wide = defect("mode-ignored-on-height")
    narrow = deviating(
        Category.PADDING, "narrow", "", "padding_mode == 'reflect' and pad_bottom > 0", reads(rows=_inside)
    )
    library = [wide, replace(wide, name="its-twin")]
    token, signature = "v1,x=2x3x7x9,out=4,k=3,p=1,mode=reflect", FailureSignature(RESULT, "output")

    def found(candidate):
        probe = probe_of(candidate.backend)
        return [f.name for f in examine(probe, signature, read(token), [], library).diagnosis.known_defects]

    assert found(wide) == ["mode-ignored-on-height", "its-twin"]
    assert found(narrow) == []


def test_a_defect_that_spoils_what_is_right_has_no_part_in_it():
    token, signature = "v1,x=2x3x7x9,out=4,k=3", FailureSignature(RESULT, "grad_input")
    found = named(defect("grad-input-not-flipped").backend, token, signature)
    assert [f.name for f in found] == ["grad-input-not-flipped"]
    assert not named(defect("grad-input-not-flipped").backend, token, signature, {"grad-input-not-flipped"})


def test_lost_precision_is_known_on_reals():
    found = named(defect("tf32-undeclared").backend, "v1,x=2x8x7x9,out=4,k=3", FailureSignature(PRECISION, "output"))
    assert [f.name for f in found][:1] == ["tf32-undeclared"]


def test_the_evaluation_of_a_defect():
    name = "stride-capped"
    known, withheld = evaluate(defect(name), examples=60)
    assert known.failures
    assert (known.named, known.right_name) == (name, True)
    assert (withheld.named, withheld.right_name) == ("", True)
    assert known.right_rule
    assert withheld.right_rule


def test_a_defect_of_state_is_known_when_the_same_cases_ran_before():
    probe = Probe(InProcessCandidate(defect("weight-kept-by-shape").backend))
    earlier, case = read("v1,x=1x2x4x4,out=2,k=3,seed=11"), read("v1,x=1x2x4x4,out=2,k=3,seed=21")
    signature = FailureSignature(RESULT, "output")
    found = match_after_setup(probe, signature, [earlier], case, HARMLESS)
    assert "weight-kept-by-shape" in [f.name for f in found]
    without = [d for d in HARMLESS if d.name not in {f.name for f in found}]
    assert not match_after_setup(probe, signature, [earlier], case, without)
