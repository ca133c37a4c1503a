"""The examples of the documentation: commands and Python in the code blocks of its pages.

A line ``<!-- skip: next "reason" -->`` before a block says why it is not executed. Its commands are still parsed.
"""

import itertools
import re
import shlex
from dataclasses import dataclass
from pathlib import Path
from unittest import SkipTest

from sybil import Sybil
from sybil.parsers.markdown import CodeBlockParser, PythonCodeBlockParser, SkipParser

PROJECT = Path(__file__).parents[1]
PAGES = (PROJECT / "README.md", *sorted((PROJECT / "docs" / "pages").rglob("*.md")))

AFFORDABLE = {
    "run": "--workers 1 --examples 2 --seed 0 --reach quick --diagnosis-calls 20 --database none",
}
"""Options with which a gate can afford a command; they take the place of its own."""

IN_PROCESS = ("run", "replay")


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
        """The arguments of convcheck, with a budget that a gate can afford."""
        arguments, budget = self.words[1:], shlex.split(AFFORDABLE.get(self.words[1], ""))
        if self.words[1] in IN_PROCESS and "torch" not in self.text:  # which may crash, and nothing may crash the tests
            budget.append("--in-process")
        kept = [b for a, b in itertools.pairwise(["", *arguments]) if not {a, b} & {o for o in budget if o[:2] == "--"}]
        return (*kept, *budget)


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
