"""The JSON door: authenticate, parse once, one work call in one transaction, answer.

Every endpoint is declared with the scope it needs and the models it speaks, so
that what is not declared cannot be reached, and the OpenAPI document is
written from the same declarations.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from enum import Enum
from functools import cache, partial
from threading import BoundedSemaphore
from typing import Any, Generic, TypeVar

import psycopg
from flask import Blueprint, Response, current_app, request
from psycopg.errors import DeadlockDetected, ForeignKeyViolation
from pydantic import BaseModel, TypeAdapter, ValidationError
from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.orm import Session
from werkzeug.exceptions import RequestEntityTooLarge

from lims.api import problems
from lims.api.bearer import Bearers, token_carried
from lims.db.laboratory import Laboratory
from lims.domain.refusals import (
    InvalidBody,
    Misread,
    NotUtf8,
    Refusal,
    UnknownUnit,
)
from lims.work.tokens import Scope, TokenHolder
from lims.work.tubes import likeliest

B = TypeVar("B")
MOST_TRIES = 3  # of a request whose transaction met another's


class Crowd(Enum):
    """Requests that come in crowds; of each crowd a worker has AT_A_TIME at work.

    The others wait before their transaction begins, so that they hold nothing. Whoever stands at
    a page, and an analyser's message, never wait for them: beside sixteen clients that register
    as fast as they are answered, each statement of the desk's page came back behind sixteen
    others (two scans: 304 ms; with two at a time 86 ms, at the same registrations a second).
    """

    DESKS = "desks"
    BENCHES = "benches"
    LISTS = "lists"


AT_A_TIME = {Crowd.DESKS: 2, Crowd.BENCHES: 2, Crowd.LISTS: 1}
TURN_PATIENCE_S = 2.0  # those at work may wait for a row that somebody holds: then nobody queues


@dataclass(frozen=True)
class Ask(Generic[B]):
    """One request, parsed: who, what, when, and the open transaction.

    ``connection`` is there in place of it for endpoints of one statement.
    """

    session: Session
    holder: TokenHolder
    body: B
    now: datetime
    connection: Connection | None = None

    @property
    def by(self) -> str:
        """The actor, as the audit trail writes it."""
        return self.holder.actor


@dataclass(frozen=True)
class RowsApart:
    """The rows of a body that did not validate whole, as JSON values."""

    rows: list[Any]


@dataclass(frozen=True)
class Answer:
    """A receipt. ``replayed`` answers 200 in place of 201."""

    body: object
    created: bool = False


@dataclass(frozen=True)
class Endpoint:
    """The declaration of one endpoint."""

    method: str
    path: str
    name: str
    scope: Scope
    summary: str
    handler: Callable[..., Answer]
    answers: Any
    body: type[BaseModel] | None
    rows_apart: bool
    one_statement: bool
    crowd: Crowd | None
    most_bytes: int | None
    stream: bool = False


@dataclass(frozen=True)
class Listening:
    """Whoever opened a stream. ``still_in``: the token opens this door at this moment too."""

    laboratory: Laboratory
    holder: TokenHolder
    since: str | None
    still_in: Callable[[], bool]


class Door:
    """All endpoints of the API, in the order they were declared."""

    def __init__(self) -> None:
        self.endpoints: list[Endpoint] = []
        self._bearers = Bearers()
        self._turns = {crowd: BoundedSemaphore(many) for crowd, many in AT_A_TIME.items()}

    def opens(
        self,
        method: str,
        path: str,
        *,
        scope: Scope,
        answers: Any,
        body: type[BaseModel] | None = None,
        rows_apart: bool = False,
        one_statement: bool = False,
        crowd: Crowd | None = None,
        most_bytes: int | None = None,
    ) -> Callable[[Callable[..., Answer]], Callable[..., Answer]]:
        """Declare an endpoint. The docstring's first line is its summary.

        ``rows_apart``: a body that does not validate whole comes as RowsApart.
        ``one_statement``: the handler runs a single statement, which is its own
        transaction, so BEGIN and COMMIT are two round trips saved.
        ``crowd``: which requests it takes turns with.
        ``most_bytes``: of a body that may be larger than any other.
        """

        def declare(handler: Callable[..., Answer]) -> Callable[..., Answer]:
            self.endpoints.append(
                Endpoint(
                    method=method,
                    path=path,
                    name=handler.__name__,
                    scope=scope,
                    summary=(handler.__doc__ or "").strip().splitlines()[0],
                    handler=handler,
                    answers=answers,
                    body=body,
                    rows_apart=rows_apart,
                    one_statement=one_statement,
                    crowd=crowd,
                    most_bytes=most_bytes,
                )
            )
            return handler

        return declare

    def streams(
        self, path: str, *, scope: Scope, event: Any
    ) -> Callable[[Callable[[Listening], Iterator[str]]], Callable[[Listening], Iterator[str]]]:
        """Declare a stream of server-sent events, each of which carries an ``event``."""

        def declare(
            handler: Callable[[Listening], Iterator[str]],
        ) -> Callable[[Listening], Iterator[str]]:
            self.endpoints.append(
                Endpoint(
                    method="GET",
                    path=path,
                    name=handler.__name__,
                    scope=scope,
                    summary=(handler.__doc__ or "").strip().splitlines()[0],
                    handler=handler,  # type: ignore[arg-type]  # a stream's is asked by _stream
                    answers=event,
                    body=None,
                    rows_apart=False,
                    one_statement=False,
                    crowd=None,
                    most_bytes=None,
                    stream=True,
                )
            )
            return handler

        return declare

    def hang(self, blueprint: Blueprint, *, prefix: str) -> None:
        """Add every declared endpoint to the blueprint."""
        for endpoint in self.endpoints:
            blueprint.add_url_rule(
                prefix + endpoint.path,
                endpoint=endpoint.name,
                view_func=self._stream(endpoint) if endpoint.stream else self._view(endpoint),
                methods=[endpoint.method],
            )

    def _view(self, endpoint: Endpoint) -> Callable[..., Response]:
        dump = _adapter(endpoint.answers).dump_json

        def view(**path: Any) -> Response:
            laboratory: Laboratory = current_app.extensions["laboratory"]
            try:
                holder = self._bearers.holder(laboratory, endpoint.scope)
                body = _parse(endpoint)
                with self._turn(endpoint.crowd):
                    answer = _work(laboratory, endpoint, holder, body, path)
            except Refusal as refusal:
                return problems.answer(refusal)
            status = 201 if answer.created else 200
            return Response(dump(answer.body), status, content_type="application/json")

        view.__doc__ = endpoint.summary
        return view

    def _stream(self, endpoint: Endpoint) -> Callable[[], Response]:
        def view() -> Response:
            laboratory: Laboratory = current_app.extensions["laboratory"]
            try:
                holder = self._bearers.holder(laboratory, endpoint.scope)
                since = request.headers.get("Last-Event-ID") or request.args.get("after")
                still_in = partial(
                    self._bearers.still_in, laboratory, token_carried(), endpoint.scope
                )
                events: Any = endpoint.handler(Listening(laboratory, holder, since, still_in))
            except Refusal as refusal:
                return problems.answer(refusal)
            response = Response(events, content_type="text/event-stream")
            response.headers["Cache-Control"] = "no-store"
            response.headers["X-Accel-Buffering"] = "no"  # nginx would gather events otherwise
            return response

        view.__doc__ = endpoint.summary
        return view

    @contextmanager
    def _turn(self, crowd: Crowd | None) -> Iterator[None]:
        """Wait for a place, but not for ever: who has waited long enough goes all the same."""
        mine = crowd is not None and self._turns[crowd].acquire(timeout=TURN_PATIENCE_S)
        try:
            yield
        finally:
            if mine and crowd is not None:
                self._turns[crowd].release()


@cache
def _adapter(answers: Any) -> TypeAdapter[Any]:
    return TypeAdapter(answers)


def _parse(endpoint: Endpoint) -> Any:
    if endpoint.body is None:
        return None
    if endpoint.most_bytes is not None:
        request.max_content_length = endpoint.most_bytes
    raw = request.get_data(cache=False)
    limit = request.max_content_length
    if request.content_length is None and limit is not None and len(raw) >= limit:
        raise RequestEntityTooLarge  # werkzeug cuts a chunked body off there and says nothing
    try:
        written = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise NotUtf8(came=f"byte {error.start} is not UTF-8", where="body") from error
    try:
        return endpoint.body.model_validate_json(written)
    except ValidationError as error:
        if endpoint.rows_apart:
            return _rows(written)
        raise problems.invalid(error) from error


def _rows(written: str) -> Any:
    """Some row is not right: the body with its rows unread, for the handler to read one by one."""
    try:
        body = TypeAdapter(dict[str, Any]).validate_json(written)
    except ValidationError as error:
        raise problems.invalid(error) from error
    rows = body.get("rows")
    if not isinstance(rows, list) or body.keys() != {"rows"}:
        raise InvalidBody(
            errors=[{"pointer": "#/rows", "detail": "a list of rows, and nothing beside it"}],
            where="body",
            came="another shape",
        )
    return RowsApart(rows)


def _work(
    laboratory: Laboratory, endpoint: Endpoint, holder: TokenHolder, body: Any, path: Any
) -> Answer:
    """Run the handler in one transaction; a lost race runs again and meets the winner's rows."""
    ask = Ask(session=None, holder=holder, body=body, now=laboratory.clock())  # type: ignore[arg-type]  # replaced below, inside the transaction
    for _ in range(MOST_TRIES - 1):
        try:
            return _once(laboratory, endpoint, ask, path)
        except (IntegrityError, OperationalError) as error:
            if not isinstance(error.orig, psycopg.IntegrityError | DeadlockDetected):
                raise
    try:
        return _once(laboratory, endpoint, ask, path)
    except IntegrityError as error:
        raise _dangling(error) from error


