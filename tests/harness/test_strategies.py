from convcheck import Capabilities
from convcheck.strategies import cases, coverage, generate

EVERYTHING = Capabilities(dtypes=("float32", "float64", "float16", "bfloat16"), gradients=True, module=True)


def drawn(seed, block):
    return generate(cases(EVERYTHING), run_seed=seed, block=block, size=250)


def test_the_same_seed_gives_the_same_cases():
    assert drawn(1, 0) == drawn(1, 0)
    assert drawn(1, 0) != drawn(2, 0)


def test_blocks_are_independent():
    shared = {c.token for c in drawn(1, 0)} & {c.token for c in drawn(1, 1)}
    assert len(shared) <= 5


def test_the_parameter_space_is_covered():
    rows = {(c.parameter, c.value) for c in coverage([*drawn(0, 0), *drawn(0, 1), *drawn(0, 2)])}
    for parameter, value in (
        ("kernel_size", "1×1"), ("stride", "1×2"), ("padding", "same"), ("groups", "depthwise"),
        ("groups", "depthwise with multiplier"), ("groups", "between 1 and channels"),
        ("padding_mode", "reflect"), ("padding_mode", "circular"), ("batch", "0"), ("batch", "unbatched"),
        ("batch", "8+"), ("layout", "mixed"), ("values", "special"), ("entry", "module"), ("dtype", "bfloat16"),
    ):  # fmt: skip
        assert (parameter, value) in rows
    assert len({v for p, v in rows if p == "legality"}) >= 8


def test_a_capability_that_is_missing_is_not_drawn():
    plain = Capabilities(padding_modes=("zeros",), groups=False, dilation=False, unbatched=False, empty_batch=False)
    for case in generate(cases(plain), run_seed=0, block=0, size=200):
        if case.violation is None:
            assert plain.unsupported(case) is None
