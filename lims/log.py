"""Logs on standard error: JSON lines for machines, colours on a terminal.

Barcodes and ids, never people: tracebacks therefore come without the values of local variables,
and a database's error without its words: PostgreSQL's DETAIL quotes the row that it refused.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from typing import TextIO

import psycopg
import structlog
from sqlalchemy.exc import StatementError
from structlog.processors import ExceptionRenderer
from structlog.tracebacks import ExceptionDictTransformer
from structlog.typing import EventDict, Processor, WrappedLogger


def configure(*, level: str = "INFO", stream: TextIO | None = None) -> None:
    """Called once by an entry point; what libraries log through `logging` comes out the same."""
    out = sys.stderr if stream is None else stream
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
    ]
    rendered: list[Processor] = (
        [structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)]
        if out.isatty()
        else [
            ExceptionRenderer(ExceptionDictTransformer(show_locals=False)),
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ]
    )
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(out)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                withhold_rows,
                *rendered,
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)


def withhold_rows(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Tell of a database's error its SQLSTATE, constraint, table and frames, and nothing it says.

    What it led to, or came from, keeps its kind and frames only: its words may quote the database.
    """
    error = _raised(event.get("exc_info"))
    if error is not None and any(isinstance(e, _DATABASE) for e in _chain(error)):
        shown = _without_words(error)
        event["exc_info"] = (type(shown), shown, shown.__traceback__)
    return event


_DATABASE = (StatementError, psycopg.Error)


def _raised(exc_info: object) -> BaseException | None:
    """The exception in any of the shapes that logging takes."""
    if isinstance(exc_info, BaseException):
        return exc_info
    if isinstance(exc_info, tuple):
        found: BaseException | None = exc_info[1]
        return found
    return sys.exc_info()[1] if exc_info else None


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """It, what it came from, and what it is a group of."""
    seen: set[int] = set()
    waiting = [error]
    while waiting:
        one = waiting.pop()
        if one is None or id(one) in seen:
            continue
        seen.add(id(one))
        yield one
        waiting += [one.__cause__, one.__context__]
        if isinstance(one, BaseExceptionGroup):
            waiting += one.exceptions


def _without_words(error: BaseException) -> BaseException:
    """A stand-in of the same name and frames; the error itself is somebody else's to handle."""
    stand_ins = {id(one): _stand_in(one) for one in _chain(error)}
    for one in _chain(error):
        shown = stand_ins[id(one)]
        shown.__cause__ = stand_ins.get(id(one.__cause__))
        shown.__context__ = stand_ins.get(id(one.__context__))
        shown.__suppress_context__ = one.__suppress_context__
    return stand_ins[id(error)]


def _stand_in(error: BaseException) -> BaseException:
    kind = type(error)
    named = type(kind.__name__, (Exception,), {"__module__": kind.__module__})
    stand_in: BaseException = named(_codes(error)).with_traceback(error.__traceback__)
    return stand_in


def _codes(error: BaseException) -> str:
    original = error.orig if isinstance(error, StatementError) else error
    if not isinstance(original, psycopg.Error):
        return "words withheld"
    told = original.diag
    return f"sqlstate={told.sqlstate} constraint={told.constraint_name} table={told.table_name}"
