"""Text from data and files, made harmless for a terminal."""

import sys
import unicodedata
from pathlib import Path

import fastnn
from fastnn.utils.text import escape, printable, table


def test_control_characters_are_escaped_and_letters_stay():
    for text in ("Zürich", "日本", "a b", "R² ≥ ½", "─│", "naïve 👍", "نمی\u200cخواهم", "\u00a0"):
        assert printable(text) == text
    for character in "\x00\x07\x1b\x7f\x9b\u202e\u2066\u200e\u2028\ufeff\udcff\n\r\t":
        shown = printable(f"a{character}b")
        assert character not in shown
        assert shown.startswith("a\\")
        assert shown.isascii()
    assert printable("a\nb\tc\x1b", keep="\n\t") == "a\nb\tc\\x1b"
    assert printable(12) == "12"


def test_no_character_of_a_harmful_kind_is_left():
    text = "".join(map(chr, range(sys.maxunicode + 1)))
    left = {unicodedata.category(c) for c in printable(text) if c not in "\u200c\u200d"}
    assert not left & {"Cc", "Cf", "Cs", "Zl", "Zp"}


def test_tables_of_text_are_harmless_and_aligned():
    lines = table([("name", "n"), ("a\x1b[2J", "1"), ("b", "22")], right=frozenset({1})).split("\n")
    assert lines == ["name       n", "─" * 12, "a\\x1b[2J   1", "b         22"]


def test_pages_of_html_escape_markup_and_control_characters():
    assert escape('<b>"\x1b\x00\u202e</b>\n') == "&lt;b&gt;&quot;\\x1b\\x00\\u202e&lt;/b&gt;\n"
    package = Path(fastnn.__file__).parent
    others = [p for p in package.rglob("*.py") if "from html import" in p.read_text("utf-8")]
    assert others == []
