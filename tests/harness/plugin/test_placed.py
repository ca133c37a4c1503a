import pytest

from convcheck.plugin.placed import Placed


@pytest.mark.parametrize(
    ("spec", "backend", "release"),
    [
        ("onnxruntime@1.24", "onnxruntime", "1.24"),
        ("onnxruntime@1.24?threads=2", "onnxruntime?threads=2", "1.24"),
        ("torch-cpu@torch@2.4.0+cpu", "torch-cpu", "torch@2.4.0+cpu"),
        ("/home/me@here/kernel.py:conv@old", "/home/me@here/kernel.py:conv", "old"),
        ("package.module:Name@1.0rc1", "package.module:Name", "1.0rc1"),
    ],
)
def test_what_follows_the_last_name_and_an_at_is_an_environment(spec, backend, release):
    assert Placed.of(spec) == Placed(backend, release)


@pytest.mark.parametrize(
    "spec", ["numpy", "/home/me@here/kernel.py:conv", "kernel.py:conv", "@1.0", "mine?mail=a@b", ""]
)
def test_anything_else_is_of_this_environment(spec):
    assert Placed.of(spec) is None


def test_an_environment_is_named_after_the_backend_or_by_itself():
    assert Placed.of("fake.py:Fake@1.0?a=b").names == ("Fake@1.0", "1.0")
