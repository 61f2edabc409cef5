"""What single rules say when they refuse: `expected=`, `todo=` and the faults they list.

A rule writes a constant sentence, and the values into `came`: so that the sentence has its
Vietnamese. They are found where they stand, in the source of the rooms whose rules pages run.
"""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import lims

SAID: Final = frozenset({"expected", "todo"})
_ROOM: Final = Path(lims.__file__).parent
_ROOMS: Final = ("domain", "work", "web")


def of_the_rules() -> Iterator[str]:
    """Every constant sentence of a rule."""
    for _file, said in _said():
        for one in (said.body, said.orelse) if isinstance(said, ast.IfExp) else (said,):
            if isinstance(one, ast.Constant) and isinstance(one.value, str) and one.value:
                yield one.value


def without_constant_words() -> list[str]:
    """Where a rule formats values into its sentence, which no catalogue can hold."""
    return [
        f"{file.name}:{said.lineno}" for file, said in _said() if isinstance(said, ast.JoinedStr)
    ]


def _said() -> Iterator[tuple[Path, ast.expr]]:
    for room in _ROOMS:
        for file in sorted((_ROOM / room).rglob("*.py")):
            for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
                yield from ((file, said) for said in _of(node))


def _of(node: ast.AST) -> Iterator[ast.expr]:
    match node:
        case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name), keywords=keywords) if (
            name[:1].isupper() or name == "__init__"
        ):
            yield from (word.value for word in keywords if word.arg in SAID)
        case ast.Dict(keys=keys, values=values):
            for key, value in zip(keys, values, strict=True):
                if isinstance(key, ast.Constant) and key.value == "detail":
                    yield value
        case _:
            return
