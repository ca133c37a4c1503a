import pytest

from convcheck.pytest_options import DTYPES, add_options


@pytest.fixture
def parse(monkeypatch):
    """Reads options as pytest does, without the rest of pytest."""
    parser = pytest.Parser(_ispytest=True)
    add_options(parser)
    return lambda *arguments: parser.parse_known_args(list(arguments))


def test_options_have_values_of_their_kind(parse):
    given = ("--conv-examples", "7", "--conv-seed", "3", "--conv-limit", "0.5", "--conv-level", "IEEE")
    found = parse(*given, "--conv-dtype", "float16", "--conv-dtype", "bfloat16")
    assert (found.conv_examples, found.conv_seed, found.conv_limit, found.conv_level) == (7, 3, 0.5, "ieee")
    assert found.conv_dtype == ["float16", "bfloat16"]
    assert all(parse("--conv-dtype", dtype).conv_dtype == [dtype] for dtype in DTYPES)


@pytest.mark.parametrize(
    ("option", "value", "said"),
    [
        ("--conv-examples", "0", "'0' is no whole number from 1 to 10"),
        ("--conv-examples", "nan", "'nan' is no whole number"),
        ("--conv-examples", "1" + "0" * 30, "is no whole number"),
        ("--conv-seed", "-1", "expected one argument|is no whole number"),
        ("--conv-seed", "9" * 5000, "'9{40}' is no whole number"),
        ("--conv-limit", "0", "is no time of 0.1 seconds to a year"),
        ("--conv-limit", "nan", "is no time"),
        ("--conv-limit", "inf", "is no time"),
        ("--conv-limit", "1e300", "is no time"),
        ("--conv-limit", "x", "invalid .* value: 'x'|could not convert|is no time"),
        ("--conv-dtype", "", "'' is no dtype; expected one of float16"),
        ("--conv-dtype", "\x1b[31m", r"x1b\[31m' is no dtype"),
        ("--conv-level", "perfect", "invalid choice: 'perfect'"),
        ("--conv-reach", "far", "invalid choice: 'far'"),
    ],
)
def test_what_an_option_cannot_be_is_refused_as_it_is_read(parse, option, value, said):
    with pytest.raises(pytest.UsageError, match=said):
        parse(f"{option}={value}")
