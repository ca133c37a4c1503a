import pytest

from convcheck.model.rules import Rule, facts
from convcheck.model.token import read
from convcheck.triage.diagnosis.literals import literals, product

BASE = facts(read("v1,x=2x6x5x11,out=9,k=3x2,s=1x2,g=3,dtype=float16"))
SEEN = [BASE, facts(read("v1,x=4x6x5x30,out=6,k=1,mode=reflect,values=wide"))]


def weights(base=BASE, seen=SEEN):
    return {literal.text: literal.weight for literal in literals(base, seen)}


def test_every_literal_is_a_rule_and_stands_once():
    texts = [literal.text for literal in literals(BASE, SEEN)]
    assert len(texts) == len(set(texts)) > 100
    assert all(Rule(text).holds(BASE) in (True, False) for text in texts)


@pytest.mark.parametrize(
    "text",
    ["groups > 1", "stride_w > 1", "bias", "not unbatched", "dtype == 'float16'", "stride_h != stride_w",
     "output_w % 2 == 1", "kernel_h * kernel_w % 4 != 0", "batch <= 4", "stride_h > 1 or stride_w > 1"],
)  # fmt: skip
def test_what_may_make_a_case_fail_is_among_them_and_holds(text):
    assert text in weights()
    assert Rule(text).holds(BASE)


def test_thresholds_and_sets_are_made_of_what_was_seen():
    assert "batch <= 4" not in weights(seen=[BASE])
    assert "dtype in ('float16', 'float32')" not in weights()  # the usual value makes no set
    assert "values != 'wide'" in weights()
    assert "values != 'wide'" not in weights(seen=[BASE])


def test_what_departs_from_the_plainest_layer_is_cheaper_than_what_is_true_of_most():
    found = weights()
    assert found["groups > 1"] < found["groups == 3"] < found["batch <= 4"]
    assert found["dtype == 'float16'"] < found["values == 'reals'"]
    assert found["in_per_group > 1"] < found["in_channels > 1"]


def test_a_product_is_of_counts():
    assert product(BASE, ["kernel_h", "kernel_w"]) == 6
    assert product(BASE, []) == 1
