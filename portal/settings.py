"""Typed settings, read once from the environment; anything wrong stops the start with one sentence."""

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from urllib.parse import urlsplit

from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

ROOT = Path(__file__).resolve().parent.parent
VAR = ROOT / "var"
DEMO_SECRET = "demo-secret-that-no-production-site-may-use"  # noqa: S105
SHORTEST_SECRET = 32  # bytes
TILES = "https://tile.openstreetmap.org/{z}/{x}/{y}.png"
ATTRIBUTION = '© <a href="https://www.openstreetmap.org/copyright">OpenStreetMap</a>'
VIES = "https://ec.europa.eu/taxation_customs/vies/rest-api"
_KEY_ID = re.compile(r"[A-Za-z0-9._-]{1,40}")
KEY_BYTES = 32
_PROVIDER = re.compile(
    r"PORTAL_(OIDC|OAUTH)_([A-Z0-9]{1,40})_(ISSUER|AUTHORIZE|TOKEN|PROFILE|CLIENT_ID|CLIENT_SECRET|LABEL|SCOPE)"
)
_WANTED_KEYS = (
    "Set PORTAL_DATA_KEYS to a name, a colon and 32 random bytes in base64"
    " (2026: and what `openssl rand -base64 32` prints); several with commas between them,"
    " each under a name of its own, the newest first."
)
_TILES = re.compile(r"https://[a-z0-9.-]+(:[0-9]+)?/([^\s{}]|\{[zxyr]\})+")


class Mode(StrEnum):
    """What the process runs for; everything but production is opened explicitly."""

    PRODUCTION = "production"
    DEMO = "demo"
    DEVELOPMENT = "development"
    TEST = "test"


class BadSettings(Exception):
    """A setting is missing or wrong; the message is one sentence that says what to set."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """Another site that says who somebody is: by its `issuer` (OpenID Connect), or by three addresses (OAuth 2)."""

    name: str
    label: str
    client_id: str
    client_secret: str = field(repr=False)
    scope: str
    issuer: str = ""
    authorize: str = ""
    token: str = ""
    profile: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """All that may differ between two installations."""

    mode: Mode
    secret_key: str
    base_url: str
    database_url: str
    smtp_url: str | None = None
    mail_from: str = "ferme@example.org"
    data_keys: Mapping[str, bytes] = field(default_factory=dict, repr=False)
    """What is sealed in the database is under the first; the others open what was sealed before."""
    providers: Mapping[str, Provider] = field(default_factory=dict)
    """Whose accounts people may come in with, by name."""
    admin_second_factor: bool = False
    """Whether admins must have a second factor before they go on; always so in production."""
    trusted_proxies: int = 0
    debug: bool = False
    backup_dir: Path = VAR / "backups"
    erasures: Path = VAR / "erasures"
    """Who is erased, by number: a backup from before knows them still."""
    map_tiles: str = TILES
    """Where the map's pictures come from; empty for a map without them."""
    map_attribution: str = ATTRIBUTION
    vies_url: str = ""
    """Where VAT numbers are looked up; empty where nobody shall be asked."""
    race_pause: float = 0.0
    """Test mode only: seconds to wait between a check and its write, with the locks left out (BAR K15)."""

    def __post_init__(self) -> None:
        _check_base_url(self)
        _check_database(self)
        _check_map(self)
        if self.vies_url and urlsplit(self.vies_url).scheme not in {"http", "https"}:
            raise BadSettings(f"Set PORTAL_VIES_URL to an address such as {VIES}, or to nothing.")
        if self.race_pause and self.mode is not Mode.TEST:
            raise BadSettings("Unset PORTAL_RACE_PAUSE: it leaves the locks out and is for tests only.")
        if self.mode is Mode.PRODUCTION:
            _check_production(self)

    @property
    def https(self) -> bool:
        return self.base_url.startswith("https://")

    @property
    def host(self) -> str:
        """Host name with its port, as browsers send it."""
        return urlsplit(self.base_url).netloc

    @property
    def hostname(self) -> str:
        """Host name without its port."""
        return urlsplit(self.base_url).hostname or ""

    @property
    def tile_host(self) -> str:
        """Whose pictures the page with the map may show, if any."""
        return "https://" + urlsplit(self.map_tiles).netloc if self.map_tiles else ""

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> "Settings":
        """Read the `PORTAL_…` variables and `DATABASE_URL`.

        Raises BadSettings, with a sentence for the person who starts the program.
        """
        mode = _mode(environ.get("PORTAL_MODE", Mode.PRODUCTION))
        relaxed = mode is not Mode.PRODUCTION
        var = _var(environ, relaxed=relaxed)
        return cls(
            mode=mode,
            secret_key=environ.get("PORTAL_SECRET_KEY", DEMO_SECRET if relaxed else ""),
            base_url=environ.get("PORTAL_BASE_URL", "http://127.0.0.1:8000" if relaxed else "").rstrip("/"),
            database_url=environ.get("DATABASE_URL", f"sqlite:///{var / 'portal.sqlite3'}"),
            smtp_url=environ.get("PORTAL_SMTP_URL") or None,
            mail_from=environ.get("PORTAL_MAIL_FROM", "ferme@example.org" if relaxed else ""),
            data_keys=_data_keys(environ.get("PORTAL_DATA_KEYS", "")),
            providers=_providers(environ, relaxed=relaxed),
            admin_second_factor=not relaxed or _is_on(environ, "PORTAL_ADMIN_SECOND_FACTOR"),
            trusted_proxies=_whole_number(environ, "PORTAL_TRUSTED_PROXIES"),
            debug=_is_on(environ, "FLASK_DEBUG"),
            backup_dir=Path(environ.get("PORTAL_BACKUP_DIR", var / "backups")),
            erasures=Path(environ.get("PORTAL_ERASURES", var / "erasures")),
            map_tiles=environ.get("PORTAL_MAP_TILES", TILES),
            map_attribution=environ.get("PORTAL_MAP_ATTRIBUTION", ATTRIBUTION),
            vies_url=environ.get("PORTAL_VIES_URL", "" if relaxed else VIES).rstrip("/"),
            race_pause=_seconds(environ, "PORTAL_RACE_PAUSE"),
        )


