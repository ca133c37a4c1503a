"""Tables of reports, read back."""

import re


def sections(text):
    """What stands below each title of a report, by title, whichever the style."""
    titles = "Verdict|Levels|Backends|Untrusted|Cases|Findings|Not looked at|Clauses|Statuses|Margins|Coverage|This run"
    parts = re.split(rf"^(?:## )?({titles})\n\n", text, flags=re.MULTILINE)
    return dict(zip(parts[1::2], (part.rstrip("\n") for part in parts[2::2]), strict=True))


def rows(table):
    """Header and rows of a table, as lists of texts, whichever the style."""
    lines = table.split("\n")
    if lines[0].startswith("|"):
        cells = [[plain(cell.strip()) for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines]
        return [cells[0], *cells[2:]]
    ruler = next(line for line in lines if line and not line.strip("- "))
    starts = [found.start() for found in re.finditer("-+", ruler)]
    spans = list(zip(starts, [*starts[1:], None], strict=True))
    return [[line[start:end].strip() for start, end in spans] for line in lines if line is not ruler]


def plain(text):
    """What a page of Markdown shows of a text that is nothing but text."""
    unescaped = re.sub(r"\\([!-/:-@\[-`{-~])", r"\1", text)
    return unescaped.replace("&lt;", "<").replace("&amp;", "&")
