import numpy as np
import pytest

from convcheck.model.rules import facts
from convcheck.model.token import read
from convcheck.triage.diagnosis.rivals import rivals, telling_apart
from convcheck.triage.diagnosis.samples import Conjunction

BASE = read("v1,x=2x2x5x7,out=9,k=3x2")


def test_rivals_have_one_count_exchanged_for_one_that_is_alike():
    found = {rival.parts for rival in rivals(Conjunction(("bias", "out_per_group % 8 != 0")))}
    assert found == {("bias", "out_channels % 8 != 0"), ("bias", "in_per_group % 8 != 0")}
    either = {rival.parts for rival in rivals(Conjunction(("kernel_h > 1",)))}
    assert either == {("extent_h > 1",), ("kernel_w > 1",)}
    assert not list(rivals(Conjunction(("dtype == 'float16'",))))


@pytest.mark.parametrize(
    ("text", "rival"),
    [
        ("out_per_group > 8 and out_per_group % 8 != 0", "out_per_group > 8 and out_channels % 8 != 0"),
        ("kernel_h > 2", "extent_h > 2"),
        ("width > height", "output_w > height"),
        ("out_channels > 8", "out_per_group > 8"),
    ],
)
def test_cases_tell_a_rule_from_its_rivals_on_both_sides_where_they_can(text, rival):
    rule, other = (Conjunction(tuple(words.split(" and "))) for words in (text, rival))
    assert other.parts in {found.parts for found in rivals(rule)}
    assert rule.holds(BASE)
    assert other.holds(BASE)
    found = list(telling_apart(rule, BASE, [], np.random.default_rng(3)))
    apart = [case for case in found if rule.holds(case) is not other.holds(case)]
    assert apart
    assert all(facts(case)["batch"] == 2 for case in found)  # only what the rules speak of is changed
