"""What the site refuses to start with, and the one sentence that says so."""

from importlib import import_module
from pathlib import Path

import pytest

from portal.settings import DEMO_SECRET, ROOT, BadSettings, Mode, Settings
from tests import forks
from tests.conftest import SECRET, settings_for

DATA_KEYS = "2026:" + "A" * 43 + "="
PRODUCTION = {
    "PORTAL_SECRET_KEY": SECRET,
    "PORTAL_DATA_KEYS": DATA_KEYS,
    "PORTAL_BASE_URL": "https://paniers.maferme.fr",
    "PORTAL_SMTP_URL": "smtps://site:secret@smtp.example.org:465",
    "PORTAL_MAIL_FROM": "ferme@maferme.fr",
    "PORTAL_VAR": "/var/lib/portal",
}


def production(**changes: str | None) -> dict[str, str]:
    return {name: value for name, value in {**PRODUCTION, **changes}.items() if value is not None}


def test_production_is_what_runs_when_nobody_says_otherwise() -> None:
    settings = Settings.from_environment(PRODUCTION)
    assert settings.mode is Mode.PRODUCTION
    assert settings.https
    assert not settings.debug
    assert settings.hostname == "paniers.maferme.fr"


def test_an_update_in_a_folder_of_its_own_finds_what_the_farm_has_written() -> None:
    kept = Settings.from_environment(PRODUCTION)
    assert kept.database_url == "sqlite:////var/lib/portal/portal.sqlite3"
    assert (kept.backup_dir, kept.erasures) == (
        Path("/var/lib/portal/backups"),
        Path("/var/lib/portal/erasures"),
    )
    named = {"DATABASE_URL": "sqlite:////a", "PORTAL_BACKUP_DIR": "/b", "PORTAL_ERASURES": "/c"}
    assert Settings.from_environment(production(PORTAL_VAR=None, **named)).erasures == Path("/c")


def test_every_other_mode_starts_without_a_word() -> None:
    for mode in set(Mode) - {Mode.PRODUCTION}:
        assert Settings.from_environment({"PORTAL_MODE": mode}).mode is mode


