"""Malformed inputs to every command: each should end with exit status 2 and a message, none with a traceback.

    python benchmarks/bad_input.py [--show]

Commands run in this process, as `convcheck` would run them; with --show each input that did not end with 2 is printed.
"""

# ruff: noqa: E501  (tables of inputs)

from __future__ import annotations

import contextlib
import io
import json
import os
import resource
import signal
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from convcheck.cli import main
from convcheck.model.record_lines import to_lines
from convcheck.report.tables import table

sys.path.append(str(Path(__file__).parents[1] / "tests"))

from full_record import RECORD

LIMIT = 30
"""Seconds that one input may take."""

MEMORY = 16 * 2**30
"""Bytes of address space: whoever allocates what a token asks for fails here."""

CASE = "v1,x=1x1x4x4,out=1,k=1"
ESCAPES = ("\x1b[31mred\x07", "\x1b]0;title\x07", "\x9b2J", "\u202eevil", "\ufffe", "line\nline", "\r")
NUMBERS = ("", "x", "-1", "nan", "inf", "-inf", "1e300", "9" * 4300, "9" * 30, "0x10", "1 2", "½", "\0")

HEAD = "def conv(x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):\n    return x\n"
CLASS = "import convcheck\n\n\nclass B(convcheck.Backend):\n    name = {name}\n    capabilities = {capabilities}\n"
PLUGINS = {
    "syntax": "def conv(:\n",
    "nul": "x = 1\0\n",
    "latin": "# caf\xe9\n",
    "raises": "raise RuntimeError('\\x1b[31mred')\n",
    "exits": "import sys\nsys.exit(0)\n",
    "deep": "x = " + "(" * 5000 + ")" * 5000,
    "constant": "conv = 7\n",
    "instance": "conv = object()\n",
    "keywords": "def conv(x, weight):\n    return x\n",
    "none": "def conv(x, weight, bias=None):\n    return x\n",
    "module": "import os as conv\n",
    "abstract": "import convcheck\nconv = convcheck.Backend\n",
    "getattr": "def __getattr__(name):\n    raise ValueError(name)\n",
}
CLASSES = {
    "name": [("7", "convcheck.Capabilities()"), ("None", "convcheck.Capabilities()"), ("''", "convcheck.Capabilities()"),
             ("'x' * 10**6", "convcheck.Capabilities()"), (r"'a\nb'", "convcheck.Capabilities()"), (r"'\x1b[31m'", "convcheck.Capabilities()"),
             ("b'x'", "convcheck.Capabilities()"), (r"'\ud800'", "convcheck.Capabilities()")],
    "capabilities": [("'b'", text) for text in (
        "None", "7", "{}", "'all'", "convcheck.Capabilities", "convcheck.Capabilities(dtypes=('float8',))",
        "convcheck.Capabilities(dtypes='float32')", "convcheck.Capabilities(dtypes=())", "convcheck.Capabilities(dtypes=7)",
        "convcheck.Capabilities(dtypes=[['float32']])", "convcheck.Capabilities(dtypes=None)",
        "convcheck.Capabilities(padding_modes=('mirror',))", "convcheck.Capabilities(padding_modes=3)",
        "convcheck.Capabilities(layouts=('diagonal',))", "convcheck.Capabilities(gradients='yes')",
        "convcheck.Capabilities(gradients=None)", "convcheck.Capabilities(double_backward=[])",
        "convcheck.Capabilities(streams='many')", "convcheck.Capabilities(excludes='groups > 1')",
        "convcheck.Capabilities(excludes=(3,))", "convcheck.Capabilities(excludes=7)",
        "convcheck.Capabilities(excludes=('import os',))", "convcheck.Capabilities(excludes=('1 // 0',))",
        "convcheck.Capabilities(excludes=('dtype < 3',))", "convcheck.Capabilities(profiles=7)",
        "convcheck.Capabilities(profiles={'float8': 3})", "convcheck.Capabilities(profiles={3: 3})",
        "convcheck.Capabilities(profiles={('float32',): 3})", "convcheck.Capabilities(profiles=[1])",
        "convcheck.Capabilities(extensions=('magic',))", "convcheck.Capabilities(extensions=5)",
        "convcheck.Capabilities(transforms=('x',))", "convcheck.Capabilities(module=True)",
        "convcheck.Capabilities(unknown=True)", "convcheck.Capabilities(nonfinite=1.5)",
    )],
}  # fmt: skip


