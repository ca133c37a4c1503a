import pytest

from convcheck.campaign.campaign import Options, run
from convcheck.campaign.known_failures_file import load_known_failures
from convcheck.model.ladder import Ladder
from convcheck.model.verdicts import Status

WRONG = """
import numpy as np
from convcheck_backends import NumpyBackend


class LosesAColumn(NumpyBackend):
    name = "loses-a-column"

    def conv2d(self, x, weight, bias, params):
        out = super().conv2d(x, weight, bias, params)
        if params.groups > 1 and out.size:
            out[..., -1] = 0
        return out
"""


@pytest.fixture
def record(tmp_path):
    (tmp_path / "wrong.py").write_text(WRONG)

    def judged(known):
        (tmp_path / "known.toml").write_text(known)
        options = Options(
            specs=(f"{tmp_path / 'wrong.py'}:LosesAColumn",),
            examples=40,
            dtypes=("float32",),
            in_process=True,
            diagnosis_calls=100,
            reach=Ladder.QUICK,
            known=load_known_failures(tmp_path / "known.toml", ()),
        )
        return run(options, name="run", command="test")

    return judged


def test_what_a_rule_covers_is_known_and_the_rest_is_found(record):
    known = record('[[known]]\nclause = "C2D-GROUPS-1"\nwhere = "groups > 1"\nreason = "loses a column"')
    assert {f.status for f in known.findings} == {Status.KNOWN_FAILURE}
    assert known.conforms
    narrow = record('[[known]]\nclause = "C2D-GROUPS-1"\nwhere = "groups == 2"\nreason = "loses a column"')
    assert {f.status for f in narrow.findings} == {Status.KNOWN_FAILURE, Status.FAIL}
    assert not narrow.conforms
    assert all("g=2," not in f"{f.reproduction.token}," for f in narrow.open_findings)


def test_what_is_skipped_is_not_put_to_the_backend_and_is_counted(record):
    rule = "groups > 1"
    known = record(f'[[known]]\nclause = "C2D-PURE-3"\nwhere = "{rule}"\nskip = "yes"\nreason = "hangs"')
    assert not known.findings  # all that is wrong is there
    skipped = [c for c in known.counts if c.reason == f"excluded: {rule}"]
    assert {c.status for c in skipped} == {Status.NOT_APPLICABLE}
    assert sum(c.cases for c in skipped) > 10


def test_an_entry_that_passes_is_reported(record):
    witness = 'token = "v1,x=1x1x4x4,out=1,k=1"\nclause = "C2D-GROUPS-1"\nwhere = "groups > 1"'
    stale = record(f'[[known]]\n{witness}\nreason = "fixed"')
    assert Status.UNEXPECTED_PASS in {f.status for f in stale.findings}
    plain = record('[[known]]\nclause = "C2D-SHAPE-1"\nreason = "fixed"')
    assert Status.UNEXPECTED_PASS in {f.status for f in plain.findings}
    live = 'token = "v1,x=1x2x4x4,out=2,k=1,g=2"\nclause = "C2D-GROUPS-1"\nwhere = "groups > 1"'
    assert record(f'[[known]]\n{live}\nreason = "loses a column"').conforms


def test_a_known_failure_is_repeated_by_its_witness(record):
    live = 'token = "v1,x=1x2x4x4,out=2,k=1,g=2"\nclause = "C2D-GROUPS-1"\nwhere = "groups > 1"'
    (finding,) = record(f'[[known]]\n{live}\nreason = "loses a column"').findings
    assert finding.reproduction.token.startswith("v1,x=1x2x4x4,out=2,k=1,g=2")
    assert finding.reproduction.call is None  # nothing says that its witness fails like the case that was covered
