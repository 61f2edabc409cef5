from __future__ import annotations

import stat
from pathlib import Path

import pytest

from lims.setting_refusals import BadSetting
from lims.settings import Settings, UnsafeSettings

KEY = "k" * 32


def settings(home: Path, **environ: str) -> Settings:
    return Settings.from_env({"LIMS_HOME": str(home), **environ})


def test_nothing_said_means_one_node_on_this_machine_with_its_own_database(tmp_path: Path) -> None:
    read = settings(tmp_path)
    assert (read.host, read.port, read.site, read.language) == ("127.0.0.1", 8080, "TT", "vi")
    assert read.database_url is None
    assert read.timezone.key == "Asia/Ho_Chi_Minh"
    assert read.private_webhooks is False


def test_an_operator_may_allow_receivers_in_private_networks(tmp_path: Path) -> None:
    assert settings(tmp_path, LIMS_WEBHOOK_PRIVATE="allow").private_webhooks is True


def test_the_secret_key_is_made_once_and_kept_to_this_user(tmp_path: Path) -> None:
    first, second = settings(tmp_path / "new"), settings(tmp_path / "new")
    assert first.secret_key == second.secret_key
    kept = tmp_path / "new" / "secret_key"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert list(kept.parent.iterdir()) == [kept]


def test_secrets_are_not_shown(tmp_path: Path) -> None:
    read = settings(tmp_path, LIMS_SECRET_KEY=KEY, LIMS_DATABASE_URL="postgresql://u:hidden@h/d")
    assert KEY not in repr(read)
    assert "hidden" not in repr(read)


@pytest.mark.parametrize("address", ["0.0.0.0:8080", "[::]:8080", "lab.example:443"])
def test_listening_to_strangers_needs_an_own_key_and_encryption(
    tmp_path: Path, address: str
) -> None:
    with pytest.raises(UnsafeSettings, match="LIMS_SECRET_KEY"):
        settings(tmp_path, LIMS_LISTEN=address, LIMS_TRUSTED_PROXIES="1")
    with pytest.raises(UnsafeSettings, match="neither TLS nor a trusted proxy"):
        settings(tmp_path, LIMS_LISTEN=address, LIMS_SECRET_KEY=KEY)
    behind = settings(tmp_path, LIMS_LISTEN=address, LIMS_SECRET_KEY=KEY, LIMS_TRUSTED_PROXIES="1")
    assert behind.trusted_proxies == 1


def test_tls_of_its_own_is_encryption_enough(tmp_path: Path) -> None:
    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    cert.touch()
    key.touch()
    read = settings(
        tmp_path,
        LIMS_LISTEN="0.0.0.0:8443",
        LIMS_SECRET_KEY=KEY,
        LIMS_TLS_CERT=str(cert),
        LIMS_TLS_KEY=str(key),
    )
    assert (read.tls_cert, read.tls_key) == (cert, key)


@pytest.mark.parametrize("address", ["127.0.0.1:8080", "[::1]:8080", "localhost:8080"])
def test_loopback_needs_neither(tmp_path: Path, address: str) -> None:
    assert settings(tmp_path, LIMS_LISTEN=address).port == 8080


@pytest.mark.parametrize(
    ("variable", "value", "says"),
    [
        ("LIMS_LISTEN", "8080", "ADDRESS:PORT"),
        ("LIMS_LISTEN", "127.0.0.1:99999", "ADDRESS:PORT"),
        ("LIMS_SITE", "tt", "two characters"),
        ("LIMS_SECRET_KEY", "short", "at least 32"),
        ("LIMS_TRUSTED_PROXIES", "yes", "whole number"),
        ("LIMS_WORKERS", "0", "at least 1"),
        ("LIMS_DATABASE_URL", "sqlite:///lims.db", "postgresql://"),
        ("LIMS_TIMEZONE", "Asia/Saigon_City", "tz database"),
        ("LIMS_TIMEZONE", "../etc/passwd", "tz database"),
        ("LIMS_LANGUAGE", "fr", "vi or en"),
        ("LIMS_WEBHOOK_PRIVATE", "yes", "allow, or nothing"),
        ("LIMS_PUBLIC_URL", "ketqua.example.vn", "https://NAME"),
        ("LIMS_PUBLIC_URL", "https://user:secret@ketqua.example.vn", "https://NAME"),
        ("LIMS_PUBLIC_URL", "https://ketqua.example.vn/?q=1", "https://NAME"),
        ("LIMS_PUBLIC_URL", "https://[ketqua", "https://NAME"),
        ("LIMS_TLS_CERT", "/nowhere.pem", "both or neither"),
        ("LIMS_HOME", "/dev/null/home", "a directory we can make"),
    ],
)
def test_a_setting_we_cannot_use_is_refused_by_name(
    tmp_path: Path, variable: str, value: str, says: str
) -> None:
    with pytest.raises(BadSetting, match=says) as refusal:
        Settings.from_env({"LIMS_HOME": str(tmp_path), variable: value})
    assert variable in str(refusal.value)


def test_paper_leads_to_the_public_address_or_else_to_where_the_node_listens(
    tmp_path: Path,
) -> None:
    assert settings(tmp_path).public_url == "http://127.0.0.1:8080"
    assert settings(tmp_path, LIMS_LISTEN="[::1]:8443").public_url == "http://[::1]:8443"
    said = settings(tmp_path, LIMS_PUBLIC_URL="https://ketqua.example.vn/")
    assert said.public_url == "https://ketqua.example.vn"


def test_a_refused_database_url_is_not_repeated(tmp_path: Path) -> None:
    with pytest.raises(BadSetting) as refusal:
        settings(tmp_path, LIMS_DATABASE_URL="mysql://u:hidden@h/d")
    assert "hidden" not in str(refusal.value)
