"""The documentation builds without a warning, its links lead somewhere, and its examples do what it says."""

import doctest
import inspect
import os
import re
import shlex
import shutil
import subprocess
import sys

import hypothesis
import pytest
import typer
import yaml

import convcheck
import convcheck.strategies
import convcheck_backends
import convcheck_reference
from convcheck import cli
from convcheck.campaign.known_failures_file import load_known_failures
from convcheck.report.write import RECORD
from documentation import PAGES, PROJECT, commands, execute_python, has_python

COMMANDS = commands()
OURS = [command for command in COMMANDS if command.words[0] == "convcheck"]
EXECUTED = list({command.affordable: command for command in OURS if not command.skipped}.values())
NOT_OURS = {
    "pip": "installs",
    "python3": "makes an environment",
    "pytest": "the gate runs it",
    "python": "takes minutes: a measurement",
    "mkdocs": "is run by the test of the site",
}
"""Other programs, and why the examples do not start them."""

LANGUAGES = {"sh", "console", "python", "py", "c", "text", "toml", "yaml"}
"""Of blocks: the first three are executed, "py" are files of the repository."""

FEW = 8
PACKAGES = (convcheck, convcheck.strategies, convcheck_backends, convcheck_reference)
"""What two of them export is documented with the last."""


def named(command):
    return f"{command.page}:{command.line}:{' '.join(command.words[1:3])}"


def build(configuration, folder):
    command = f"{sys.executable} -m mkdocs build --strict --config-file {configuration} --site-dir {folder}"
    roots = os.pathsep.join(str(PROJECT / root) for root in ("harness", "reference", "backends"))
    environment = {**os.environ, "PYTHONPATH": roots, "NO_MKDOCS_2_WARNING": "1"}
    return subprocess.run(shlex.split(command), env=environment, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("site")
    done = build(PROJECT / "docs/mkdocs.yml", folder)
    assert not done.returncode, done.stdout + done.stderr
    return folder


def fetched(page):
    """What a reader's browser fetches from elsewhere."""
    return re.findall(r"""(?:src="|<link[^>]*href="|url\(["']?|@import ["'])((?:https?:)?//[^"')]*)""", page)


def test_the_site_builds_without_a_warning_and_fetches_nothing(site):
    pages = [*site.rglob("*.html"), *site.rglob("*.css")]
    assert len(pages) > 30
    assert {str(page): found for page in pages if (found := fetched(page.read_text()))} == {}
    assert fetched('<script src="https://example.org/a.js"></script>') == ["https://example.org/a.js"]


def test_a_link_to_nowhere_is_a_warning_which_ends_the_build(tmp_path):
    (tmp_path / "pages").mkdir()
    (tmp_path / "pages/index.md").write_text("# Title\n\n[page](nowhere.md), [anchor](#nowhere), [right](#title)\n")
    inherited = f"INHERIT: {PROJECT}/docs/mkdocs.yml\ndocs_dir: pages\nhooks: []\nextra_css: []\nplugins: []\n"
    (tmp_path / "mkdocs.yml").write_text(f"{inherited}nav: [index.md]\n")
    done = build(tmp_path / "mkdocs.yml", tmp_path / "site")
    assert done.returncode
    assert done.stderr.count("WARNING") == 2, done.stderr


def test_every_option_of_every_command_is_on_its_page(site):
    page = (site / "options.html").read_text()
    assert "--diagnosis-time" in page
    assert "--known-failures" in page


def test_every_public_name_is_in_the_reference(site):
    pages = "".join(page.read_text() for page in site.glob("api/*.html"))
    documented = set(re.findall(r'<h3 id="([\w.]+)"', pages))
    names = {
        (name, id(getattr(package, name))): f"{package.__name__}.{name}"
        for package in PACKAGES
        for name in package.__all__
        if not inspect.ismodule(getattr(package, name))
    }
    assert len(names) > 70
    assert [name for name in names.values() if name not in documented] == []


@pytest.mark.parametrize("name", ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "reports/README.md"])
def test_links_outside_of_the_site_lead_to_a_file(name):
    page = PROJECT / name
    links = re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text())
    assert [link for link in links if not (page.parent / link).exists()] == []


@pytest.fixture
def workspace(tmp_path, monkeypatch):
    """Where the commands of the pages are typed: a clone, with the kernels of its tests beside it."""
    for name in ("tests", "benchmarks", "reference"):
        (tmp_path / name).symlink_to(PROJECT / name)
    for file in (PROJECT / "tests/plugins").glob("*.py"):
        (tmp_path / file.name).symlink_to(file)
    (tmp_path / "cases.txt").write_text("v1,x=1x2x3x3,out=2,k=2  # a case\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")
    return tmp_path