def tokens() -> Iterator[str]:
    """Texts that are no case, or one too large."""
    yield from (
        "",
        " ",
        ",",
        "v1",
        "v2,x=1x1x1x1,out=1,k=1",
        "V1,x=1x1x1x1,out=1,k=1",
        "v1,",
        "v1,,,",
        "\0",
        "=",
        "v1=",
    )
    yield from (f"{CASE},{extra}" for extra in ("", "k=1", "q=1", "seed", "seed=", "seed=-1", "seed=1.5", "seed=x", "=", "=1",
                "dtype=int8", "values=none", "layout=diagonal", "layout-x=", "placement=x", "entry=method", "flaw=all",
                "nonzeros=-1", "nonzeros=x", "seed=" + "9" * 4300, "seed=" + "9" * 40, "nonzeros=" + "9" * 4300,
                "s=" + "9" * 4300, "s=" + "9x" * 5000, "p=" + "9" * 5000, "d=1e99999.", "bias=" + "a" * 10**6))  # fmt: skip
    yield from (f"v1,x={shape},out=1,k=1" for shape in ("", "x", "1x", "x1", "1xax1", "1,1", "-1x1x1x1", "1.5x1x1x1", "1 x1",
                "1x3x100000x100000", "100000x100000", "1x1x1x" + "9" * 18, "x".join("1" * 101), "x".join("2" * 101),
                "9" * 4300 + "x1x1x1", "1x3x30000x30000", "99999999999x1x1x1", "1x99999999999x1x1"))  # fmt: skip
    yield from (f"v1,x=1x1x4x4,out={out},k={k}" for out, k in (("99999999999", "1"), ("1", "9" * 4300), ("9" * 4300, "1"),
                ("4611686018427387904", "1"), ("100000", "1000x1000"), ("100000", "-1x1000"), ("1", "x".join("9" * 101))))  # fmt: skip
    yield from (f"v1,x=1x1x4x4,out=1,k=1,{more}" for more in ("p=1000000000", "p=100000", "p=4611686018427387903", "p=99999x99999",
                "in=99999999999", "in=" + "9" * 4300, "p=99999999,mode=replicate"))  # fmt: skip
    yield from (f"v1,x=1x1x9000x9000,out=1,k={k},layout=sliced" for k in (1, 3))
    yield "v1,x=1x1x1x9000000,out=1,k=1,layout=sliced+offset"
    yield from (f"{CASE},p={text}x1,seed={text}" for text in ESCAPES)
    yield from (CASE[:at] for at in range(0, len(CASE) - 3, 3))
    yield from (CASE.replace(",", text) for text in (";", " ", ", ", "\n", ",,"))


def histories() -> Iterator[str]:
    """Texts that are no history."""
    yield from (" ", "\n", "@", "&", f"{CASE}@", f"{CASE}@x=3", f"{CASE}@weight=-1", f"{CASE}@weight=", f"{CASE}@times=0",
                f"{CASE}@weight=" + "9" * 4300, f"{CASE}@times=" + "9" * 4300, f"{CASE}@times=1000000000", f"{CASE}@weight=" + "9" * 40,
                f"{CASE}@forward", f"{CASE}@@", f"{CASE}&", f"&{CASE}", f"{CASE}@backward,backward", f"{CASE} nonsense",
                f"{CASE},flaw=input_ndim", f"{CASE},entry=module", "v1,x=1x3x100000x100000,out=1,k=1", "&".join([CASE] * 3000),
                " ".join([f"{CASE}@times=100000"] * 100), "v1,x=1x2x3x4,out=2,k=9", f"{CASE}@weight=½")  # fmt: skip


