"""The typeface on paper draws every letter Vietnamese has."""

import unicodedata

from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont

from reports import fonts

_PLAIN = "abcdefghijklmnopqrstuvwxyzăâđêôơư"
_TONES = ("", "\u0300", "\u0309", "\u0303", "\u0301", "\u0323")
_VIETNAMESE = {
    unicodedata.normalize("NFC", letter + (tone if letter in "aeiouyăâêôơư" else ""))
    for letter in _PLAIN + _PLAIN.upper()
    for tone in _TONES
}


def test_both_weights_have_a_glyph_for_every_vietnamese_letter_and_tone() -> None:
    fonts.register()
    fonts.register()  # a second time is harmless
    for name in (fonts.REGULAR, fonts.BOLD):
        face = pdfmetrics.getFont(name)
        assert isinstance(face, TTFont)
        assert {ord(letter) for letter in _VIETNAMESE | {"…", "·"}} <= face.face.charToGlyph.keys()


def test_a_text_that_fits_is_only_composed() -> None:
    fonts.register()
    assert fonts.fitted("Đo\u0302\u0301ng Đa", fonts.REGULAR, 7, 200) == "Đống Đa"


def test_a_text_that_does_not_fit_is_cut_to_the_room_it_has() -> None:
    fonts.register()
    cut = fonts.fitted("Trung tâm Kiểm soát bệnh tật", fonts.REGULAR, 7, 50)
    assert cut.endswith("…")
    assert "Trung tâm Kiểm soát".startswith(cut[:-1])
    assert pdfmetrics.stringWidth(cut, fonts.REGULAR, 7) <= 50
