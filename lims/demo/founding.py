"""Set up the demonstration's laboratory: people, keys, analysers, campaigns, tracing offices."""

import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from random import Random
from typing import Final
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from lims.db.ids import uuid7
from lims.demo.campaigns import CampaignPlan
from lims.demo.machines import GATEWAY_TOKEN, Machine
from lims.demo.on_call import put_on_call, shorten
from lims.demo.truth import Places, Ward
from lims.domain.pooling.validation_panel import DilutionRow, Panel
from lims.domain.telling import Channel
from lims.tables import Area
from lims.work.access import Role, create_user
from lims.work.campaigns import open_campaign
from lims.work.instruments import add_instrument
from lims.work.subscribe import AreaKey, subscribe
from lims.work.teams import create_team
from lims.work.tokens import Scope, issue_token
from lims.work.validation_panel import enter_panel

BY: Final = "demo"
WARDS: Final = 7
RECEIVER_CONFIG, RECEIVER_BOOK = "receiver.json", "receiver.jsonl"
# A dilution series of the simulated kit (physics.py): its limit is 35.5, a doubling costs a cycle,
# and a swab of 31.2 must not be lost. Twenty to a pool follow; of 32 it found too few.
DILUTION_SERIES: Final = Panel(
    lod_ct=35.53,
    weak_positive_ct=31.2,
    rows=(
        DilutionRow(5, 24.8, 27.1, 20, 20),
        DilutionRow(5, 31.0, 33.3, 20, 20),
        DilutionRow(10, 24.8, 28.2, 20, 20),
        DilutionRow(10, 31.0, 34.3, 20, 20),
        DilutionRow(20, 24.8, 29.1, 20, 20),
        DilutionRow(20, 31.0, 35.3, 19, 20),
        DilutionRow(32, 31.0, 36.0, 17, 20),
    ),
)
DILUTION_REPORT: Final = "Báo cáo thẩm định gộp mẫu, lô kit mô phỏng (demo)"
_PASSWORD_LETTERS: Final = "abcdefghjkmnpqrstuvwxyz23456789"  # noqa: S105 - letters told apart


@dataclass(frozen=True, slots=True)
class Keys:
    """Tokens of the story's stations. ``watch`` reads what every office was told."""

    desk: str
    bench: str
    gateway: str
    watch: str


@dataclass(frozen=True, slots=True)
class Founded:
    """What the story and the presentation need to know of the laboratory."""

    campaigns: tuple[UUID, ...]
    keys: Keys
    logins: tuple[tuple[str, str], ...]
    password: str


