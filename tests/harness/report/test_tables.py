import pytest

from convcheck.report.tables import counted, printable, table
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
