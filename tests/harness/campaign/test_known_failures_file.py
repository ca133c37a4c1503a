import tomllib
from pathlib import Path

import pytest
from hypothesis import given, settings

from convcheck.campaign.known_failures_file import KnownFailuresError, load_known_failures
from convcheck.model.rules import Rule
from mangled import mangled

ENTRY = '[[known]]\nclause = "C2D-PAD-1"\nreason = "x"\n'
FULL = ENTRY + 'where = "groups > 1"\nquantity = "output"\ntoken = "v1,x=1x1x4x4,out=1,k=1"\nlink = "https://x"\n'


def test_an_entry_is_read_as_it_stands(tmp_path):
    (tmp_path / "known.toml").write_text(FULL)
    (entry,) = load_known_failures(tmp_path / "known.toml", ())
    assert (entry.clause, entry.where, entry.quantity, entry.reason) == ("C2D-PAD-1", Rule("groups > 1"), "output", "x")
    assert (entry.token, entry.link, entry.skip) == ("v1,x=1x1x4x4,out=1,k=1", "https://x", False)


@pytest.mark.parametrize(
    "file", sorted((Path(__file__).parents[2] / "known_failures").glob("*.toml")), ids=lambda f: f.stem
)
def test_every_file_of_ours_is_read(file):
    assert len(load_known_failures(file, ())) == len(tomllib.loads(file.read_text())["known"])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('[[known]]\nclause = "C2D-PAD-1"', "has no reason"),
        ('[[known]]\nreason = "x"', "neither a clause nor a token"),
        ('[[known]]\nclause = "C2D-PADD-1"\nreason = "x"', "did you mean C2D-PAD-1"),
        ('[[known]]\nclause = "C2D-PAD-1"\nreason = "x"\nwhere = "group > 1"', "did you mean groups"),
        ('[[known]]\ntoken = "nonsense"\nreason = "x"', "entry 1"),
        ('[[known]]\nclause = 7\nreason = "x"', "expected a string"),
        ('[[known]]\nclauses = "C2D-PAD-1"\nreason = "x"', "unknown key"),
        ('[[known]]\nclause = "C2D-PAD-1"\nreason = "x"\nskip = "no"', 'expected "yes"'),
        ('[[known]]\nclause = "C2D-PAD-1"\nreason = "x"\nskip = "yes"', "skip takes a rule"),
        ('known = "x"', "write \\[\\[known\\]\\]"),
        ("[[known", "Expected"),
        ("[[unknown]]", "known.toml: unknown table or key 'unknown'; write \\[\\[known\\]\\] above"),
        (ENTRY + "[other]", "unknown table or key 'other'"),
        ("known = [3]", "no array of tables"),
        (
            ENTRY + 'quantity = "nonsense"',
            "entry 1: key quantity: 'nonsense' is nothing that is judged; expected one of",
        ),
        (ENTRY + 'quantity = "grad_weigth"', "did you mean grad_weight"),
        (ENTRY + "quantity = 3", "entry 1: key quantity is no text; expected a string"),
        (ENTRY + "skip = true", 'key skip: expected "yes"'),
        (ENTRY + "where = \"dtype == 'float8'\"", "key where: .*dtype is never 'float8'; did you mean"),
        (ENTRY + 'where = "1 // 0"', "key where: .*may be 0"),
        (ENTRY + 'where = "False"', "key where: .*asks for nothing of a case"),
        (ENTRY + 'where = "' + "(" * 900 + '"', "key where: .*cannot be read"),
        (ENTRY + 'token = "v1,x=1x3x100000x100000,out=1,k=1"', "key token: .*too large to be judged"),
        (ENTRY.replace('"x"', '"  "'), "has no reason"),
        ("x = " + "[" * 5000, "expected TOML"),
        ("x = " + "9" * 5000, "expected TOML"),
        ("\0", "expected TOML"),
    ],
)
def test_a_file_that_cannot_be_read_says_why(tmp_path, text, message):
    (tmp_path / "known.toml").write_text(text)
    with pytest.raises(KnownFailuresError, match=message):
        load_known_failures(tmp_path / "known.toml", ())


@pytest.mark.parametrize("content", [b"\xff\xfe\x00", bytes(range(256)), "[[known]]".encode("utf-16")])
def test_a_file_that_is_no_text_is_refused(tmp_path, content):
    (tmp_path / "known.toml").write_bytes(content)
    with pytest.raises(KnownFailuresError, match="expected TOML"):
        load_known_failures(tmp_path / "known.toml", ())


@pytest.mark.parametrize("path", ["/nowhere", "/dev/zero", "a\0b", "x" * 300])
def test_what_is_no_file_is_refused(path):
    with pytest.raises(KnownFailuresError):
        load_known_failures(Path(path), ())


def test_a_folder_has_no_file_of_an_impossible_name(tmp_path):
    assert load_known_failures(tmp_path, ("a\0b",)) == ()
    with pytest.raises(KnownFailuresError, match="too long"):
        load_known_failures(tmp_path, ("x" * 300,))


@settings(max_examples=100, deadline=None)
@given(mangled(ENTRY, FULL, FULL + FULL))
def test_any_text_is_known_failures_or_refused(tmp_path_factory, text):
    file = tmp_path_factory.getbasetemp() / "mangled.toml"
    file.write_text(text, encoding="utf-8", errors="surrogatepass")
    try:
        entries = load_known_failures(file, ())
    except KnownFailuresError:
        return
    assert all(entry.reason.strip() and (entry.clause or entry.token) for entry in entries)
