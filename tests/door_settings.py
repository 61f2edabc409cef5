"""The settings under which the tests build an application, whichever of its doors they try."""

from __future__ import annotations

from pathlib import Path
from zoneinfo import ZoneInfo

from lims.settings import Settings


def door_settings(home: Path) -> Settings:
    """On this machine only, with a key that nobody else has."""
    return Settings(
        home=home,
        database_url=None,
        site="TT",
        host="127.0.0.1",
        port=8080,
        secret_key="a key that only the tests have, 32 or more",
        trusted_proxies=0,
        tls_cert=None,
        tls_key=None,
        timezone=ZoneInfo("Asia/Ho_Chi_Minh"),
        language="vi",
        workers=1,
        private_webhooks=True,
        public_url="https://ketqua.example.vn",
    )
