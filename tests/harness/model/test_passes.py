from collections import Counter

import pytest

from convcheck.model.passes import Pass, PassCount, added, pass_counts, pass_of
from convcheck.model.verdicts import OF_VERDICTS

KEY = ("C2D-PAD-1", "float32", Pass.FORWARD)


def test_every_quantity_of_a_verdict_is_of_a_pass():
    of = {quantity: pass_of(quantity) for quantity in OF_VERDICTS}
    assert of["output"] is Pass.FORWARD
    assert {of[name] for name in OF_VERDICTS if name.startswith("grad")} == {Pass.BACKWARD}
    assert set(of.values()) == set(Pass)


def test_parts_of_a_run_add_up_a_backend_at_a_time():
    one = pass_counts("a", Counter({KEY: 3}), Counter({KEY: 1}))
    other = pass_counts("b", Counter({KEY: 5}), Counter())
    assert added([*one, *other, *one]) == (
        PassCount(backend="a", clause=KEY[0], dtype=KEY[1], of_pass=KEY[2], right=6, wrong=2),
        PassCount(backend="b", clause=KEY[0], dtype=KEY[1], of_pass=KEY[2], right=5, wrong=0),
    )


@pytest.mark.parametrize("right", [0, 2])
def test_what_was_wrong_alone_is_counted_too(right):
    (found,) = pass_counts("a", Counter({KEY: right}), Counter({KEY: 4}))
    assert (found.right, found.wrong) == (right, 4)
