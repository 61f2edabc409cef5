"""What the embedded server is told: written anew at each start, after initdb's own findings."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

FILE_NAME = "lims.conf"
INCLUDES = f"include '{FILE_NAME}'\ninclude_if_exists 'site.conf'  # the operator's own tuning\n"

_ALWAYS = {
    "listen_addresses": "",  # the socket only
    "port": "5432",
    "unix_socket_permissions": "0700",
    "max_connections": "200",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "jit": "off",  # compiling costs more than our short statements take
    # Values of rows are people: keep statements and key values out of the server's log.
    "log_error_verbosity": "terse",
    "log_min_error_statement": "panic",
}
_DURABLE = {
    "shared_buffers": "256MB",
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    "wal_level": "logical",  # a hub may subscribe, a standby may follow
    "max_wal_size": "2GB",
}
_TRIM = {  # the data is thrown away with the test session
    "shared_buffers": "128MB",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "max_wal_size": "2GB",
}


def configuration(*, sockets: Path, trim: bool, settings: Mapping[str, str]) -> str:
    lines = {
        **_ALWAYS,
        **(_TRIM if trim else _DURABLE),
        "unix_socket_directories": str(sockets),
        **settings,
    }
    return "".join(f"{name} = '{_quoted(value)}'\n" for name, value in lines.items())


def _quoted(value: str) -> str:
    return value.replace("\\", "\\\\").replace("'", "''")
