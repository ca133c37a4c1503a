import pytest

from convcheck import Capabilities, Case
from convcheck.model.rules import facts
from convcheck.strategies.conjunctions import CONJUNCTIONS
from convcheck.strategies.draws import from_key
from convcheck.strategies.layers import spell


@pytest.mark.parametrize("conjunction", CONJUNCTIONS, ids=lambda c: c.rule.text)
def test_every_layer_is_legal_and_keeps_the_rule(conjunction):
    tokens = set()
    for number in range(60):
        draw = from_key(f"{number}")
        arguments, shape = spell(draw, conjunction.plan(draw))
        case = Case(arguments, shape)
        assert case.violation is None
        assert conjunction.rule.holds(facts(case))
        tokens.add(case.token)
    assert len(tokens) > 10


def test_the_rules_say_different_things():
    assert len({c.rule.text for c in CONJUNCTIONS}) == len(CONJUNCTIONS) > 30
    assert all(c.why for c in CONJUNCTIONS)


def test_a_backend_that_lacks_something_still_gets_the_rest():
    plain = Capabilities(groups=False, dilation=False, string_padding=False, padding_modes=("zeros",))
    left = [c for c in CONJUNCTIONS if c.plan(from_key("0")).supported(plain)]
    assert 10 < len(left) < len(CONJUNCTIONS)
