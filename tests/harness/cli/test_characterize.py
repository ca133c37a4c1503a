from typer.testing import CliRunner

from convcheck.cli.app import app


def characterize(*arguments):
    done = CliRunner().invoke(app, ["characterize", "--in-process", *arguments])
    return done.exit_code, done.stdout


def test_a_strict_backend_gives_up_nothing():
    code, shown = characterize("-b", "numpy", "--examples", "12", "--dtype", "float32")
    assert code == 0
    assert "profiles={}" in shown
    assert "Every fresh case keeps these promises." in shown


def test_what_no_promise_explains_is_said(tmp_path):
    kernel = tmp_path / "kernel.py"
    kernel.write_text(
        "from convcheck import ReferenceBackend, Capabilities\n"
        "class OffByOne(ReferenceBackend):\n"
        "    name = 'off'\n"
        "    capabilities = Capabilities()\n"
        "    def conv2d(self, x, weight, bias, params):\n"
        "        return super().conv2d(x, weight, bias, params) + x.dtype.type(1)\n"
    )
    code, shown = characterize("-b", f"{kernel}:OffByOne", "--examples", "12")
    assert code == 1
    assert "No promise explains:" in shown
    assert "float32 output fail" in shown


def test_a_dtype_that_does_not_exist_is_a_usage_error():
    assert characterize("-b", "numpy", "--dtype", "float8")[0] == 2