def layers() -> Iterator[str]:
    """Texts that are no layer."""
    yield from ("", " ", "Conv2d", "Conv2d(", "Conv2d()", "Conv2d(3)", "Conv2d(3, 10)", "Conv2d(3, 10, 5, size=3)", "__import__('os')",
                "Conv2d(3, 10, open('x'))", "Conv2d(3, 10, *[1])", "Conv2d(**{})", "Conv2d(1,2,3,4,5,6,7,8,9,10,11)", "Conv2d(3, 3, 3, kernel_size=3)",
                "lambda: 0", "Conv2d(3, 10, x)", "1", "\0", "Conv2d(3, 10, 5)\0", "(" * 5000, "Conv2d(" + "-" * 20000 + "1, 1, 1)",
                "Conv2d(" + "(" * 300 + "1" + ")" * 300 + ", 1, 1)", "Conv2d(" + "[" * 150 + "1" + "]" * 150 + ", 1, 1", "Conv2d(3, 10, " + "9" * 4400 + ")",
                "Conv2d(3, 10, {[]: 1})", "Conv2d(3, 10, {{1}: 1})", "Conv2d(3, 10, {**{}})", "Conv2d(3, 10, 1 + 'a')", "Conv2d(3, 10, 1 < 2)",
                "Conv2d(3, 10, k for k in x)", "Conv2d(3, 10, f'{1}')", "Conv2d(3; 10)", "Conv2d(3, 10, '\ud800')", "import os", "Linear(3, 10, 5)",
                "torch.nn.Conv3d(3, 10, 5)", "Conv2d(3, 10, 5)(x)", "1" * 10**6)  # fmt: skip
    yield from (f"Conv2d({text}" for text in ESCAPES)


def shapes() -> Iterator[str]:
    """Texts that are no shape."""
    yield from (" ", "x", ",", "1", "1,2", "1,,2,3", "1,2,3,4,5", "a,b,c", "1.5,1,1,1", "9" * 4300, ",".join("1" * 101), "1,3,-5,5", "1,3,1e3,5",
                f"1,3,5,{'9' * 4300}", "1;3;5;5", "1,3,5,5\0", "1,3,5,5,", "½,3,5,5")  # fmt: skip


def specs(folder: Path) -> Iterator[str]:
    """Texts that name no backend."""
    good = folder / "good.py"
    good.write_text(HEAD)
    yield from ("", " ", ":", "::", "x.py:", ":x", "nosuch.py:f", "nosuch", "numpyy", "a.b.c:D.E", "a..b:c", ".:x", "..x:y", "os:nosuch", "os:path", "no.such.module:x",
                "[red]x[/blue].py:f", "[red]x[/blue]", "[/]", "x" * 5000, "x" * 5000 + ".py:f", "y" * 300 + ":f", "a\0b", "a\0b.py:f", "a.py:f\0", "\udcff.py:f", "\udcff",
                "-", "--", f"{folder}:f", f"{folder}/:f", f"{good}:", f"{good}:nosuch", f"{good}:conv.x", f"{good}:con v", f"{good}:__name__", f"{good}:{'n' * 5000}",
                "/dev/null:f", "/proc/self/mem:f", f"{folder}/x.txt:f", "http://x.py:f", "x.py", "C:\\x.py:f")  # fmt: skip
    yield from (f"{text}.py:f" for text in ESCAPES)
    yield from ESCAPES
    for name, text in PLUGINS.items():
        path = folder / f"{name}.py"
        path.write_text(text, encoding="latin-1")
        yield f"{path}:conv"
    (folder / "directory.py").mkdir()
    yield f"{folder / 'directory.py'}:conv"
    for kind, declared in CLASSES.items():
        for number, (name, capabilities) in enumerate(declared):
            path = folder / f"{kind}_{number}.py"
            path.write_text(CLASS.format(name=name, capabilities=capabilities))
            yield f"{path}:B"


