"""Which mail server the deliverer hands letters to; none is a site without e-mail."""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import ip_address

from lims.domain.telling import MailServer, Protection
from lims.setting_refusals import BadSetting

_PORTS = {Protection.STARTTLS: 587, Protection.TLS: 465, Protection.NONE: 25}


def mail_server(environ: Mapping[str, str]) -> MailServer | None:
    """Raises BadSetting. A password never crosses a network in the clear."""
    said = environ.get("LIMS_SMTP") or None
    if said is None:
        return None
    protection = _protection(environ.get("LIMS_SMTP_PROTECTION") or Protection.STARTTLS)
    host, port = _address(said, _PORTS[protection])
    login, password = environ.get("LIMS_SMTP_LOGIN") or None, environ.get("LIMS_SMTP_PASSWORD")
    if bool(login) != bool(password):
        raise BadSetting(
            "LIMS_SMTP_LOGIN and LIMS_SMTP_PASSWORD",
            expected="both or neither",
            came="only " + ("the login" if login else "the password"),
            do="Name both, or neither for a server that asks nobody to sign in.",
        )
    if login and protection is Protection.NONE and not _is_here(host):
        raise BadSetting(
            "LIMS_SMTP_PROTECTION",
            expected="starttls or tls, since a password goes with it",
            came="none",
            do="Protect the way to the mail server, or sign in to one on this machine.",
        )
    return MailServer(host, port, _sender(environ), protection, login, password or None)


def _protection(said: str) -> Protection:
    try:
        return Protection(said)
    except ValueError as error:
        raise BadSetting(
            "LIMS_SMTP_PROTECTION",
            expected="starttls, tls or none",
            came=repr(said),
            do="Leave it out for starttls.",
        ) from error


def _address(said: str, usual_port: int) -> tuple[str, int]:
    host, colon, port = said.rpartition(":")
    if not colon:
        host, port = said, str(usual_port)
    if not (host and port.isdecimal() and 0 < int(port) <= 65535) or "/" in host or "@" in host:
        raise BadSetting(
            "LIMS_SMTP",
            expected="HOST or HOST:PORT, such as mail.example.vn:587",
            came=repr(said) if "@" not in said else "one with a name or password in it",
            do="Name the mail server; login and password have settings of their own.",
        )
    return host.removeprefix("[").removesuffix("]"), int(port)


def _sender(environ: Mapping[str, str]) -> str:
    sender = environ.get("LIMS_MAIL_FROM", "")
    name, at, domain = sender.partition("@")
    if not (name and at and domain) or not sender.isascii() or any(map(str.isspace, sender)):
        raise BadSetting(
            "LIMS_MAIL_FROM",
            expected="the address that letters come from, since LIMS_SMTP is set",
            came=repr(sender),
            do="Such as thantoc@cdc.example.vn, one that the mail server lets this login use.",
        )
    return sender


def _is_here(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