@pytest.mark.parametrize(
    ("wrong", "names"),
    [
        ({"PORTAL_SECRET_KEY": None}, "PORTAL_SECRET_KEY"),
        ({"PORTAL_SECRET_KEY": ""}, "PORTAL_SECRET_KEY"),
        ({"PORTAL_SECRET_KEY": "x" * 31}, "PORTAL_SECRET_KEY"),
        ({"PORTAL_SECRET_KEY": DEMO_SECRET}, "PORTAL_SECRET_KEY"),
        ({"PORTAL_DATA_KEYS": None}, "PORTAL_DATA_KEYS"),
        ({"PORTAL_DATA_KEYS": "A" * 43 + "="}, "PORTAL_DATA_KEYS"),
        ({"PORTAL_DATA_KEYS": "2026:" + "A" * 42 + "=="}, "PORTAL_DATA_KEYS"),
        ({"PORTAL_DATA_KEYS": "2026:not base64"}, "PORTAL_DATA_KEYS"),
        ({"PORTAL_DATA_KEYS": f"{DATA_KEYS},{DATA_KEYS}"}, "PORTAL_DATA_KEYS"),
        ({"PORTAL_BASE_URL": None}, "PORTAL_BASE_URL"),
        ({"PORTAL_BASE_URL": ""}, "PORTAL_BASE_URL"),
        ({"PORTAL_BASE_URL": "http://paniers.maferme.fr"}, "PORTAL_BASE_URL"),
        ({"PORTAL_BASE_URL": "ftp://paniers.maferme.fr"}, "PORTAL_BASE_URL"),
        ({"PORTAL_BASE_URL": "paniers.maferme.fr"}, "PORTAL_BASE_URL"),
        ({"PORTAL_BASE_URL": "https://"}, "PORTAL_BASE_URL"),
        ({"PORTAL_BASE_URL": "https://maferme.fr/portail"}, "PORTAL_BASE_URL"),
        ({"PORTAL_BASE_URL": "https://maferme.fr?a=b"}, "PORTAL_BASE_URL"),
        ({"PORTAL_BASE_URL": "https://maferme.fr#a"}, "PORTAL_BASE_URL"),
        ({"PORTAL_BASE_URL": "https://moi@maferme.fr"}, "PORTAL_BASE_URL"),
        ({"PORTAL_BASE_URL": "https://maferme.fr:porte"}, "PORTAL_BASE_URL"),
        ({"PORTAL_BASE_URL": "https://[maferme.fr"}, "PORTAL_BASE_URL"),
        ({"PORTAL_SMTP_URL": None}, "PORTAL_SMTP_URL"),
        ({"PORTAL_MAIL_FROM": None}, "PORTAL_MAIL_FROM"),
        ({"PORTAL_MAIL_FROM": "ferme"}, "PORTAL_MAIL_FROM"),
        ({"PORTAL_VAR": None}, "PORTAL_VAR"),
        ({"PORTAL_VAR": "var"}, "PORTAL_VAR"),
        ({"PORTAL_VAR": f"{ROOT}/var"}, "PORTAL_VAR"),
        ({"PORTAL_VAR": None, "DATABASE_URL": "sqlite:////srv/db"}, "PORTAL_VAR"),
        ({"DATABASE_URL": "mysql://localhost/portail"}, "DATABASE_URL"),
        ({"DATABASE_URL": "var/portal.sqlite3"}, "DATABASE_URL"),
        ({"DATABASE_URL": "postgresql+psycopg://localhost:porte/portail"}, "DATABASE_URL"),
        ({"PORTAL_TRUSTED_PROXIES": "two"}, "PORTAL_TRUSTED_PROXIES"),
        ({"PORTAL_TRUSTED_PROXIES": "-1"}, "PORTAL_TRUSTED_PROXIES"),
        ({"PORTAL_TRUSTED_PROXIES": "²"}, "PORTAL_TRUSTED_PROXIES"),
        ({"PORTAL_MODE": "staging"}, "PORTAL_MODE"),
        ({"PORTAL_MAP_TILES": "openstreetmap"}, "PORTAL_MAP_TILES"),
        ({"PORTAL_MAP_TILES": "https://tiles.example.org/{z}/{x}.png"}, "PORTAL_MAP_TILES"),
        ({"PORTAL_MAP_TILES": "http://tiles.example.org/{z}/{x}/{y}.png"}, "PORTAL_MAP_TILES"),
        ({"PORTAL_MAP_TILES": "https://{s}.example.org/{z}/{x}/{y}.png"}, "PORTAL_MAP_TILES"),
        ({"PORTAL_MAP_TILES": "https://a.example.org;*/{z}/{x}/{y}.png"}, "PORTAL_MAP_TILES"),
        ({"PORTAL_MAP_TILES": "https://a.example.org/{z}/{x}/{y}/{key}"}, "PORTAL_MAP_TILES"),
        ({"PORTAL_MAP_ATTRIBUTION": ""}, "PORTAL_MAP_ATTRIBUTION"),
        ({"FLASK_DEBUG": "1"}, "FLASK_DEBUG"),
        ({"FLASK_DEBUG": "True"}, "FLASK_DEBUG"),
        ({"PORTAL_RACE_PAUSE": "0.1"}, "PORTAL_RACE_PAUSE"),
        ({"PORTAL_RACE_PAUSE": "soon"}, "PORTAL_RACE_PAUSE"),
    ],
)
def test_production_refuses_with_one_sentence_that_names_the_setting(
    wrong: dict[str, str | None], names: str
) -> None:
    with pytest.raises(BadSettings) as refused:
        Settings.from_environment(production(**wrong))
    sentence = str(refused.value)
    assert names in sentence
    assert "\n" not in sentence
    assert sentence.endswith(".")
    assert SECRET not in sentence


@pytest.mark.parametrize(
    ("tiles", "host"),
    [
        (None, "https://tile.openstreetmap.org"),
        ("https://tiles.example.org:8443/{z}/{x}/{y}{r}.png?key=a1", "https://tiles.example.org:8443"),
        ("", ""),
    ],
)
def test_the_map_asks_one_host_for_its_tiles_or_none(tiles: str | None, host: str) -> None:
    settings = Settings.from_environment(production(PORTAL_MAP_TILES=tiles))
    assert settings.tile_host == host


@pytest.mark.parametrize("mode", [mode for mode in Mode if mode is not Mode.TEST])
def test_no_site_leaves_its_locks_out(mode: Mode) -> None:
    with pytest.raises(BadSettings, match="PORTAL_RACE_PAUSE"):
        Settings.from_environment({**PRODUCTION, "PORTAL_MODE": mode, "PORTAL_RACE_PAUSE": "0.1"})
    assert Settings.from_environment({"PORTAL_MODE": "test", "PORTAL_RACE_PAUSE": "0.1"}).race_pause == 0.1


def test_settings_made_in_the_program_are_checked_alike() -> None:
    with pytest.raises(BadSettings, match="PORTAL_RACE_PAUSE"):
        settings_for("sqlite:///x", mode=Mode.DEMO, race_pause=0.1)


@pytest.mark.parametrize(
    "wrong", [{"PORTAL_SECRET_KEY": DEMO_SECRET}, {"PORTAL_BASE_URL": None}, {"PORTAL_SMTP_URL": "http://x"}]
)
def test_a_server_that_is_set_wrongly_says_one_line_and_does_not_start(
    wrong: dict[str, str | None], tmp_path: Path
) -> None:
    env = {"DATABASE_URL": f"sqlite:///{tmp_path / 'portal.sqlite3'}", **production(**wrong)}
    status, said = forks.ended(import_module, "wsgi", env=env)
    assert status == 1
    [line] = said.splitlines()
    assert line.startswith("Set ")
    assert next(iter(wrong)) in line
