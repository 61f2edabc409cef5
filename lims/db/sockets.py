"""Where the embedded server's Unix socket lives: in a directory only its account can enter."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from pathlib import Path

from lims.db.account import Account, owner_of, reaches
from lims.db.refusals import NotOurs

_PATH_BYTES = 107  # sun_path holds 108 with its final zero: unix(7)
_SOCKET = ".s.PGSQL.5432"


def socket_directory(place: Path, account: Account | None) -> Path:
    """`place`/run, or a directory under the temporary one when that path is too long."""
    beside = place / "run"
    if _short_enough(beside):
        return beside
    name = f"thantoc-{digest(place)}"
    temporary = Path(tempfile.gettempdir())
    if _short_enough(temporary / name) and (account is None or reaches(account, temporary)):
        return temporary / name
    return Path("/tmp") / name  # noqa: S108  made 0700, and refused when it is somebody else's


def make(directory: Path, account: Account | None) -> None:
    """New and empty: a lock left by a crash may name a process that is now somebody else's.

    Raises NotOurs when somebody else made the directory, waiting for us to use it.
    """
    remove(directory, account)
    directory.mkdir(mode=0o700)
    if account is not None:
        account.take(directory)


def remove(directory: Path, account: Account | None) -> None:
    if not os.path.lexists(directory):
        return
    ours = {os.geteuid()} if account is None else {os.geteuid(), account.uid}
    if directory.is_symlink() or owner_of(directory).uid not in ours:
        raise NotOurs(
            expected=f"{directory} to be a directory of ours",
            came="one that belongs to somebody else",
            do="Find out who made it, then remove it.",
        )
    shutil.rmtree(directory)


def digest(path: Path) -> str:
    """Enough of a hash to tell the homes of one machine apart."""
    return hashlib.sha256(os.fsencode(path)).hexdigest()[:12]


def _short_enough(directory: Path) -> bool:
    return len(os.fsencode(directory / _SOCKET)) <= _PATH_BYTES
