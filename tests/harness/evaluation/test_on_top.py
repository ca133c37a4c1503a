import numpy as np

from convcheck.defects import defect
from convcheck.evaluation import Budget
from convcheck.evaluation.certification import detect
from convcheck.evaluation.on_top import OnTop
from convcheck.evaluation.variants import variant
from convcheck_reference import Conv2dParams

HALF = np.dtype(np.float16)


def layer(name):
    rng = np.random.default_rng(0)
    params = Conv2dParams(4, 6, 3, groups=2)
    x, weight, bias = (rng.standard_normal(shape).astype(HALF) for shape in ((2, 4, 9, 9), (6, 2, 3, 3), (6,)))
    made = defect(name).backend(), variant("cudnn-like").backend()
    return [b.conv2d(x.copy(), weight.copy(), bias.copy(), params) for b in (OnTop(*made), *made)]


def test_what_is_right_is_the_engines_and_what_is_wrong_the_defects():
    found, wrong, engine = layer("bias-lost-with-groups")
    assert (found == wrong).any()
    assert not np.array_equal(wrong, engine)
    assert ((found == wrong) | (found == engine)).all()


def test_a_defect_is_detected_through_the_numerics_of_an_engine():
    (found,) = detect(defect("bias-lost-with-groups"), Budget(examples=100, on="cudnn-like"))
    assert found.detected_at is not None
