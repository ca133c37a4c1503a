"""The examples of the documentation: commands and Python in the code blocks of its pages.

A line ``<!-- skip: next "reason" -->`` before a block says why it is not executed. Its commands are still parsed.
"""

import re
import shlex
from dataclasses import dataclass
from pathlib import Path
from unittest import SkipTest

from sybil import Sybil
from sybil.parsers.markdown import CodeBlockParser, PythonCodeBlockParser, SkipParser

PROJECT = Path(__file__).parents[1]
PAGES = (PROJECT / "README.md", *sorted((PROJECT / "docs" / "pages").rglob("*.md")))

SMALL = {
    "run": "--examples 4 --workers 1 --reach quick --diagnosis-calls 40",
    "characterize": "--examples 4",
    "certify": "--examples 4 --variant-examples 2 --only bias",
}
"""What a gate can afford, to be put at the end of a command: of an option that comes twice the last one holds."""

IN_PROCESS = ("run", "replay", "characterize")


@dataclass(frozen=True)
class Command:
    """A command of a page, the output that is shown under it, and why it is not executed if it is not."""

    page: str
    line: int
    text: str
    output: str = ""
    skipped: str = ""

    @property
    def words(self):
        """As a shell splits it, without what it sets in the environment."""
        return [word for word in shlex.split(self.text, comments=True) if not re.match("[A-Z_]+=", word)]

    @property
    def affordable(self):
        """The arguments of convcheck, with a small budget unless an output is shown; here and in no other process."""
        arguments = self.words[1:]
        budget = [] if self.output else shlex.split(SMALL.get(arguments[0], ""))
        here = arguments[0] in IN_PROCESS and not {"--untrusted", "--sanitize", "--scheduler"} & set(arguments)
        return [*arguments, *budget, *(["--in-process"] if here else [])]


def commands():
    """Every command of every page."""
    return [command for page in PAGES for command in _commands(page)]


def _commands(page):
    blocks = []
    of_shells = [CodeBlockParser(language, blocks.append) for language in ("sh", "console")]
    others = CodeBlockParser("python", lambda _: None)
    for example in Sybil([SkipParser(), *of_shells, others]).parse(page).examples():
        blocks.clear()
        reason = ""
        try:
            example.evaluate()
        except SkipTest as skipped:
            reason = str(skipped)
            example.region.evaluator(example)
        for block in blocks:
            for text, output in _split(block.parsed):
                yield Command(str(page.relative_to(PROJECT)), block.line, text, output, reason)


def _split(block):
    """Commands and their outputs: of a console the lines after ``$``, of a script every line."""
    block = block.replace("\\\n", " ")
    if block.startswith("$ "):
        return [tuple(part.split("\n", 1)) for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]]
    return [(line, "") for line in block.splitlines() if line.strip() and not line.startswith("#")]


def has_python(page):
    """Whether it has a block of Python that is executed."""
    return "```python\n" in page.read_text()


def execute_python(page):
    """Execute the Python of a page, block after block, and give what it defined."""
    others = [CodeBlockParser(language, lambda _: None) for language in ("sh", "console")]
    document = Sybil([SkipParser(), PythonCodeBlockParser(), *others]).parse(page)
    for example in document.examples():
        try:
            example.evaluate()
        except SkipTest:
            continue
    return document.namespace
