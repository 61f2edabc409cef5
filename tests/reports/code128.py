"""Reads Code 128 from the widths of bars and spaces, as a scanner does (ISO/IEC 15417:2007).

The patterns are table 1 of the standard, typed in here and not taken from the library that draws,
so that drawing and reading can disagree.
"""

from collections.abc import Sequence

_PATTERNS = """
212222 222122 222221 121223 121322 131222 122213 122312 132212 221213 221312 231212 112232 122132
122231 113222 123122 123221 223211 221132 221231 213212 223112 312131 311222 321122 321221 312212
322112 322211 212123 212321 232121 111323 131123 131321 112313 132113 132311 211313 231113 231311
112133 112331 132131 113123 113321 133121 313121 211331 231131 213113 213311 213131 311123 311321
331121 312113 312311 332111 314111 221411 431111 111224 111422 121124 121421 141122 141221 112214
112412 122114 122411 142112 142211 241211 221114 413111 241112 134111 111242 121142 121241 114212
124112 124211 411212 421112 421211 212141 214121 412121 111143 111341 131141 114113 114311 411113
411311 113141 114131 311141 411131 211412 211214 211232
""".split()  # noqa: SIM905 - laid out as the standard prints it, to be compared by eye
_VALUE = {pattern: value for value, pattern in enumerate(_PATTERNS)}
_STOP = "2331112"
_CODE_C, _CODE_B, _START_B, _START_C = 99, 100, 104, 105


class Unreadable(Exception):
    pass


def read(widths: Sequence[float]) -> tuple[str, float]:
    """The text, and the module in the unit of `widths` (bar, space, bar …, both ends bars)."""
    if len(widths) % 6 != 1:
        raise Unreadable(f"{len(widths)} elements are no whole number of characters and a stop")
    module = sum(widths) / (11 * (len(widths) - 7) / 6 + 13)
    modules = [round(width / module) for width in widths]
    if any(abs(width / module - whole) > 0.4 for width, whole in zip(widths, modules, strict=True)):
        raise Unreadable("a bar or space between two widths")
    pattern = "".join(map(str, modules))
    if pattern[-7:] != _STOP:
        raise Unreadable("no stop character")
    try:
        values = [_VALUE[pattern[at : at + 6]] for at in range(0, len(pattern) - 7, 6)]
    except KeyError as unknown:
        raise Unreadable(f"no character has the pattern {unknown}") from unknown
    start, *data, check = values
    if (start + sum(place * value for place, value in enumerate(data, 1))) % 103 != check:
        raise Unreadable("wrong check character")
    return _text(start, data), module


def _text(start: int, data: Sequence[int]) -> str:
    if start not in (_START_B, _START_C):
        raise Unreadable("neither code set B nor C")
    digits, text = start == _START_C, ""
    for value in data:
        if digits and value == _CODE_B:
            digits = False
        elif not digits and value == _CODE_C:
            digits = True
        elif digits:
            text += f"{value:02d}"
        else:
            text += chr(value + 32)
    return text
