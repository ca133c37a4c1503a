import math

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from convcheck.strategies.draws import from_key
from convcheck.strategies.engine import own_settings
from convcheck.strategies.provider import Provider, answering

conformance = pytest.importorskip(
    "hypothesis.internal.conjecture.provider_conformance", reason="this release of Hypothesis has no such test"
)


def test_it_keeps_the_contract_of_a_backend():
    conformance.run_conformance_test(
        Provider, settings=settings(max_examples=60, stateful_step_count=20, database=None, deadline=None)
    )


def examples(strategy, draws):
    found = []

    def test(value):
        found.append(value)

    with answering(draws) as backend:
        how = own_settings(backend=backend, max_examples=len(draws.values), phases=(Phase.generate,))
        how(given(strategy)(test))()
    return found


class Draws:
    """Draws of the keys "0", "1", …"""

    def __init__(self, number):
        self.values = [str(n) for n in range(number)]
        self._left = iter(self.values)

    def __iter__(self):
        return self

    def __next__(self):
        return from_key(next(self._left))


@pytest.mark.parametrize(
    ("strategy", "several"),
    [
        (st.integers(), (lambda n: n < 0, lambda n: n > 1000)),
        (st.integers(min_value=7), (lambda n: n > 1000,)),
        (st.integers(max_value=-7), (lambda n: n < -1000,)),
        (st.booleans(), (bool, lambda b: not b)),
        (st.floats(), (math.isnan, math.isinf, lambda x: x == 0, lambda x: 0 < abs(x) < 1e-30, lambda x: x < -1e30)),
        (st.floats(0.5, 2.0), (lambda x: x < 1 or x > 1,)),
        (st.text(max_size=4), (lambda s: not s, lambda s: len(s) == 4)),
        (st.binary(), (lambda b: not b, lambda b: len(b) > 3)),
        (st.lists(st.integers(0, 3)), (lambda v: not v, lambda v: len(v) > 2)),
    ],
    ids=lambda part: repr(part) if isinstance(part, st.SearchStrategy) else "",
)  # fmt: skip
def test_any_strategy_gets_telling_examples(strategy, several):
    found = examples(strategy, Draws(100))
    assert all(any(map(what, found)) for what in several)


def test_a_backend_for_some_draws_is_gone_after_them():
    with answering(Draws(1)) as backend:
        assert settings(backend=backend).backend == backend
    with pytest.raises(Exception, match="not available"):
        settings(backend=backend)