@dataclass(frozen=True)
class Founder:
    """Sets up one thing a transaction, as an administrator would."""

    sessions: sessionmaker[Session]
    site_id: UUID
    now: datetime

    def places(self, seed: int) -> Places:
        """A province of the installed list, some of its communes, and two of another province."""
        with self.sessions() as session:
            provinces = session.scalars(
                select(Area).where(Area.level == "province").order_by(Area.code)
            ).all()
            here, other = Random(f"places {seed}").sample(provinces, 2)
            wards = _wards(session, here, WARDS, seed)
            outside = _wards(session, other, 2, seed)
        return Places(here.scheme, here.code, here.full_name, wards, outside)

    def found(
        self,
        places: Places,
        home: Path,
        machines: Sequence[Machine],
        campaigns: Sequence[CampaignPlan],
        *,
        lims_url: str,
        receiver_url: str,
    ) -> Founded:
        """Everything, and the files that the gateway and the receiver read."""
        offices = self._offices(places, receiver_url)
        commune_team = offices.pop("")
        password = "-".join(
            "".join(secrets.choice(_PASSWORD_LETTERS) for _ in range(4)) for _ in range(3)
        )
        logins = self._logins(password, UUID(commune_team["team"]))
        self._analysers(machines)
        keys = self._keys()
        told = {s: {k: o[k] for k in ("name", "secret", "token")} for s, o in offices.items()}
        book = str(home / RECEIVER_BOOK)
        config = {"lims_url": lims_url, "book": book, "offices": told}
        _secret_file(home / RECEIVER_CONFIG, json.dumps(config, ensure_ascii=False))
        _secret_file(home / GATEWAY_TOKEN, keys.gateway)
        self._panel()
        with self.sessions.begin() as session:
            shorten(session, site_id=self.site_id, by=BY, now=self.now)
        opened = tuple(self._campaign(places.wards[0].name, plan) for plan in campaigns)
        return Founded(opened, keys, logins, password)

    def _panel(self) -> None:
        with self.sessions.begin() as session:
            enter_panel(
                session,
                uuid7(),
                DILUTION_SERIES,
                source=DILUTION_REPORT,
                site_id=self.site_id,
                by=BY,
                now=self.now,
            )

    def _campaign(self, commune: str, plan: CampaignPlan) -> UUID:
        with self.sessions.begin() as session:
            return open_campaign(
                session,
                site_id=self.site_id,
                name=f"Xét nghiệm diện rộng {commune}, {plan.quarter}",
                pool_size=plan.pool_size,
                resolution=plan.resolution,
                by=BY,
                now=self.now,
            )

    def _offices(self, places: Places, receiver_url: str) -> dict[str, dict[str, str]]:
        """The commune: board and webhook. Two communes: webhook. One: board only. The others fall
        to the province's webhook; whoever lives outside, to the national desk's board.

        The entry ``""`` names the commune's own team, whose tracer signs in.
        """
        commune, second, third, board_only, *_rest = places.wards
        offices: dict[str, dict[str, str]] = {}
        teams: dict[str, UUID] = {}
        for slug, name, area in (
            ("commune", commune.name, AreaKey(commune.scheme, commune.code)),
            ("second", second.name, AreaKey(second.scheme, second.code)),
            ("third", third.name, AreaKey(third.scheme, third.code)),
            (
                "province",
                places.province_name,
                AreaKey(places.province_scheme, places.province_code),
            ),
        ):
            teams[slug] = self._team(name)
            with self.sessions.begin() as session:
                put_on_call(session, teams[slug], site_id=self.site_id, by=BY, now=self.now)
            offices[slug] = {
                "name": name,
                "secret": self._subscribe(teams[slug], area, f"{receiver_url}/offices/{slug}"),
                "token": self._token(f"tracing {slug}", [Scope.CASES], teams[slug]),
            }
        self._subscribe(teams["commune"], AreaKey(commune.scheme, commune.code), "")
        only = self._team(board_only.name)
        self._subscribe(only, AreaKey(board_only.scheme, board_only.code), "")
        offices[""] = {"team": str(teams["commune"])}
        return offices

    def _team(self, area: str) -> UUID:
        with self.sessions.begin() as session:
            return create_team(
                session,
                site_id=self.site_id,
                name=f"Đội truy vết {area}",
                phone="",
                by=BY,
                now=self.now,
            )

    def _subscribe(self, team: UUID, area: AreaKey, url: str) -> str:
        """The webhook's secret; an empty url is the board, which has none."""
        with self.sessions.begin() as session:
            return (
                subscribe(
                    session,
                    site_id=self.site_id,
                    team_id=team,
                    area=area,
                    channel=Channel.WEBHOOK if url else Channel.BOARD,
                    url=url,
                    private=True,  # the offices are programs of this machine
                    by=BY,
                    now=self.now,
                ).secret
                or ""
            )

    def _logins(self, password: str, tracers: UUID) -> tuple[tuple[str, str], ...]:
        names = {
            Role.TECHNICIAN: "Kỹ thuật viên",
            Role.REVIEWER: "Người duyệt kết quả",
            Role.TRACER: "Đội truy vết",
            Role.OPERATOR: "Điều hành",
            Role.ADMIN: "Quản trị",
        }
        for role, name in names.items():
            with self.sessions.begin() as session:
                create_user(
                    session,
                    site_id=self.site_id,
                    login=str(role),
                    name=name,
                    password=password,
                    roles=[role],
                    team_id=tracers if role is Role.TRACER else None,
                    by=BY,
                    now=self.now,
                )
        return tuple((str(role), name) for role, name in names.items())

    def _analysers(self, machines: Sequence[Machine]) -> None:
        for machine in machines:
            with self.sessions.begin() as session:
                add_instrument(
                    session,
                    site_id=self.site_id,
                    name=machine.name,
                    driver=machine.driver,
                    by=BY,
                    now=self.now,
                )

    def _keys(self) -> Keys:
        return Keys(
            desk=self._token("desks", [Scope.REGISTER]),
            bench=self._token("bench", [Scope.RECEIVE, Scope.POOL, Scope.RUN, Scope.REGISTER]),
            gateway=self._token("gateways", [Scope.MEASURE]),
            watch=self._token("demonstration", [Scope.CASES], every_team=True),
        )

    def _token(
        self,
        name: str,
        scopes: Sequence[Scope],
        team: UUID | None = None,
        *,
        every_team: bool = False,
    ) -> str:
        with self.sessions.begin() as session:
            return issue_token(
                session,
                site_id=self.site_id,
                name=name,
                scopes=scopes,
                team_id=team,
                every_team=every_team,
                by=BY,
                now=self.now,
            )


def _wards(session: Session, province: Area, number: int, seed: int) -> tuple[Ward, ...]:
    found = session.scalars(
        select(Area)
        .where(Area.scheme == province.scheme, Area.parent_code == province.code)
        .order_by(Area.code)
    ).all()
    drawn = Random(f"wards {seed} {province.code}").sample(found, number)
    return tuple(Ward(area.scheme, area.code, area.full_name) for area in drawn)


def _secret_file(file: Path, text: str) -> None:
    file.touch(mode=0o600)
    file.write_text(text, encoding="utf-8")
