import pytest
from hypothesis import HealthCheck, given, settings

from convcheck import Capabilities
from convcheck.model.token import read
from convcheck.strategies import cases
from convcheck.triage.complexity import complexity
from convcheck.triage.shrink import simpler
from convcheck_reference.formats import DTYPES


@given(cases(Capabilities(dtypes=tuple(DTYPES), module=True)))
@settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
def test_every_simpler_neighbour_is_less_complex(case):
    for neighbour in simpler(case):
        assert complexity(neighbour) < complexity(case), neighbour.token


@pytest.mark.parametrize(
    ("less", "more"),
    [
        ("v1,x=1x9x9x9,out=9,k=3", "v1,x=1x1x1x1,out=1,k=1,s=2"),  # a parameter before any size
        ("v1,x=1x1x1x1,out=1,k=1,s=2", "v1,x=1x1x1x1,out=1,k=1,s=2,p=1"),
        ("v1,x=1x1x1x1,out=1,k=1,s=2x1", "v1,x=1x1x1x1,out=1,k=1,s=2"),
        ("v1,x=1x1x1x4,out=1,k=1", "v1,x=1x1x1x5,out=1,k=1"),
        ("v1,x=1x1x1x1,out=1,k=1,dtype=float64", "v1,x=1x1x1x1,out=1,k=1,dtype=float16"),
        ("v1,x=1x1x1x1,out=1,k=1,bias=false", "v1,x=1x1x1x1,out=1,k=1"),
        ("v1,x=1x1x1x1,out=1,k=1,nonzeros=4", "v1,x=1x1x1x1,out=1,k=1"),
        ("v1,x=1x1x1x1,out=1,k=1,nonzeros=1,seed=7", "v1,x=1x1x1x1,out=1,k=1,nonzeros=2"),
        ("v1,x=1x1x1x1,out=1,k=1,s=1", "v1,x=1x1x1x1,out=1,k=1,s=1x1"),
        ("v1,x=1x1x1x1,out=1,k=1,seed=1", "v1,x=1x1x1x1,out=1,k=1,seed=2"),
        ("v1,x=1x1x1x1,out=1,k=1", "v1,x=1x1x1,out=1,k=1"),
        ("v1,x=1x1x1x1,out=1,k=1,layout-x=sliced", "v1,x=1x1x1x1,out=1,k=1,layout=sliced"),
        ("v1,x=1x1x1x1,out=1,k=1,s=0", "v1,x=1x1x1x1,out=1,k=1,s=0,g=none"),  # illegal ones as well
    ],
)
def test_what_counts_in_what_order(less, more):
    assert complexity(read(less)) < complexity(read(more))
