"""Werkzeug compiles a builder of URLs for each of 275 routes of each application: 75 ms of 85.

A test makes its own application, so that is a tenth of the whole suite. Here each is compiled once
a process. A builder knows its rule by its first argument only, so applications may share it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from werkzeug.routing import Rule

Builder = Callable[..., tuple[str, str]]


def share_builders() -> None:
    """From now on in this process."""
    compiled: dict[tuple[Any, ...], Builder] = {}
    compile_builder = Rule._compile_builder

    def once(self: Rule, append_unknown: bool = True) -> Builder:
        defaults = tuple(sorted((self.defaults or {}).items()))
        key = (self.rule, tuple(self._trace), defaults, append_unknown)
        if key not in compiled:
            compiled[key] = compile_builder(self, append_unknown)
        return compiled[key]

    Rule._compile_builder = once  # type: ignore[method-assign] # only what is compiled, not what it does
