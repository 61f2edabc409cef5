"""What the environment says about this node; refuses to start unsafe.

Only the entry points read this. Everything below them is handed values.

    BadSetting           a variable holds something we cannot use
    └── UnsafeSettings   each variable is well-formed, together they would expose people's data
"""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path
from typing import Literal, Self
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from platformdirs import user_data_dir

from lims.domain.telling import MailServer
from lims.mail_settings import mail_server
from lims.setting_refusals import BadSetting

Language = Literal["vi", "en"]

SECRET_KEY_CHARACTERS = 32  # 192 bits when made by us; the floor for one brought along
_SITE = re.compile(r"[0-9A-Z]{2}")
_DATABASE_SCHEMES = ("postgresql", "postgresql+psycopg", "postgres")


class UnsafeSettings(BadSetting):
    """The node would be reachable by strangers without a secret or without encryption."""


@dataclass(frozen=True, slots=True)
class Settings:
    """One node's settings; secrets stay out of `repr` because reprs end up in logs."""

    home: Path
    database_url: str | None = field(repr=False)
    site: str
    host: str
    port: int
    secret_key: str = field(repr=False)
    trusted_proxies: int
    tls_cert: Path | None
    tls_key: Path | None
    timezone: ZoneInfo
    language: Language
    workers: int
    private_webhooks: bool
    public_url: str
    mail: MailServer | None = field(default=None, repr=False)

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> Self:
        """Raises BadSetting or UnsafeSettings; makes `home` and its key where there are none."""
        host, port = _listen(environ.get("LIMS_LISTEN", "127.0.0.1:8080"))
        proxies = _count(environ, "LIMS_TRUSTED_PROXIES", default=0, least=0)
        cert, key = _tls(environ)
        own_key = environ.get("LIMS_SECRET_KEY") or None
        _refuse_short(own_key)
        if not is_loopback(host):
            _refuse_exposed(host, own_key=own_key, shielded=proxies > 0 or cert is not None)
        home = _home(environ)
        return cls(
            home=home,
            database_url=_database_url(environ.get("LIMS_DATABASE_URL") or None),
            site=_site(environ.get("LIMS_SITE", "TT")),
            host=host,
            port=port,
            secret_key=own_key or _kept_key(home),
            trusted_proxies=proxies,
            tls_cert=cert,
            tls_key=key,
            timezone=_timezone(environ.get("LIMS_TIMEZONE", "Asia/Ho_Chi_Minh")),
            language=_language(environ.get("LIMS_LANGUAGE", "vi")),
            workers=_count(environ, "LIMS_WORKERS", default=2, least=1),
            private_webhooks=_private_webhooks(environ.get("LIMS_WEBHOOK_PRIVATE") or None),
            public_url=_public_url(environ.get("LIMS_PUBLIC_URL") or None)
            or _own_url(host, port, encrypted=cert is not None),
            mail=mail_server(environ),
        )

    @property
    def public_url_is_own(self) -> bool:
        """True where nobody said how people outside reach this node."""
        return is_loopback(urlsplit(self.public_url).hostname or "")