def known_failures() -> Iterator[bytes]:
    """Files that are no known failures."""
    entry = '[[known]]\nclause = "C2D-PAD-1"\nreason = "x"\n'
    yield from (text.encode() for text in (
        "[[unknown]]", "known", "[known]", "known = 3", "known = []\nother = 1", "[other]", "x = 1", "known = [3]", "known = [[1]]", entry + "[[other]]\n", entry + "[known.x]\n",
        "[[known]]", '[[known]]\nreason = "x"', '[[known]]\nclause = "C2D-PAD-1"', *(entry + line for line in (
            'quantity = "nonsense"', 'quantity = ""x', "quantity = 3", 'quantity = ["output"]', 'nonsense = "x"', 'clauses = "C2D-PAD-1"', 'clause = "C2D-PAD-2"', 'where = "group > 1"',
            "where = 3", 'where = "import os"', "where = \"dtype == 'float8'\"", "where = \"values == 'x'\"", "where = \"padding_mode in ('none',)\"", 'where = "1 // 0"', 'where = "width % (1 - 1)"',
            'where = "dtype < 3"', 'where = "dtype + 3 == 4"', "where = \"'a' * 1000000000 == dtype\"", 'where = "' + "(" * 900 + '"', 'where = "' + "not " * 5000 + 'bias"', 'where = "groups > ' + "9" * 5000 + '"',
            'where = "x"', 'where = "False"', 'where = "groups > 1; groups"', 'where = "(1,) * 1000000000 == groups"', 'where = "groups in groups"', 'token = "nonsense"', "token = 3",
            'token = "v1,x=1x3x100000x100000,out=1,k=1"', 'skip = "no"', 'skip = "yes"', "skip = true", "link = 3", "link = 1979-05-27", "reason2 = nan")),
        '[[known]]\nclause = "C2D-PADD-1"\nreason = "x"', '[[known]]\nclause = ""\nreason = "x"', '[[known]]\nclause = "C2D-PAD-1"\nreason = ""', '[[known]]\nclause = "C2D-PAD-1"\nreason = "  "',
        "[[known", "=", "a = 1\na = 2", "\0", "x = " + "[" * 5000, "x = " + "9" * 5000, "known = {", '"\\ud800" = 1',
    ))  # fmt: skip
    yield from (b"\xff\xfe\x00", b"\xef\xbb\xbf\xff", bytes(range(256)), "[[known]]".encode("utf-16"))


def records() -> Iterator[bytes]:
    """Files that are no record."""
    lines = list(to_lines(RECORD))
    yield from (text.encode() for text in ("", "\n", "{}", "[]", "null", "3", "nan", "not JSON", '{"kind": 1}', '{"kind": "verdict"}', '{"kind": "campaign"}', "9" * 5000,
                '{"a":' * 5000, "[" * 100000, '{"kind": "campaign", "schema": 1}', '{"kind": "campaign", "schema": 3}', '{"kind": "campaign", "schema": 1e999}', '{"kind": "campaign", "kind": "count"}',
                '{"kind": "campaign", "schema": ' + "9" * 5000 + "}", "\0", "\x1b[31m", "\ufeff{}"))  # fmt: skip
    yield from (
        b"\xff\xfe",
        bytes(range(256)),
        "\n".join(lines).encode("utf-16"),
        "\n".join(lines).encode()[:-40],
        b"\x89PNG\r\n\x1a\n",
    )
    first = {json.loads(line)["kind"]: number for number, line in reversed(list(enumerate(lines)))}
    for number in first.values():
        entry = json.loads(lines[number])
        for field, value in entry.items():
            if field == "kind":
                continue
            for wrong in (..., None, [[]], {"x": {}}, 1e999, "\x1b"):
                if wrong is None and value is None:
                    continue
                changed = {k: v for k, v in entry.items() if k != field} | ({} if wrong is ... else {field: wrong})
                yield "\n".join([*lines[:number], json.dumps(changed), *lines[number + 1 :]]).encode()
        for extra in ({"more": 1}, {"\x1b": 1}):
            yield "\n".join([*lines[:number], json.dumps(entry | extra), *lines[number + 1 :]]).encode()
        double = lines[number][:-1] + ", " + json.dumps(dict([list(entry.items())[1]]))[1:]
        yield "\n".join([*lines[:number], double, *lines[number + 1 :]]).encode()


