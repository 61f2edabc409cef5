"""Probabilities and cycle numbers as a pool's page draws them."""

from typing import Final

from flask import Flask

from lims.domain import barcodes
from lims.domain.pooling.bayes.remaining_work import NAMED_FROM
from lims.web.language import num

_FIRST_CT, _LAST_CT = 12.0, 42.0
_LEAST: Final = 0.001  # shares nearer to none or to all are said as such


def share_words(share: float) -> str:
    """96,4 of .964; never a nought or a hundred, which no test can promise."""
    if share < _LEAST:
        return f"< {num(100 * _LEAST, 1)}"
    if share > 1 - _LEAST:
        return f"> {num(100 * (1 - _LEAST), 1)}"
    return num(100 * share, 1)


def heat(share: float) -> str:
    """The bar's colour: hot from where the evidence names."""
    return "hot" if share >= NAMED_FROM else ""


def ct_place(ct_cycles: float) -> str:
    """Where a cycle number lies on its line, early on the left."""
    share = (ct_cycles - _FIRST_CT) / (_LAST_CT - _FIRST_CT)
    return f"{100 * min(1.0, max(0.0, share)):.1f}%"


def ending(barcode: str) -> str:
    """A tube by the end of its label, as people read it aloud."""
    return barcodes.shown(barcode)[-8:].lstrip("-")


def init_app(app: Flask) -> None:
    """What the pool's page draws with."""
    app.jinja_env.filters.update(
        share_words=share_words, heat=heat, ct_place=ct_place, ending=ending
    )
