"""The way to a receiver: bounded in time as a whole, and never into somebody's own network.

A timeout of one read bounds nothing: a receiver that drips a byte now and then meets every one
of them. So each read, write and handshake is given what is left until one deadline. An address
is judged after it was looked up, and that same address is connected to: a name that answers
differently the second time gains nothing.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from time import monotonic
from typing import Any

import httpcore
import httpx

from lims.domain.addresses import is_public

_until: ContextVar[float] = ContextVar("until")


@contextmanager
def within(whole_s: float) -> Iterator[None]:
    """All that this thread does on the wire inside ends by then, or raises a timeout."""
    token = _until.set(monotonic() + whole_s)
    try:
        yield
    finally:
        _until.reset(token)


def transport(*, private: bool, limits: httpx.Limits) -> httpx.BaseTransport:
    """`private`: receivers in loopback, private and link-local networks are allowed."""
    return _Transport(private=private, limits=limits)


class _Transport(httpx.HTTPTransport):
    """httpx names no public way to its network backend; a test drips through this one."""

    def __init__(self, *, private: bool, limits: httpx.Limits) -> None:
        super().__init__(trust_env=False, limits=limits)
        self._pool = httpcore.ConnectionPool(
            ssl_context=httpx.create_ssl_context(),
            max_connections=limits.max_connections,
            max_keepalive_connections=limits.max_keepalive_connections,
            keepalive_expiry=limits.keepalive_expiry,
            network_backend=_Backend(private=private),
        )


class _Backend(httpcore.NetworkBackend):
    def __init__(self, *, private: bool) -> None:
        self._private = private
        self._plain = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        failure: Exception | None = None
        for address in self._addresses(host, port):
            try:
                stream = self._plain.connect_tcp(
                    address,
                    port,
                    _left_s(timeout, httpcore.ConnectTimeout),
                    local_address,
                    socket_options,
                )
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as refused:
                failure = refused
            else:
                return _Stream(stream)
        raise failure or httpcore.ConnectError(f"{host} has no address")

    def _addresses(self, host: str, port: int) -> list[str]:
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as unknown:
            raise httpcore.ConnectError(f"{host} cannot be looked up: {unknown}") from unknown
        addresses = list(dict.fromkeys(str(where[0]) for *_, where in found))
        if not self._private and not all(is_public(address) for address in addresses):
            raise httpcore.ConnectError(
                f"{host} is in a private network; only LIMS_WEBHOOK_PRIVATE=allow permits that"
            )
        return addresses


class _Stream(httpcore.NetworkStream):
    def __init__(self, plain: httpcore.NetworkStream) -> None:
        self._plain = plain

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._plain.read(max_bytes, _left_s(timeout, httpcore.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._plain.write(buffer, _left_s(timeout, httpcore.WriteTimeout))

    def close(self) -> None:
        self._plain.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        left_s = _left_s(timeout, httpcore.ConnectTimeout)
        return _Stream(self._plain.start_tls(ssl_context, server_hostname, left_s))

    def get_extra_info(self, info: str) -> Any:
        return self._plain.get_extra_info(info)


def _left_s(timeout: float | None, too_late: type[Exception]) -> float:
    left_s = _until.get() - monotonic()
    if left_s <= 0:
        raise too_late("the answer as a whole took too long")
    return left_s if timeout is None else min(timeout, left_s)