def inputs(folder: Path) -> Iterator[tuple[str, list[str]]]:
    """Commands with what is wrong in them."""
    for token in tokens():
        yield "replay TOKEN", ["replay", "-b", "numpy", "--in-process", "--", token]
    for line in histories():
        yield "replay --history", ["replay", "-b", "numpy", "--in-process", "--history", line]
    for layer in layers():
        yield "explain", ["explain", "--", layer]
    for shape in shapes():
        yield "explain --input", ["explain", "Conv2d(3, 10, 5)", "--input", shape]
    for number, spec in enumerate(specs(folder)):
        yield "large BACKEND", ["large", "--memory", "0.001", "-b", spec]
        if number % 4 == 0:  # each starts a process
            yield "replay BACKEND", ["replay", CASE, "-b", spec]
    run = ["run", "-b", "numpy", "--examples", "1", "--report-dir", str(folder / "reports")]
    for number, content in enumerate(known_failures()):
        path = folder / f"known_{number}.toml"
        path.write_bytes(content)
        yield "run --known-failures", [*run, "--known-failures", str(path)]
    for number, content in enumerate(records()):
        path = folder / f"record_{number}.jsonl"
        path.write_bytes(content)
        yield "report", ["report", str(path), "--to", str(folder / "anew")]
    record = folder / "record"
    record.mkdir()
    (record / "findings.jsonl").write_text("\n".join(to_lines(RECORD)))
    for arguments in ([str(folder)], ["/nowhere"], [""], ["\0"], ["x" * 5000], ["/dev/null"], ["/proc/self/mem"], ["\udcff"], [],
                      [str(record), "--to", str(folder / "good.py")], [str(record), "--to", "/proc/x"], [str(record), "--to", "a\0b"],
                      [str(record), "--level", "x"], [str(record), "--to", str(folder / ("x" * 300))], ["\x1b[31m"]):  # fmt: skip
        yield "report", ["report", *arguments]
    yield from options(folder, run)


