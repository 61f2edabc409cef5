"""``lims user …`` and ``lims token …``: who may come in, people and machines."""

from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

import click

from lims.console import ACTOR, settings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from uuid import UUID

    from sqlalchemy.orm import Session

    from lims.db.laboratory import Laboratory

# A test holds them to lims.work.tokens.Scope, which is not imported to say --help.
SCOPES: Final = (
    "register",
    "receive",
    "pool",
    "run",
    "measure",
    "review",
    "recall",
    "cases",
    "read",
    "fhir",
    "lookup",
)


@contextmanager
def _opened(name: str) -> "Iterator[Laboratory]":
    """The laboratory, its connections closed also where the verb is refused."""
    from lims.opening import open_laboratory

    laboratory = open_laboratory(settings(), name=name)
    try:
        yield laboratory
    finally:
        laboratory.engine.dispose()


def _team(session: "Session", laboratory: "Laboratory", name: str | None) -> "UUID | None":
    """The team of this name. Raises BadParameter with those that there are."""
    from lims.work.views.administration import teams

    if name is None:
        return None
    known = {one.name: one.team_id for one in teams(session, laboratory.site_id)}
    if name not in known:
        there = "; ".join(sorted(known)) or "none yet"
        raise click.BadParameter(
            f"no team is called {name} (there is: {there})", param_hint="--team"
        )
    return known[name]


@click.group()
def user() -> None:
    """People who sign in."""


@user.command("add")
@click.argument("login")
@click.option("--name", required=True)
@click.option(
    "--role",
    "roles",
    multiple=True,
    required=True,
    type=click.Choice(["technician", "reviewer", "tracer", "operator", "admin"]),
)
@click.option("--team", help="The team of a tracer, by its name.")
@click.option(
    "--password",
    prompt="Password (at least 10 characters)",
    hide_input=True,
    confirmation_prompt=True,
)
def add_user(
    login: str, name: str, roles: tuple[str, ...], team: str | None, password: str
) -> None:
    """Add somebody who may sign in."""
    from lims.db.laboratory import utc_now
    from lims.work.access import Role, create_user

    with _opened("lims user") as laboratory, laboratory.sessions.begin() as session:
        create_user(
            session,
            site_id=laboratory.site_id,
            login=login,
            name=name,
            password=password,
            roles=[Role(role) for role in roles],
            team_id=_team(session, laboratory, team),
            by=ACTOR,
            now=utc_now(),
        )
    click.echo(f"{login} may sign in as {', '.join(roles)}.")


@click.group()
def token() -> None:
    """Keys of machines."""


@token.command("issue")
@click.argument("name")
@click.option(
    "--scope",
    "scopes",
    multiple=True,
    required=True,
    type=click.Choice(SCOPES),
)
@click.option("--team", help="Whose cases the scopes cases and fhir open.")
@click.option("--every-team", is_flag=True, help="They open every team's cases.")
def issue(name: str, scopes: tuple[str, ...], team: str | None, every_team: bool) -> None:
    """Issue a token and print it, for the only time."""
    from lims.db.laboratory import utc_now
    from lims.work.tokens import Scope, issue_token

    with _opened("lims token") as laboratory, laboratory.sessions.begin() as session:
        plain = issue_token(
            session,
            site_id=laboratory.site_id,
            name=name,
            scopes=[Scope(scope) for scope in scopes],
            team_id=_team(session, laboratory, team),
            every_team=every_team,
            by=ACTOR,
            now=utc_now(),
        )
    click.echo(plain)