@pytest.fixture(scope="session")
def earlier(tmp_path_factory):
    """The report of a run that is over."""
    folder = tmp_path_factory.mktemp("earlier")
    convcheck.check("numpy", examples=1, reach="quick", isolated=False, report_dir=folder)
    return folder


@pytest.mark.parametrize("command", EXECUTED, ids=named)
def test_a_command_of_a_page(command, workspace, earlier, monkeypatch, capsys):
    for name in ("NAME", "BEFORE", "STOPPED"):
        shutil.copytree(earlier, workspace / "reports" / name)
    (workspace / "reports" / "STOPPED" / RECORD).unlink()
    monkeypatch.setattr(sys, "argv", ["convcheck", *command.affordable])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    shown = capsys.readouterr()
    assert ended.value.code in (0, 1), shown.err
    if command.output:
        flags = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
        same = doctest.OutputChecker().check_output(command.output.replace("…", "..."), shown.out, flags)
        assert same, f"the page shows\n{command.output}\nand it is\n{shown.out}"


@pytest.mark.parametrize("command", [command for command in OURS if command.skipped], ids=named)
def test_a_command_that_is_not_executed_exists(command):
    parsed(command.words[1:])


def parsed(words):
    group = typer.main.get_command(cli.app)
    name, command, arguments = group.resolve_command(typer.Context(group), list(words))
    return command.make_context(name, arguments)


def test_an_option_that_does_not_exist_is_found():
    with pytest.raises(Exception, match="No such option"):
        parsed(["run", "--backend", "numpy", "--exmples", "3"])


def test_files_of_the_repository_that_are_named_exist():
    said = {name for page in PAGES for name in re.findall(r"\b(?:tests|benchmarks)/[\w/]+\.\w+", page.read_text())}
    assert len(said) > 10
    assert [name for name in said if not (PROJECT / name).exists()] == []


def test_every_block_is_of_a_language_that_is_executed_or_none():
    languages = {page: set(re.findall(r"^ *```(\w+)", page.read_text(), re.MULTILINE)) for page in PAGES}
    assert {page: more for page, some in languages.items() if (more := some - LANGUAGES)} == {}


def test_jobs_for_ci_are_yaml_whose_steps_run_something_or_use_a_release():
    jobs = [block for page in PAGES for block in re.findall(r"```yaml\n(.*?)```", page.read_text(), re.DOTALL)]
    steps = re.findall(r"^ +- (?:if: .*\n +)?(run|uses): (.*)", "\n".join(jobs), re.MULTILINE)
    assert all(yaml.safe_load(block) for block in jobs)
    assert {kind for kind, _ in steps} == {"run", "uses"}
    assert [used for kind, used in steps if kind == "uses" and not re.fullmatch(r"[\w/-]+@v\d+", used)] == []


def test_every_command_stands_in_the_table_of_commands():
    table = (PROJECT / "docs/pages/command-line.md").read_text()
    assert [name for name in typer.main.get_command(cli.app).commands if f"| `{name}` |" not in table] == []


def test_programs_of_others_are_known():
    others = [command for command in COMMANDS if command.words[0] != "convcheck" and not command.skipped]
    assert [command.text for command in others if command.words[0] not in NOT_OURS] == []


@pytest.fixture
def few_examples(monkeypatch):
    """Budgets that a gate can afford, in programs: of a check, and of a test of Hypothesis'."""
    check = convcheck.check
    few = {"examples": FEW, "reach": "quick", "diagnosis_seconds": 0.5}
    monkeypatch.setattr(convcheck, "check", lambda *given, **options: check(*given, **{**options, **few}))
    before = hypothesis.settings.get_current_profile_name()
    hypothesis.settings.register_profile("few", max_examples=FEW, deadline=None, database=None)
    hypothesis.settings.load_profile("few")
    yield
    hypothesis.settings.load_profile(before)


@pytest.mark.usefixtures("workspace", "few_examples")
@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel lengths")  # torch's, once a process
@pytest.mark.parametrize("page", [page for page in PAGES if has_python(page)], ids=lambda page: page.stem)
def test_the_python_of_a_page(page):
    for name, defined in list(execute_python(page).items()):  # a warning adds a name to them
        if name.startswith("test_") and not inspect.signature(defined).parameters:
            defined()


def test_known_failures_of_a_page_are_read(workspace):
    block = re.search(
        r"```toml\n(\[\[known\]\].*?)```", (PROJECT / "docs/pages/known-failures.md").read_text(), re.DOTALL
    )
    (workspace / "known.toml").write_text(block[1])
    assert len(load_known_failures(workspace / "known.toml", ["numpy"])) == 2