def _mode(value: str) -> Mode:
    try:
        return Mode(value)
    except ValueError:
        raise BadSettings(f"Set PORTAL_MODE to one of {', '.join(Mode)}; it is {value!r}.") from None


def _var(environ: Mapping[str, str], *, relaxed: bool) -> Path:
    """Where the farm's own files lie: not in the program's folder, which an update leaves behind."""
    var = Path(environ.get("PORTAL_VAR") or VAR)
    named = {"DATABASE_URL", "PORTAL_BACKUP_DIR", "PORTAL_ERASURES"} <= environ.keys()
    if not relaxed and not named and (not var.is_absolute() or var.resolve().is_relative_to(ROOT)):
        raise BadSettings("Set PORTAL_VAR to a folder outside the program's, such as /var/lib/portal.")
    return var


def _is_on(environ: Mapping[str, str], name: str) -> bool:
    return environ.get(name, "0") not in {"", "0", "false", "no"}


def _whole_number(environ: Mapping[str, str], name: str) -> int:
    value = environ.get(name, "0")
    if not (value.isascii() and value.isdigit()):
        raise BadSettings(f"Set {name} to a whole number; it is {value!r}.")
    return int(value)


def _seconds(environ: Mapping[str, str], name: str) -> float:
    value = environ.get(name, "0")
    try:
        return float(value)
    except ValueError:
        raise BadSettings(f"Set {name} to a number of seconds; it is {value!r}.") from None


def _data_keys(value: str) -> dict[str, bytes]:
    keys = {}
    for entry in filter(None, (part.strip() for part in value.split(","))):
        key_id, _, encoded = entry.partition(":")
        try:
            key = base64.b64decode(encoded, validate=True)
        except ValueError:
            key = b""
        if not _KEY_ID.fullmatch(key_id) or len(key) != KEY_BYTES or key_id in keys:
            raise BadSettings(_WANTED_KEYS)
        keys[key_id] = key
    return keys