def is_loopback(host: str) -> bool:
    """A name we would have to look up counts as reachable from outside, except `localhost`."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _listen(text: str) -> tuple[str, int]:
    host, colon, port = text.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if not (colon and host and port.isdecimal() and int(port) <= 65535):
        raise BadSetting(
            "LIMS_LISTEN",
            expected="ADDRESS:PORT, such as 127.0.0.1:8080 or [::1]:8080",
            came=repr(text),
            do="Give both the address and a port from 0 to 65535.",
        )
    return host, int(port)


def _count(environ: Mapping[str, str], variable: str, *, default: int, least: int) -> int:
    text = environ.get(variable) or str(default)
    if not (text.isdecimal() and int(text) >= least):
        raise BadSetting(
            variable,
            expected=f"a whole number of at least {least}",
            came=repr(text),
            do=f"Leave it out for {default}.",
        )
    return int(text)


def _tls(environ: Mapping[str, str]) -> tuple[Path | None, Path | None]:
    cert, key = environ.get("LIMS_TLS_CERT"), environ.get("LIMS_TLS_KEY")
    if bool(cert) != bool(key):
        raise BadSetting(
            "LIMS_TLS_CERT and LIMS_TLS_KEY",
            expected="both or neither",
            came="only " + ("the certificate" if cert else "the key"),
            do="Name the PEM file of each.",
        )
    if not (cert and key):
        return None, None
    for variable, file in (("LIMS_TLS_CERT", cert), ("LIMS_TLS_KEY", key)):
        if not os.access(file, os.R_OK):
            raise BadSetting(
                variable,
                expected="a PEM file this user can read",
                came=repr(file),
                do="Check the path and its permissions.",
            )
    return Path(cert), Path(key)


def _refuse_short(own_key: str | None) -> None:
    if own_key is not None and len(own_key) < SECRET_KEY_CHARACTERS:
        raise BadSetting(
            "LIMS_SECRET_KEY",
            expected=f"at least {SECRET_KEY_CHARACTERS} characters",
            came=f"{len(own_key)}",
            do="Make one: python3 -c 'import secrets; print(secrets.token_urlsafe(32))'",
        )


def _refuse_exposed(host: str, *, own_key: str | None, shielded: bool) -> None:
    if own_key is None:
        raise UnsafeSettings(
            "LIMS_SECRET_KEY",
            expected=f"a key of this site's own when listening on {host}",
            came="none",
            do="Set it to the same 32 or more characters on every node of the site.",
        )
    if not shielded:
        raise UnsafeSettings(
            "LIMS_LISTEN",
            expected=f"encryption in front of {host}: passwords and names would cross in the clear",
            came="neither TLS nor a trusted proxy",
            do="Set LIMS_TLS_CERT and LIMS_TLS_KEY, or LIMS_TRUSTED_PROXIES to the number of "
            "proxies that end TLS before this node.",
        )


def _home(environ: Mapping[str, str]) -> Path:
    home = Path(environ.get("LIMS_HOME") or user_data_dir("thantoc")).expanduser().absolute()
    try:
        # 0711: the database's own account must pass through, nobody else may look around.
        home.mkdir(parents=True, exist_ok=True, mode=0o711)
    except OSError as error:
        raise BadSetting(
            "LIMS_HOME",
            expected="a directory we can make or use",
            came=f"{home} ({error.strerror})",
            do="Name another directory or mend its permissions.",
        ) from error
    return home


def _kept_key(home: Path) -> str:
    """The first process makes the key; others, even at the same moment, read that one."""
    kept, fresh = home / "secret_key", home / f".secret_key.{os.getpid()}.{secrets.token_hex(4)}"
    try:
        if not kept.exists():
            descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "w", encoding="ascii") as file:
                file.write(secrets.token_urlsafe(SECRET_KEY_CHARACTERS))
                file.flush()
                os.fsync(descriptor)
            try:
                os.link(fresh, kept)  # fails where rename would overwrite another's key
            except FileExistsError:
                pass  # the other process won, and its key is whole
            finally:
                fresh.unlink()
        key = kept.read_text(encoding="ascii").strip()
    except OSError as error:
        raise BadSetting(
            "LIMS_HOME",
            expected=f"to keep the secret key in {kept}",
            came=f"{error.strerror}",
            do="Mend the permissions, or set LIMS_SECRET_KEY.",
        ) from error
    if len(key) < SECRET_KEY_CHARACTERS:
        raise BadSetting(
            "LIMS_HOME",
            expected=f"a key of at least {SECRET_KEY_CHARACTERS} characters in {kept}",
            came=f"{len(key)}",
            do="Remove the file to have a new one made; everybody signs in again.",
        )
    return key


def _database_url(url: str | None) -> str | None:
    if url is not None and url.partition("://")[0] not in _DATABASE_SCHEMES:
        raise BadSetting(
            "LIMS_DATABASE_URL",
            expected="postgresql://…",
            came=repr(url.partition("://")[0]),  # never the rest: it may carry a password
            do="Name a PostgreSQL 16 or newer, or leave it out for the embedded one.",
        )
    return url


def _site(site: str) -> str:
    if not _SITE.fullmatch(site):
        raise BadSetting(
            "LIMS_SITE",
            expected="two characters of 0-9 and A-Z",
            came=repr(site),
            do="Ask the hub which code is this laboratory's: tube barcodes start with it.",
        )
    return site


def _timezone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise BadSetting(
            "LIMS_TIMEZONE",
            expected="a name of the tz database",
            came=repr(name),
            do="Such as Asia/Ho_Chi_Minh.",
        ) from error


def _public_url(url: str | None) -> str | None:
    """Where people outside reach this node: it stands on paper, so it is checked before."""
    if url is None:
        return None
    try:
        parts = urlsplit(url)
        whole = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0
    except ValueError:
        whole = False
    if not whole or parts.query or parts.fragment or parts.username is not None:
        raise BadSetting(
            "LIMS_PUBLIC_URL",
            expected="https://NAME, such as https://ketqua.example.vn",
            came=repr(url) if "@" not in url else "one with a name or password in it",
            do="Name the address under which a telephone opens this site.",
        )
    return url.rstrip("/")


def _own_url(host: str, port: int, *, encrypted: bool) -> str:
    shown = f"[{host}]" if ":" in host else host
    return f"{'https' if encrypted else 'http'}://{shown}:{port}"


def _private_webhooks(said: str | None) -> bool:
    if said not in {None, "allow"}:
        raise BadSetting(
            "LIMS_WEBHOOK_PRIVATE",
            expected="allow, or nothing",
            came=repr(said),
            do="Leave it out: notices then go to https addresses of the open internet only.",
        )
    return said == "allow"


def _language(code: str) -> Language:
    match code:
        case "vi" | "en":
            return code
        case _:
            raise BadSetting(
                "LIMS_LANGUAGE", expected="vi or en", came=repr(code), do="Leave it out for vi."
            )
