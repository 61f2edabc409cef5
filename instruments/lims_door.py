"""The LIMS as the gateway sees it: an address, a token and connections kept alive, shared by all
lines' posters and by the heartbeat."""

from pathlib import Path
from typing import Final

import httpx

TIMEOUT: Final = httpx.Timeout(30.0, connect=5.0)  # the LIMS answers a plate well within a second
MESSAGES: Final = "/messages"
_MOST_CONNECTIONS: Final = httpx.Limits(max_connections=100, max_keepalive_connections=100)


class LimsDoor:
    """Safe between threads. `token_file` may be replaced while we run."""

    def __init__(self, messages_url: str, token_file: Path) -> None:
        self.messages_url = messages_url
        self._token_file = token_file
        self._token: str | None = None
        self._client = httpx.Client(timeout=TIMEOUT, limits=_MOST_CONNECTIONS)

    def post(self, url: str, content: bytes, *, within_s: float | None = None) -> httpx.Response:
        """`within_s`: how long each step may take, where that is less than usual. Raises
        httpx.HTTPError, NoToken, or ValueError for a token that no header can carry."""
        token = self._token or self._read_token()
        self._token = token
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        timeout = TIMEOUT if within_s is None else httpx.Timeout(within_s)
        response = self._client.post(url, content=content, headers=headers, timeout=timeout)
        if response.status_code == 401:
            self._token = None
        return response

    def at(self, path: str) -> str:
        """Another endpoint of the same API, beside the one for messages."""
        return self.messages_url.removesuffix(MESSAGES) + path

    def close(self) -> None:
        self._client.close()

    def _read_token(self) -> str:
        try:
            return self._token_file.read_text("utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise NoToken(str(error)) from error


def require_address(text: str) -> None:
    """Raises ValueError for what no web server can be called by."""
    try:
        url = httpx.URL(text)
    except httpx.InvalidURL as error:
        raise ValueError(f"{error}, came {text!r}") from error
    if url.port is not None and not 0 < url.port < 65536:
        raise ValueError(f"expected a port up to 65535, came {text!r}")
    if url.scheme not in ("http", "https") or not url.host:
        raise ValueError(f"expected http:// or https:// and a host, came {text!r}")


class NoToken(Exception):
    """The token file cannot be read."""