def _providers(environ: Mapping[str, str], *, relaxed: bool) -> dict[str, Provider]:
    found: dict[tuple[str, str], dict[str, str]] = {}
    for key, value in sorted(environ.items()):
        if value and (match := _PROVIDER.fullmatch(key)):
            found.setdefault((match[1], match[2]), {})[match[3].lower()] = value.strip()
    providers = {}
    for (kind, name), said in found.items():
        start = f"PORTAL_{kind}_{name}_"
        asked = ("issuer",) if kind == "OIDC" else ("authorize", "token", "profile")
        for part in ("client_id", "client_secret", *asked):
            if part not in said:
                raise BadSettings(f"Set {start}{part.upper()}, or unset the others that begin with {start}.")
        for part in asked:
            if not said[part].startswith(("https://", "http://127.0.0.1:") if relaxed else "https://"):
                raise BadSettings(f"Set {start}{part.upper()} to an https:// address.")
        usual = {"label": name.capitalize(), "scope": "openid email" if kind == "OIDC" else "email"}
        values = {part: said[part] for part in ("client_id", "client_secret", *asked)}
        usual |= {part: said[part] for part in usual if part in said}
        providers[name.lower()] = Provider(name=name.lower(), **usual, **values)
    return providers


def _check_base_url(settings: Settings) -> None:
    try:
        parts = urlsplit(settings.base_url)
        is_site = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0
        nothing_behind = settings.base_url == f"{parts.scheme}://{parts.netloc}" and "@" not in parts.netloc
    except ValueError:  # the port is no number
        is_site = nothing_behind = False
    if not (is_site and nothing_behind):
        raise BadSettings(
            "Set PORTAL_BASE_URL to the site's address and nothing behind it: https://paniers.maferme.fr."
        )


def _check_database(settings: Settings) -> None:
    try:
        backend = make_url(settings.database_url).drivername
    except (ArgumentError, ValueError):
        raise BadSettings(
            "Set DATABASE_URL to an address such as postgresql+psycopg://user@host/name."
        ) from None
    if backend not in {"sqlite", "postgresql+psycopg"}:
        raise BadSettings(
            "Set DATABASE_URL to sqlite:///path or postgresql+psycopg://…: no other database is known."
        )


def _check_map(settings: Settings) -> None:
    tiles = settings.map_tiles
    if tiles and not (_TILES.fullmatch(tiles) and all(part in tiles for part in ("{z}", "{x}", "{y}"))):
        raise BadSettings(
            f"Set PORTAL_MAP_TILES to an address such as {TILES}, or to nothing for a map without tiles."
        )
    if tiles and not settings.map_attribution:
        raise BadSettings("Set PORTAL_MAP_ATTRIBUTION to the words that the provider of the tiles asks for.")


def _check_production(settings: Settings) -> None:
    if not settings.secret_key:
        raise BadSettings("Set PORTAL_SECRET_KEY to a random text of 32 characters or more.")
    if settings.secret_key == DEMO_SECRET or len(settings.secret_key.encode()) < SHORTEST_SECRET:
        raise BadSettings(
            "Set PORTAL_SECRET_KEY to a random text of your own of 32 characters or more, not a known one."
        )
    if not settings.data_keys:
        raise BadSettings(_WANTED_KEYS)
    if settings.debug:
        raise BadSettings("Unset FLASK_DEBUG: a production site never runs in debug mode.")
    if not settings.https:
        raise BadSettings("Set PORTAL_BASE_URL to an https:// address: production serves over https only.")
    if not settings.smtp_url:
        raise BadSettings("Set PORTAL_SMTP_URL, such as smtps://user:password@smtp.example.org:465.")
    if "@" not in settings.mail_from:
        raise BadSettings("Set PORTAL_MAIL_FROM to the farm's e-mail address.")
