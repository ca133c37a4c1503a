"""What stands at the top of the package: every name is there, and nothing heavy comes with it."""

import subprocess
import sys

import pytest

import convcheck

HEAVY = ("numpy", "torch", "hypothesis", "convcheck_reference.params", "convcheck_backends")


def in_a_fresh_process(code):
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert not done.returncode, done.stderr
    return done.stdout.split()


@pytest.mark.parametrize("module", ["convcheck", "convcheck.pytest_plugin"])
def test_importing_it_loads_nothing_heavy(module):
    assert not in_a_fresh_process(f"import sys, {module}\nfor name in {HEAVY}: print(*{{name}} & set(sys.modules))")


def test_the_bridge_to_torch_loads_torch_when_it_is_used():
    code = "import sys, numpy\nfrom convcheck import {}\nprint('torch' in sys.modules)\nto_torch(numpy.zeros(1))\n"
    code += "print('torch' in sys.modules)"
    names = ("differentiate", "differentiate_twice", "from_torch", "to_torch")
    assert in_a_fresh_process(code.format(", ".join(names))) == ["False", "True"]


@pytest.mark.parametrize("name", convcheck.__all__)
def test_every_public_name_is_there(name):
    assert getattr(convcheck, name) is not None
    assert name in dir(convcheck)


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="'convcheck' has no attribute 'conv3d'"):
        _ = convcheck.conv3d
