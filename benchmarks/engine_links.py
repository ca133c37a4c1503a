"""What engines document of the findings of the matrix, or their trackers have: `engine_links.toml`, and where it goes.

Writes the links into the bug reports that are there, and into the page that lists them; nothing is judged again.

    python benchmarks/engine_links.py
    python benchmarks/engine_links.py reports/engines
"""

import argparse
import re
import tomllib
from dataclasses import dataclass
from pathlib import Path

from convcheck.model.record import Finding
from convcheck.report.compatibility.matrix_file import read_matrix

ROOT = Path(__file__).resolve().parents[1]
LINKS = ROOT / "benchmarks" / "engine_links.toml"
SECTION = "\n## Known to the engine\n"
KNOWN = " (known to the engine)"
LISTED = re.compile(r"^- \[(\d+)\]\(issues/\1\.md\): .*$", re.MULTILINE)


@dataclass(frozen=True, kw_only=True)
class Link:
    """Something that an engine says of findings.

    Attributes:
        backend: of the findings, in any release.
        clauses: one of which they break.
        says: what it says.
        url: where.
        reason: words that stand in what is wrong; any where it is empty.
    """

    backend: str
    clauses: tuple[str, ...]
    says: str
    url: str
    reason: str = ""

    def fits(self, finding: Finding) -> bool:
        """Whether it is about a finding."""
        backend = finding.backend.partition("@")[0]
        return (
            backend == self.backend and finding.clause in self.clauses and self.reason in (finding.verdict.reason or "")
        )


def links(file: Path = LINKS) -> list[Link]:
    """All that are written down."""
    found = tomllib.loads(file.read_text(encoding="utf-8"))["link"]
    return [Link(**{**each, "clauses": tuple(each["clauses"])}) for each in found]


def linked(text: str, finding: Finding, known: list[Link]) -> str:
    """A bug report with what is known of its finding at its end, instead of what stood there."""
    said = [f"- {link.says}: {link.url}" for link in known if link.fits(finding)]
    body = text.partition(SECTION)[0].rstrip("\n")
    return "\n".join([body, *([SECTION, *said] if said else []), ""])


def title(text: str) -> str:
    """The title of a bug report, and whether something is known of it, as the page lists it."""
    return f"{text.splitlines()[0].removeprefix('# ')}{KNOWN if SECTION in text else ''}"


def main() -> None:
    """Write the links where they belong."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, nargs="?", default=ROOT / "reports" / "engines")
    folder, known, titles = parser.parse_args().folder, links(), {}
    for entry in read_matrix(folder / "matrix.json").findings:
        file = folder / "issues" / f"{entry.number}.md"
        text = linked(file.read_text(encoding="utf-8"), entry.finding, known)
        file.write_text(text, encoding="utf-8")
        titles[str(entry.number)] = title(text)
    page = folder / "README.md"
    listed = LISTED.sub(lambda line: f"- [{line[1]}](issues/{line[1]}.md): {titles[line[1]]}", page.read_text("utf-8"))
    page.write_text(listed, encoding="utf-8")
    print(f"{sum(KNOWN in each for each in titles.values())} of {len(titles)} findings are known to their engines")


if __name__ == "__main__":
    main()
