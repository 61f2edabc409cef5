"""Open the laboratory for one process: its database, its site, its areas."""

from dataclasses import dataclass

from sqlalchemy import select

from lims.db import migrate
from lims.db.embedded import EmbeddedServer
from lims.db.engine import connect, session_factory
from lims.db.laboratory import Laboratory, utc_now
from lims.settings import Settings
from lims.tables import Area
from lims.work.areas import SCHEME, load_areas
from lims.work.sites import found_site


class PendingMigrations(Exception):
    """The database is older than this release; nothing runs on it until it is migrated."""


@dataclass(frozen=True)
class Prepared:
    """What ``prepare`` did: migrations applied, administrative units loaded of the scheme."""

    migrations: list[str]
    areas: int
    scheme: str


def database_url(settings: Settings) -> str:
    """The configured database, or the embedded one, started if it was not running."""
    return settings.database_url or EmbeddedServer(settings.home).start()


def prepare(settings: Settings) -> Prepared:
    """Migrate, and load the areas of the installed scheme where it is absent. Safe at every start.

    Earlier schemes stay beside it: people live under their codes (S18).
    """
    engine = connect(database_url(settings), pool_size=2)
    try:
        applied = migrate.upgrade(engine)
        with session_factory(engine).begin() as session:
            found_site(session, prefix=settings.site, name=settings.site, now=utc_now())
            known = session.scalar(select(Area.code).where(Area.scheme == SCHEME).limit(1))
            areas = load_areas(session) if known is None else 0
        return Prepared(applied, areas, SCHEME)
    finally:
        engine.dispose()


def open_laboratory(settings: Settings, *, name: str, pool_size: int = 10) -> Laboratory:
    """Connect to a migrated database. Raises PendingMigrations and the database's refusals."""
    engine = connect(database_url(settings), pool_size=pool_size, application_name=name)
    waiting = migrate.pending(engine)
    if waiting:
        engine.dispose()
        raise PendingMigrations(
            f"the database lacks {len(waiting)} migration(s): {', '.join(waiting)}. "
            "Run `lims migrate`, then start again."
        )
    sessions = session_factory(engine)
    with sessions.begin() as session:
        site_id = found_site(session, prefix=settings.site, name=settings.site, now=utc_now())
    return Laboratory(
        engine=engine,
        sessions=sessions,
        site_id=site_id,
        prefix=settings.site,
        timezone=settings.timezone.key,
        language=settings.language,
    )
