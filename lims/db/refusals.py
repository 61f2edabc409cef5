"""Why the database would not be started, reached or changed.

DatabaseRefusal
├── BadDatabaseUrl        not a libpq connection string
├── MigrationsBusy        another process has been migrating for too long
├── DatabaseAhead         the database was migrated by a newer release than this one
└── EmbeddedRefusal       the embedded server
    ├── NoBinaries        the wheel with PostgreSQL's programs is not installed
    ├── NoAccount         we are root and cannot run as anybody else
    ├── WrongMajor        the data was written by another major version
    ├── NotOurs           a directory we need belongs to somebody else
    └── DidNotStart       PostgreSQL said no; its last words are in the message
"""

from __future__ import annotations


class DatabaseRefusal(Exception):
    """Says what was expected, what came, and what to do."""

    def __init__(self, *, expected: str, came: str, do: str) -> None:
        super().__init__(f"expected {expected}; came {came}. {do}")


class BadDatabaseUrl(DatabaseRefusal):
    pass


class MigrationsBusy(DatabaseRefusal):
    pass


class DatabaseAhead(DatabaseRefusal):
    pass


class EmbeddedRefusal(DatabaseRefusal):
    pass


class NoBinaries(EmbeddedRefusal):
    pass


class NoAccount(EmbeddedRefusal):
    pass


class WrongMajor(EmbeddedRefusal):
    pass


class NotOurs(EmbeddedRefusal):
    pass


class DidNotStart(EmbeddedRefusal):
    pass
