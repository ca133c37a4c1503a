from html import unescape
from xml.etree import ElementTree as ET

from convcheck.report.html import html
from convcheck.report.notebook import in_notebook
from full_record import RECORD


def test_the_frame_holds_the_whole_page_and_nothing_gets_out():
    text = in_notebook(RECORD)
    frame = ET.fromstring(text.replace("<iframe sandbox ", '<iframe sandbox="" '))
    assert frame.tag == "iframe"
    assert "".join(frame.get("srcdoc").split()) == "".join(html(RECORD).split())
    assert unescape(text).count("<script>") == html(RECORD).count("<script>")
    assert text.count("<") == 2