def options(folder: Path, run: list[str]) -> Iterator[tuple[str, list[str]]]:
    """Options that cannot be."""
    for text in NUMBERS:
        for option in ("--examples", "--seed", "--limit", "--workers", "--diagnosis-calls"):
            yield "run options", [*run, option, text]
        for option in ("--time", "--diagnosis-time"):
            if text:
                yield "run options", [*run, option, text]
        for command in ("replay", "characterize"):
            yield (
                f"{command} options",
                [command, "-b", "numpy", "--limit", text, *([CASE] if command == "replay" else [])],
            )
        yield "characterize options", ["characterize", "-b", "numpy", "--seed", text]
        yield "characterize options", ["characterize", "-b", "numpy", "--examples", text]
        yield "large options", ["large", "-b", "numpy", "--memory", text]
        for option in ("--examples", "--variant-examples", "--seed", "--workers"):
            yield "certify options", ["certify", "--report-dir", str(folder / "reports"), option, text]
    yield from (("run options", [*run, *arguments]) for arguments in (
        ["--workers", "1000000000"], ["--examples", str(10**30)], ["--time", "1e400s"], ["--time", "0s"], ["--time", "s"], ["--time", "1d"], ["--time", "-5m"], ["--time", "1e300h"],
        ["--dtype", "float8"], ["--dtype", ""], ["--dtype", "\x1b[31m"], ["--dtype", "float32,float64"], ["--clause", "nonsense"], ["--clause", " "], ["--clause", "\x1b"], ["--clause", "C2D-PAD-99"],
        ["--level", ""], ["--level", "perfect"], ["--reach", ""], ["--reach", "far"], ["--sanitize", "x"], ["--sanitize", "address", "--in-process"], ["--untrusted", "--in-process"],
        ["--database", "nosuch:x"], ["--database", "os:path"], ["--database", str(folder / "good.py")], ["--database", "a\0b"], ["--database", "x" * 5000], ["--database", "os:nosuch"],
        ["--known-failures", "/nowhere"], ["--known-failures", ""], ["--known-failures", "\0"], ["--known-failures", "/dev/null/x"], ["--nonsense"], ["extra"], ["--seed"],
        *(["--name", name] for name in ("../../x", "/etc/x", "a/b", "a\\b", ".", "..", "a\0b", "x" * 256, "\u00e9" * 200, " ", "a\nb", "\x1b[31m", "-\x07", "\udcff", "a/../../b", "\u202e", "a.", "a:b")),
        *(["--report-dir", where] for where in (str(folder / "good.py"), "/proc/nowhere", "a\0b", str(folder / ("x" * 300)), "/dev/null", str(folder / "good.py" / "x"))),
    ))  # fmt: skip
    yield from (("large options", ["large", *arguments]) for arguments in (
        ["-b", "numpy", "--dtype", "float8"], ["-b", "numpy", "--dtype", ""], ["-b", "numpy", "--memory", "0"], [], ["-b"], ["-b", "numpy", "--memory", "1e19"]))  # fmt: skip
    yield from (
        ("characterize options", ["characterize", *arguments])
        for arguments in (["-b", "numpy", "--dtype", "float8"], ["-b", "nosuch"], [], ["-b", "x.py:"])
    )
    yield from (("certify options", ["certify", "--report-dir", str(folder / "reports"), *arguments]) for arguments in (
        ["--only", "nosuch"], ["--only", ""], ["--only", "\x1b[31m"], ["--on", "nosuch"], ["--on", "\x1b"], ["--only", "variants", "--on", "../x"]))  # fmt: skip
    yield from (
        ("certify options", ["certify", "--only", "variants", "--report-dir", where])
        for where in (str(folder / "good.py"), "/proc/x", "a\0b")
    )
    yield from (("replay options", ["replay", *arguments]) for arguments in (
        [], [CASE], ["-b", "numpy"], ["-b", "numpy", CASE, "--history", CASE], ["-b", "nosuch", CASE], ["-b", "x.py:", CASE], ["-b", "numpy", CASE, "--sanitize", "x"],
        ["-b", "numpy", "--sanitize", "address", "--history", CASE], ["-b", "numpy", CASE, "--limit", "0"], ["-b", "numpy", CASE, "--untrusted", "--in-process"]))  # fmt: skip
    yield from (
        ("doctor", ["doctor", *arguments])
        for arguments in (
            ["-b", "nosuch"],
            ["-b", "x.py:"],
            ["-b", ""],
            ["-b", "\x1b[31m"],
            ["--nonsense"],
            ["x"],
            ["-b", "[red]x[/blue].py:f"],
            ["-b", "a\0b"],
        )
    )
    yield from (
        ("list, spec", arguments)
        for arguments in (
            ["list", "x"],
            ["list", "--lod"],
            ["spec", "x"],
            ["spec", "--x"],
            ["nosuch"],
            ["--nosuch"],
            ["\x1b[31m"],
            [""],
            ["[red]x[/blue]"],
        )
    )


