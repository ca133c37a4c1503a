import re

import pytest

from convcheck.report.tables import WIDTH, counted, definitions, paragraphs, printable, table, wrapped
from read_tables import rows


@pytest.mark.parametrize("style", ["markdown", "text"])
def test_a_table_gives_its_cells_back(style):
    cells = [["12e5", "0010"], ["a|b", "1.50"], ["<class 'x'>", "3 < 4"], ["", "é×"]]
    assert rows(table(["id", "a | b"], cells, style)) == [["id", "a | b"], *cells]


@pytest.mark.parametrize("style", ["markdown", "text"])
def test_an_id_that_looks_like_a_number_stays_an_id(style):
    cells = [["12e5"], ["0010"], ["1_0"], ["1.50"]]
    assert rows(table(["id"], cells, style))[1:] == cells


@pytest.mark.parametrize("style", ["markdown", "text"])
def test_a_cell_stays_on_one_line(style):
    assert rows(table(["what"], [["first\n  second\r\n\tthird"]], style))[1] == ["first second third"]


def test_markdown_shows_what_looks_like_a_tag():
    shown = table(["what"], [["<script>x</script> <!-- 3 < 4"]], "markdown")
    assert "&lt;script>x&lt;/script> &lt;!-- 3 < 4" in shown


@pytest.mark.parametrize("style", ["markdown", "text"])
def test_a_terminal_obeys_nothing_in_a_cell(style):
    assert rows(table(["what"], [["\x1b[2J\0\x7f\x9b\ufffe\uffff\udc80"]], style))[1] == ["�[2J������"]


def test_printable_keeps_text_in_every_language():
    text = "tab\tline\n é × 漢字 عربي \xa0 \ue000 \ufffd 😀"
    assert printable(text) == text


@pytest.mark.parametrize(("number", "words"), [(0, "0 findings"), (1, "1 finding"), (2, "2 findings")])
def test_nouns_follow_their_number(number, words):
    assert counted(number, "finding") == words


SENTENCE = " ".join(["word"] * 40)


def widest(text):
    return max(map(len, text.split("\n")))


@pytest.mark.parametrize("style", ["markdown", "text"])
def test_a_table_that_is_too_wide_is_one_for_each_backend(style):
    rows_ = [[f"/a/long/{'path/' * 12}{name}", "output", 1] for name in "aab"]
    found = table(["backend", "quantity and all that is known of it", "n"], rows_, style)
    names = [line for line in found.split("\n") if line.startswith("/a/long")]
    assert [name[-1] for name in names] == ["a", "b"]
    assert widest(found) <= WIDTH
    assert rows(found.split("\n\n")[1])[1:] == [["output", "1"]] * 2


def test_the_widest_column_of_a_text_is_broken():
    found = table(["clause", "reason"], [["C2D-X-1", SENTENCE], ["C2D-X-2", "short"]], "text")
    assert widest(found) <= WIDTH
    assert rows(found)[0] == ["clause", "reason"]
    assert " ".join(row[1] for row in rows(found)[1:-1]) == SENTENCE


@pytest.mark.parametrize(
    ("style", "headers", "row"),
    [("markdown", ("clause", "", "n"), ("C2D-X-1", SENTENCE, "")), ("text", ("a", "", "c"), ("x" * 50, SENTENCE, "y" * 40))],
)  # fmt: skip
def test_what_cannot_be_broken_is_a_list(style, headers, row):
    found = table(headers, [row], style)
    assert widest(found) <= WIDTH
    assert " ".join(found.split()).startswith(f"- {headers[0]}: {row[0]}; {SENTENCE}")
    assert "n:" not in found


@pytest.mark.parametrize("style", ["markdown", "text"])
def test_definitions_and_paragraphs_fit(style):
    found = definitions([("what is wrong", SENTENCE), ("got", "1")], style)
    assert widest(found) <= WIDTH
    assert rows_of(found) == [f"what is wrong {SENTENCE}", "got 1"]
    assert widest(paragraphs(SENTENCE, style)) <= WIDTH


def rows_of(found):
    """Name and text of each definition; the lines that go on with one are indented."""
    items = re.sub(r"\n +", " ", found).split("\n")
    return [" ".join(item.removeprefix("- ").replace(":", "", 1).split()) for item in items]


@pytest.mark.parametrize(
    ("word", "shown"),
    [
        *((mark, f"\\{mark}") for mark in "#>-+*_|"),
        ("1.", "1\\."),
        ("23)", "23\\)"),
        ("===", "\\==="),
        ("~~~", "\\~~~"),
    ],
)
def test_no_line_of_markdown_begins_what_the_text_did_not(word, shown):
    text = f"{'x' * (WIDTH - 1)} {word} rest"
    assert wrapped(text, "markdown").split("\n")[1] == f"{shown} rest"


@pytest.mark.parametrize("word", ["1.00", "-5", "--backend", "+3"])
def test_numbers_and_options_are_left_alone(word):
    assert wrapped(f"{'x' * (WIDTH - 1)} {word} rest", "markdown").split("\n")[1] == f"{word} rest"


def test_a_word_that_is_too_long_stays_in_one_piece():
    token = "v1," + "x" * 2 * WIDTH
    assert token in wrapped(f"replay {token}", "text").split("\n")
