"""Every card on the sheet is read back by a scanner, twice: as QR and as Code 128."""

from __future__ import annotations

import pypdfium2
import pytest
import zxingcpp

from lims.domain.commands import Command, command_of
from lims.domain.refusals import Malformed
from reports.command_cards import CommandCard, command_sheet

CARDS = [
    CommandCard(command, "Hoàn tác việc vừa làm", "Rút lại lần đăng ký sau cùng của bàn này.")
    for command in Command
]


def read_back(pdf: bytes) -> list[tuple[str, str]]:
    pages = pypdfium2.PdfDocument(pdf)
    found = []
    for page in pages:
        found += zxingcpp.read_barcodes(page.render(scale=4).to_pil())
    return sorted((str(one.format).rpartition(".")[2], one.text) for one in found)


def test_every_card_is_read_as_qr_and_as_bars() -> None:
    seen = read_back(command_sheet(CARDS, title="PXN Cầu Giấy"))
    payloads = sorted(command.value for command in Command)
    assert sorted(text for symbol, text in seen if "QR" in symbol.upper()) == payloads
    assert sorted(text for symbol, text in seen if "128" in symbol) == payloads


def test_the_same_cards_are_the_same_bytes() -> None:
    assert command_sheet(CARDS, title="PXN") == command_sheet(CARDS, title="PXN")


def test_a_card_given_twice_and_no_card_at_all_are_refused() -> None:
    for cards in ([], [CARDS[0], CARDS[0]]):
        with pytest.raises(Malformed):
            command_sheet(cards, title="PXN")


def test_a_long_word_and_a_second_page_do_not_break_the_sheet() -> None:
    many = [CommandCard(f"CMD-{n}", "W" * 60, "chữ " * 80) for n in range(50, 63)]
    assert len(pypdfium2.PdfDocument(command_sheet(many, title="X" * 300))) == 2


@pytest.mark.parametrize("typed", ["CMD-10", "cmd-10\r\n", " CMD–10", "CMD_10", "CMD/10"])
def test_a_card_is_known_however_the_keyboard_types_it(typed: str) -> None:
    assert command_of(typed) is Command.UNDO


@pytest.mark.parametrize("typed", ["", "CMD", "CMD-99", "UNDO", "TT7K40FQ9XB", "CMD-1 0 0"])
def test_what_is_no_command_is_none(typed: str) -> None:
    assert command_of(typed) is None


def test_no_input_method_rewrites_a_payload() -> None:
    """Telex and VNI work on vowels, on DD and on D9."""
    for command in Command:
        assert not set("AEIOUY") & set(command) and "DD" not in command
