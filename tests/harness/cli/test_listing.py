import subprocess
import sys

import pytest

from convcheck import ReferenceBackend, cli
from convcheck.cli import listing
from convcheck.plugin.torch_bridge import absence


def listed(monkeypatch, capsys, *options):
    monkeypatch.setattr(sys, "argv", ["convcheck", "list", *options])
    with pytest.raises(SystemExit) as exit_:
        cli.main()
    assert not exit_.value.code
    return {line.split()[0]: line for line in capsys.readouterr().out.splitlines()[2:]}


@pytest.mark.parametrize("command", [["list"], ["doctor", "--backend", "numpy"]])
def test_no_engine_is_imported_to_say_what_there_is(command):
    code = (
        f"import sys\nsys.argv = ['convcheck', *{command!r}]\nfrom convcheck.cli import main\n"
        "try:\n    main()\nfinally:\n    print('imported:', {'torch', 'convcheck_backends'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.splitlines()[-1]) == (0, "imported: set()"), done.stderr
    assert "torch" in done.stdout


def test_a_list_says_where_backends_come_from(monkeypatch, capsys):
    found = listed(monkeypatch, capsys)
    assert found["numpy"].split()[1] == "convcheck"
    assert found["numpy"].split()[-2:] == ["convcheck_backends.numpy_reference:NumpyBackend", "installed"]


def test_loaded_backends_say_what_they_take_or_why_they_are_absent(monkeypatch, capsys):
    found = listed(monkeypatch, capsys, "--load")
    assert found["numpy"].split()[4:7] == ["available", "float16,", "bfloat16,"]
    if absence("mps"):
        assert f"unavailable  {absence('mps')}" in found["torch-mps"]


def test_a_loaded_backend_says_its_options(monkeypatch, capsys):
    class Engine(ReferenceBackend):
        name = "engine"

        def __init__(self, threads: int = 1, packing: bool = True):
            pass

    monkeypatch.setattr(listing, "load_backend", lambda name: Engine())
    said = "threads (a whole number, by default 1); packing (yes or no, by default yes)"
    assert said in listed(monkeypatch, capsys, "--load")["numpy"]
