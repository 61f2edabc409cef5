"""The unprivileged account PostgreSQL runs under when we are root: it refuses to run as root."""

from __future__ import annotations

import os
import pwd
import shutil
import stat
import subprocess
from dataclasses import dataclass
from pathlib import Path

from lims.db.refusals import NoAccount

_OURS = "thantoc"
_OTHERS = ("postgres", "nobody")  # where /etc is read-only or useradd is not installed


@dataclass(frozen=True, slots=True)
class Account:
    uid: int
    gid: int

    def take(self, path: Path) -> None:
        """Raises NoAccount where root may not give files away (a one-user container)."""
        try:
            os.chown(path, self.uid, self.gid)
        except OSError as error:
            raise NoAccount(
                expected=f"to give {path} to user {self.uid}, as PostgreSQL does not run as root",
                came=f"{error.strerror}",
                do="Run as an ordinary user, or set LIMS_DATABASE_URL.",
            ) from error


def server_account() -> Account | None:
    """None for an ordinary user: the server then simply runs as that user."""
    if os.geteuid() != 0:
        return None
    account = _named(_OURS) or _make() or next(filter(None, map(_named, _OTHERS)), None)
    if account is None:
        raise NoAccount(
            expected=f"a user {_OURS} to run PostgreSQL, which does not run as root",
            came="none, and it could not be made",
            do=f"useradd --system {_OURS}, or run as an ordinary user, or set LIMS_DATABASE_URL.",
        )
    return account


def owner_of(path: Path) -> Account:
    found = path.stat()
    return Account(found.st_uid, found.st_gid)


def reaches(account: Account, directory: Path) -> bool:
    """Whether every directory on the way down lets `account` pass (access lists are not read)."""
    directory = directory.resolve()
    return all(_passes(account, step) for step in (directory, *directory.parents))


def _passes(account: Account, directory: Path) -> bool:
    found = directory.stat()
    if found.st_uid == account.uid:
        return bool(found.st_mode & stat.S_IXUSR)
    if found.st_gid == account.gid:
        return bool(found.st_mode & stat.S_IXGRP)
    return bool(found.st_mode & stat.S_IXOTH)


def _named(name: str) -> Account | None:
    try:
        entry = pwd.getpwnam(name)
    except KeyError:
        return None
    return Account(entry.pw_uid, entry.pw_gid)


def _make() -> Account | None:
    useradd = shutil.which("useradd", path="/usr/sbin:/sbin:/usr/bin:/bin")
    if useradd is None:
        return None
    subprocess.run(
        [useradd, "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", _OURS],
        capture_output=True,
        check=False,  # losing a race against another process is as good as winning it
    )
    return _named(_OURS)