def _dangling(error: IntegrityError) -> Refusal:
    """It was no lost race: the body refers to something that is not there."""
    diagnosis = error.orig.diag if isinstance(error.orig, psycopg.Error) else None
    constraint = (diagnosis and diagnosis.constraint_name) or "a constraint"
    if "area_scheme" in constraint:
        return UnknownUnit(came="a code that its scheme does not have", where="area")
    if not isinstance(error.orig, ForeignKeyViolation):
        fault = {"pointer": "#", "detail": f"goes against {constraint}"}
    else:
        field = constraint.removeprefix(f"fk_{error.orig.diag.table_name}_")
        fault = {"pointer": problems.pointer(field), "detail": "nothing here has this id"}
    return InvalidBody(errors=[fault], where="body", came=fault["detail"])


def _once(laboratory: Laboratory, endpoint: Endpoint, ask: Ask[Any], path: Any) -> Answer:
    if endpoint.one_statement:
        with laboratory.autocommit.connect() as connection:
            return _handled(endpoint, replace(ask, connection=connection), path, connection)
    with laboratory.sessions.begin() as session:
        return _handled(endpoint, replace(ask, session=session), path, session)


def _handled(
    endpoint: Endpoint, ask: Ask[Any], path: Any, database: Session | Connection
) -> Answer:
    try:
        return endpoint.handler(ask, **path)
    except Misread as misread:
        raise likeliest(database, misread) from None
