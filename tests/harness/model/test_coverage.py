import pytest
from hypothesis import given, settings

from convcheck import Capabilities
from convcheck.model.coverage import Coverage, coverage, features
from convcheck.model.token import read
from convcheck.strategies import cases

PLAIN = "v1,x=2x4x9x9,out=4,k=3"


def feature(token, parameter):
    return dict(features(read(token)))[parameter]


@pytest.mark.parametrize(
    ("parameter", "changes", "value"),
    [
        ("kernel_size", "", "3×3"),
        ("stride", ",s=2x3", "2×3"),
        ("stride", ",s=8x11,p=9", "8+×8+"),
        ("padding", ",p=1x2", "1×2"),
        ("padding", ",p=same", "same"),
        ("dilation", ",d=2", "2×2"),
        ("groups", "", "1"),
        ("groups", ",g=2", "between 1 and channels"),
        ("groups", ",g=4", "depthwise"),
        ("bias", ",bias=false", "False"),
        ("dtype", ",dtype=float16", "float16"),
        ("values", ",values=wide", "wide"),
        ("layout", ",layout=sliced", "sliced"),
        ("layout", ",layout-weight=sliced", "mixed"),
        ("batch", "", "2"),
        ("entry", ",entry=module", "module"),
    ],
)
def test_a_case_takes_the_value_that_a_reader_names(parameter, changes, value):
    assert feature(PLAIN + changes, parameter) == value


@pytest.mark.parametrize(
    ("x", "value"), [("4x9x9", "unbatched"), ("0x4x9x9", "0"), ("7x4x9x9", "7"), ("9x4x9x9", "8+")]
)
def test_large_batches_are_one_class(x, value):
    assert feature(f"v1,x={x},out=4,k=3", "batch") == value


def test_a_multiplier_is_told_from_plain_depthwise():
    assert feature("v1,x=1x4x9x9,out=8,k=3,g=4", "groups") == "depthwise with multiplier"


def test_an_illegal_case_counts_under_what_is_wrong_with_it():
    assert features(read(f"{PLAIN},g=3")) == (("legality", "GroupsError"),)
    assert features(read(f"{PLAIN},flaw=weight_ndim")) == (("legality", "InputShapeError"),)


@settings(max_examples=100, deadline=None)
@given(cases(Capabilities(dtypes=("float32", "bfloat16"), gradients=True, module=True)))
def test_every_legal_case_counts_once_under_every_parameter(case):
    found = [parameter for parameter, _ in features(case)]
    assert len(set(found)) == len(found)
    assert len(found) == (1 if case.violation else 15)


def test_the_most_frequent_value_comes_first():
    rows = coverage(map(read, [PLAIN, f"{PLAIN},g=2", f"{PLAIN},g=2", f"{PLAIN},g=3"]))
    assert [row for row in rows if row.parameter == "groups"] == [
        Coverage(parameter="groups", value="between 1 and channels", cases=2),
        Coverage(parameter="groups", value="1", cases=1),
    ]
    assert [row for row in rows if row.parameter == "legality"] == [
        Coverage(parameter="legality", value="legal", cases=3),
        Coverage(parameter="legality", value="GroupsError", cases=1),
    ]