def pytest_inputs(folder: Path) -> Iterator[list[str]]:
    """Options of pytest that cannot be."""
    (folder / "nothing").mkdir()
    yield []
    yield from (
        ["--conv-backend", spec]
        for spec in (
            "",
            ":",
            "nosuch",
            "x.py:",
            "a\0b",
            "[red]x[/blue].py:f",
            f"{folder}:f",
            f"{folder / 'syntax.py'}:conv",
            "\x1b[31m.py:f",
            "x" * 5000,
        )
    )
    for options in (("--conv-examples", ("0", "-1", "x", "nan", str(10**30))), ("--conv-seed", ("-1", "x", "9" * 4300)), ("--conv-limit", ("0", "-1", "nan", "inf", "1e300", "x")),
                    ("--conv-dtype", ("", "float8", "\x1b")), ("--conv-level", ("", "perfect")), ("--conv-reach", ("", "far")), ("--conv-database", ("nosuch:x", "a\0b", str(folder / "good.py"))),
                    ("--conv-report-dir", (str(folder / "good.py"), "/proc/x", "a\0b")), ("--conv-known-failures", ("/nowhere", "a\0b", str(folder / "good.py"), str(folder / "known_0.toml")))):  # fmt: skip
        name, values = options
        yield from (["--conv-backend", "numpy", "--conv-dtype", "float32", name, value] for value in values)


class HangError(BaseException):
    """An input took longer than `LIMIT`."""


def _hang(*_: object) -> None:
    raise HangError


def outcome(arguments: list[str]) -> tuple[str, str]:
    """What came of a command: its exit status or what else, and what it printed."""
    out = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
    sys.argv = ["convcheck", *arguments]
    signal.alarm(LIMIT)
    code: object
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
            main()
        code = "returned"
    except SystemExit as exit_:
        code = exit_.code or 0
    except HangError:
        code = "hung"
    except BaseException as error:  # noqa: BLE001  (what got past main is what is looked for)
        code = type(error).__name__
    signal.alarm(0)
    out.flush()
    return str(code), out.buffer.getvalue().decode(errors="replace")  # type: ignore[attr-defined]


def pytest_outcome(arguments: list[str], folder: Path) -> tuple[str, str]:
    """What came of a run of the suite in a foreign folder."""
    out = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
    before = Path.cwd()
    os.chdir(folder / "nothing")
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
        try:
            code = int(
                pytest.main(
                    ["--pyargs", "convcheck.suite", "-p", "no:cacheprovider", "-p", "no:randomly", "-q", *arguments]
                )
            )
        except BaseException as error:  # noqa: BLE001
            code = type(error).__name__
    os.chdir(before)
    out.flush()
    return str(code), out.buffer.getvalue().decode(errors="replace")  # type: ignore[attr-defined]


def obeyed(text: str) -> bool:
    """Whether a terminal would obey something in there."""
    return any(sign in text for sign in ("\x1b", "\x07", "\x9b", "\u202e", "\0"))


def measure(folder: Path, *, show: bool) -> None:
    """Put every input and print the table."""
    rows: dict[str, Counter[str]] = {}

    def note(kind: str, arguments: list[str], code: str, said: str) -> None:
        row = rows.setdefault(kind, Counter())
        raised = "Traceback (most" in said or "INTERNALERROR" in said or code not in ("0", "1", "2", "4")
        refused = code == "2" or (kind == "pytest" and code == "4")
        row["inputs"] += 1
        row["refused"] += refused and not raised
        row["tracebacks"] += raised
        row["other"] += not refused and not raised
        row["obeyed"] += obeyed(said)
        if show and (raised or not refused or obeyed(said) or not said.strip()):
            print(kind, code, [a[:150] for a in arguments], "\n    ", ascii(said[-300:]), flush=True)

    for kind, arguments in inputs(folder):
        note(kind, arguments, *outcome(arguments))
    for arguments in pytest_inputs(folder):
        note("pytest", arguments, *pytest_outcome(arguments, folder))
    names = ("inputs", "refused", "other", "tracebacks", "obeyed")
    total: Counter[str] = sum(rows.values(), Counter())
    shown = [[kind, *(row[name] for name in names)] for kind, row in [*rows.items(), ("all", total)]]
    print(
        table(["command", "inputs", "exit 2", "other", "tracebacks", "control characters let through"], shown, "text")
    )


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    signal.signal(signal.SIGALRM, _hang)
    with tempfile.TemporaryDirectory() as somewhere:
        measure(Path(somewhere), show="--show" in sys.argv)
