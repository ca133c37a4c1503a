from dataclasses import fields, replace

import pytest

from convcheck import NON_NEGATIVE_STRIDES, PROFILES, QUANTITIES, Capabilities, CapabilityError
from convcheck.model.calls import Mode
from convcheck.model.profiles import STRICT
from convcheck.model.token import read
from convcheck.model.transforms import Transform
from convcheck_reference import DTYPES

EVERYTHING = Capabilities(dtypes=tuple(DTYPES), gradients=True, double_backward=True, module=True)
LAYER = "v1,x=2x4x7x6,out=6,k=3"


@pytest.mark.parametrize(
    ("declared", "token", "reason"),
    [
        ({"dtypes": ("float64",)}, LAYER, "dtype float32"),
        ({"padding_modes": ("zeros",)}, f"{LAYER},p=1,mode=reflect", "padding_mode reflect"),
        ({"layouts": NON_NEGATIVE_STRIDES}, f"{LAYER},layout-weight=reversed", "layout reversed"),
        ({"layouts": NON_NEGATIVE_STRIDES}, f"{LAYER},layout-grad=reversed", "layout reversed"),
        ({"module": False}, f"{LAYER},entry=module", "modules"),
        ({"groups": False}, f"{LAYER},g=2", "groups"),
        ({"dilation": False}, f"{LAYER},d=1x2", "dilation"),
        ({"string_padding": False}, f"{LAYER},p=same", "string padding"),
        ({"unbatched": False}, "v1,x=4x7x6,out=6,k=3", "unbatched inputs"),
        ({"empty_batch": False}, "v1,x=0x4x7x6,out=6,k=3", "empty batches"),
        ({"nonfinite": False}, f"{LAYER},values=special", "non-finite values"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_a_case_outside_what_is_declared_is_not_applicable_and_the_reason_says_so(declared, token, reason):
    assert EVERYTHING.unsupported(read(token)) is None
    assert replace(EVERYTHING, **declared).unsupported(read(token)) == f"{reason} {_verb(reason)} not declared"


def _verb(reason):
    return "is" if reason.split()[0] in ("dtype", "padding_mode", "layout", "dilation", "string") else "are"


def test_a_layout_that_only_gradients_have_is_not_enough():
    with pytest.raises(CapabilityError, match="declare one of x as well"):
        Capabilities(layouts=("broadcast",))
    assert Capabilities(layouts=("contiguous", "broadcast")).layouts == ("contiguous", "broadcast")


def test_the_layout_of_a_gradient_does_not_matter_to_who_has_none():
    forward_only = replace(EVERYTHING, gradients=False, double_backward=False, layouts=NON_NEGATIVE_STRIDES)
    assert forward_only.unsupported(read(f"{LAYER},layout-grad=reversed")) is None


def test_an_illegal_padding_mode_reaches_every_candidate_which_has_to_refuse_it():
    assert replace(EVERYTHING, padding_modes=("zeros",)).unsupported(read(f"{LAYER},mode=mirror")) is None


def test_dilation_one_is_no_dilation_however_it_is_spelled():
    plain = replace(EVERYTHING, dilation=False)
    assert plain.unsupported(read(f"{LAYER},d=1")) is None
    assert plain.unsupported(read(f"{LAYER},d=1x1")) is None


def test_the_promise_for_a_quantity_goes_before_that_for_its_dtype():
    declared = Capabilities(
        profiles={"float32": PROFILES["tf32"], ("float32", "grad_bias"): PROFILES["fp32-strict"]},
    )
    found = {quantity: declared.profile("float32", quantity).name for quantity in QUANTITIES}
    assert found == {"output": "tf32", "grad_input": "tf32", "grad_weight": "tf32", "grad_bias": "fp32-strict"}


@pytest.mark.parametrize("dtype", DTYPES)
def test_who_declares_nothing_promises_what_is_strict(dtype):
    assert all(Capabilities().profile(dtype, quantity) is STRICT[dtype] for quantity in QUANTITIES)


def test_gradients_are_computed_by_who_declares_them():
    assert [q for q in QUANTITIES if Capabilities().supports_quantity(q)] == ["output"]
    assert all(map(EVERYTHING.supports_quantity, QUANTITIES))


@pytest.mark.parametrize(
    "wrong",
    [
        {"dtypes": ("float8",)},
        {"dtypes": "float32"},
        {"dtypes": ()},
        {"padding_modes": ("mirror",)},
        {"layouts": ("diagonal",)},
        {"profiles": {"float8": PROFILES["tf32"]}},
        {"extensions": ("same-left",)},
        {"extensions": "same-upper"},
        {"extensions": ("same-upper", "same-lower")},
        {"excludes": ("chanels < 4",)},
        {"excludes": "in_channels < 4"},
        {"profiles": {("float32", "grad"): PROFILES["tf32"]}},
        {"profiles": {"float32": "tf32"}},
    ],
    ids=str,
)
def test_what_does_not_exist_cannot_be_declared(wrong):
    with pytest.raises(CapabilityError, match=f"capabilities: {next(iter(wrong))}"):
        Capabilities(**wrong)


def test_what_was_declared_stays_declared():
    profiles = {"float32": PROFILES["tf32"]}
    declared = Capabilities(profiles=profiles)
    profiles.clear()
    assert declared.profile("float32", "output") is PROFILES["tf32"]


def test_equal_capabilities_have_the_same_hash_and_other_promises_are_not_equal():
    def declared(name):
        return Capabilities(dtypes=["float32", "float64"], profiles={"float32": PROFILES[name]})

    assert len({declared("tf32"), declared("tf32"), declared("winograd-f4"), EVERYTHING}) == 3
    assert declared("tf32") == Capabilities(dtypes=("float32", "float64"), profiles={"float32": PROFILES["tf32"]})


@pytest.mark.parametrize("name", [field.name for field in fields(Capabilities) if field.type == "bool"])
def test_every_switch_tells_capabilities_apart(name):
    assert replace(EVERYTHING, **{name: not getattr(EVERYTHING, name)}) != EVERYTHING


def test_a_layer_that_a_rule_excludes_is_not_applicable_and_the_rule_is_the_reason():
    limited = replace(EVERYTHING, excludes=("in_channels < 4", "dtype == 'float16' and padding_mode == 'reflect'"))
    assert limited.unsupported(read("v1,x=2x3x7x6,out=6,k=3")) == "excluded: in_channels < 4"
    assert limited.unsupported(read(f"{LAYER},p=1,mode=reflect,dtype=float16")).startswith("excluded: dtype")
    assert limited.unsupported(read(f"{LAYER},p=1,mode=reflect")) is None
    assert limited.unsupported(read("v1,x=2x3x7x6,out=6,k=3,s=0")) is None  # no rule holds of what is illegal


def test_illegal_arguments_are_not_applicable_to_who_does_not_validate_unless_he_documents_what_they_give():
    lax = replace(EVERYTHING, validates=False, extensions=("same-upper",))
    assert lax.unsupported(read(f"{LAYER},s=0")) == "illegal arguments: the backend does not validate"
    assert lax.unsupported(read(f"{LAYER},s=2,p=same")) is None
    assert lax.unsupported(read(f"{LAYER},s=2")) is None


@pytest.mark.parametrize("layer", ["s=true", "p=true", "d=true", "g=true"])
def test_a_bool_for_a_number_is_not_applicable_to_a_backend_that_says_so(layer):
    assert EVERYTHING.unsupported(read(f"{LAYER},{layer}")) is None
    lax = replace(EVERYTHING, refuses_bools=False)
    assert lax.unsupported(read(f"{LAYER},{layer}")).startswith("a bool for a number")
    assert lax.unsupported(read(f"{LAYER},s=0")) is None


@pytest.mark.parametrize("wrong", [{"transforms": ("jit",)}, {"transforms": "vmap"}, {"double_backward": "perhaps"}])
def test_unknown_transforms_and_second_gradients_are_refused(wrong):
    (name,) = wrong
    with pytest.raises(CapabilityError, match=f"{name}=.*; expected"):
        Capabilities(**wrong)


def test_transforms_are_named_as_they_are_declared():
    declared = Capabilities(transforms=("vmap", "meta")).transforms
    assert [(t, t.mode, t.clause) for t in declared] == [
        (Transform.VMAP, Mode.VMAP, "C2D-TRANSFORM-1"),
        (Transform.META, Mode.META, "C2D-TRANSFORM-3"),
    ]


@pytest.mark.parametrize(
    ("declared", "message"),
    [
        ({"dtypes": 7}, "dtypes=7; expected a tuple of texts"),
        ({"dtypes": None}, "dtypes=None; expected a tuple of texts"),
        ({"dtypes": [["float32"]]}, "expected a tuple of texts"),
        ({"excludes": (3,)}, "excludes=.*; expected a tuple of texts"),
        ({"excludes": ("1 // 0",)}, "'0' may be 0"),
        ({"excludes": ("dtype == 'float8'",)}, "dtype is never 'float8'"),
        ({"gradients": "yes"}, "gradients='yes'; expected True or False"),
        ({"double_backward": []}, r"double_backward=\[\]; expected True or False or 'tried'"),
        ({"streams": "many"}, "streams='many'; expected True or False or None"),
        ({"nonfinite": 1.5}, "nonfinite=1.5; expected True or False"),
        ({"profiles": 7}, "profiles=7; expected a dict"),
        ({"profiles": {3: 3}}, r"profiles\[3\]=3; expected a Profile"),
        ({"profiles": {(): 3}}, r"profiles\[\(\)\]=3; expected a Profile"),
        ({"profiles": {("float32", "output", 3): 3}}, "expected a Profile"),
    ],
)
def test_a_declaration_of_the_wrong_kind_is_refused(declared, message):
    with pytest.raises(CapabilityError, match=message):
        Capabilities(**declared)
