import pytest

from convcheck import PATHS, PROFILES, Capabilities, CapabilityError, Profile
from convcheck.model.paths import on_path, overlap, problem
from convcheck.model.token import read

TWICE = Profile(rounds_before_bias=True)
LAYER = "v1,x=2x4x7x6,out=8,k=3"


@pytest.mark.parametrize(
    ("token", "path"),
    [
        (LAYER, "dense spatial contiguous zeros"),
        (f"{LAYER},g=2", "grouped spatial contiguous zeros"),
        (f"{LAYER},g=4", "depthwise spatial contiguous zeros"),
        (f"{LAYER},g=4,layout=channels_last", "depthwise spatial channels_last zeros"),
        (f"{LAYER},layout-weight=channels_last", "dense spatial channels_last zeros"),
        (f"{LAYER},p=1,mode=reflect", "dense spatial contiguous reflect"),
        (f"{LAYER},layout=sliced", "dense spatial contiguous zeros"),
        ("v1,x=2x1x7x6,out=8,k=1", "dense pointwise contiguous zeros"),
        ("v1,x=2x1x7x6,out=8,k=1,layout-weight=channels_last", "dense pointwise contiguous zeros"),
    ],
)
def test_a_layer_is_of_one_class_of_each_kind(token, path):
    assert [name for name in PATHS if on_path(read(token), name)] == path.split()
    assert on_path(read(token), path)


def test_paths_overlap_in_the_layers_that_are_of_both():
    assert overlap("contiguous", "depthwise") == "depthwise contiguous"
    assert overlap("dense", "depthwise") is None
    assert problem("depthwise dense") == "no layer is of two classes of one kind"


def test_the_most_specific_promise_holds():
    declared = Capabilities(
        dtypes=("float16",),
        profiles={
            "float16": PROFILES["fp16-acc"],
            ("float16", "output"): TWICE,
            ("float16", "output", "contiguous depthwise"): PROFILES["fp16-in-fp32-acc"],
        },
    )
    depthwise = read(f"{LAYER},g=4,dtype=float16")
    assert declared.promised(depthwise, "output") is PROFILES["fp16-in-fp32-acc"]
    assert declared.promised(read(f"{LAYER},g=4,dtype=float16,layout=channels_last"), "output") is TWICE
    assert declared.promised(depthwise, "grad_input") is PROFILES["fp16-acc"]
    assert declared.profile("float16", "output") is TWICE
    assert declared.paths("float16", "output") == ("depthwise contiguous",)


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        (["deepwise"], "expected some of dense, grouped"),
        (["depthwise dense"], "no layer is of two classes"),
        (["depthwise", "contiguous"], r"declare profiles\[\('float16', 'output', 'depthwise contiguous'\)\] as well"),
    ],
)
def test_what_is_no_path_or_leaves_two_promises_is_refused(keys, message):
    profiles = [TWICE, PROFILES["fp16-acc"]]
    with pytest.raises(CapabilityError, match=message):
        Capabilities(profiles={("float16", "output", key): p for key, p in zip(keys, profiles, strict=False)})


def test_equal_promises_may_overlap():
    keys = ("depthwise", "contiguous")
    assert Capabilities(profiles={("float16", "output", key): TWICE for key in keys})
