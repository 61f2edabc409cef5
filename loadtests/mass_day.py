"""A mass-testing day in the database, written by the server itself: a million tubes in minutes.

Not a simulation of a laboratory (that is `lims demo`): the rows a real day would leave behind, in
the right tables with plausible times, so that what reads many rows can be measured on many rows.
80 % of the tubes are single swabs in laboratory pools of ten, 10 % are tested alone, 10 % are field
pools of five people. The same day, count and site always give the same rows.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from importlib.resources import files
from typing import Final
from uuid import UUID

import psycopg
from sqlalchemy import Engine, text

LAB_POOL: Final = 10
_NAME: Final = re.compile(r"(?<!:):([a-z]+)\b")


def fill_day(
    engine: Engine,
    *,
    site_id: UUID,
    day_start: datetime,
    tubes: int = 1_000_000,
    number: int = 0,
    province: str = "79",
) -> None:
    """Write the day as it stands 24 hours after `day_start`; `number` tells several days apart.

    People live in the communes of `province` (empty: of the whole country). Foreign keys are not
    checked while it writes (the rows are right by construction), so it needs a superuser, which
    the embedded server's account is.
    """
    with engine.connect() as connection:
        desk = connection.execute(
            text(
                "SELECT s.id, s.team_id FROM subscription s WHERE s.site_id = :site"
                " AND s.area_code IS NULL LIMIT 1"
            ),
            {"site": site_id},
        ).one()
    values = {
        "site": site_id,
        "subscription": desk.id,
        "team": desk.team_id,
        "day": day_start,
        "until": day_start + timedelta(days=1),
        "tubes": tubes,
        "pooled": tubes * 8 // 10 // LAB_POOL * LAB_POOL,
        "single": tubes // 10,
        "prefix": f"0193{number:04x}-0000",
        "letters": chr(65 + number % 26) + chr(65 + number // 26 % 26),
        "name": f"Bench day {number}",
        "ids": number * 10_000_000,
        "province": province,
    }
    script = (files("loadtests") / "mass_day.sql").read_text(encoding="utf-8")
    raw = engine.raw_connection()
    try:
        driver = raw.driver_connection
        if not isinstance(driver, psycopg.Connection):
            raise TypeError(f"the day needs a psycopg connection, came {type(driver).__name__}")
        with psycopg.ClientCursor(driver) as cursor:
            cursor.execute("SET LOCAL session_replication_role = replica")
            cursor.execute("SET LOCAL work_mem = '512MB'")
            cursor.execute(_NAME.sub(r"%(\1)s", script.replace("%", "%%")), values)
        raw.commit()
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as vacuuming:
            vacuuming.execute(text("VACUUM ANALYZE"))
    finally:
        raw.close()
