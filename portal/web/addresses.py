"""Mail addresses that look mistyped: what is nearly one of the great mail hosts is asked about once."""

from difflib import get_close_matches

from portal.web.forms import Typed
from portal.web.i18n import gettext as _

_HOSTS = (
    "bbox.fr", "free.fr", "gmail.com", "gmx.fr", "hotmail.com", "hotmail.fr", "icloud.com", "laposte.net", "live.fr",
    "orange.fr", "outlook.com", "outlook.fr", "proton.me", "sfr.fr", "wanadoo.fr", "yahoo.fr", "yahoo.com",
)  # fmt: skip


def doubt(field: Typed, sure: str) -> bool:
    """Whether the address looks mistyped and its owner is not `sure` of it yet; said beside the field."""
    name, _at, host = field.data.partition("@")
    near = get_close_matches(host, _HOSTS, 1, 0.8)
    if not near or host in _HOSTS or sure == field.data:
        return False
    field.errors = [
        _(
            "Adresse e-mail : vouliez-vous dire %(address)s ? Si la vôtre est juste, envoyez-la encore une fois.",
            address=f"{name}@{near[0]}",
        )
    ]
    return True
