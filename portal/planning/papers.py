"""The receipts of leaving, and their PDF files, to be kept."""

from dataclasses import asdict, dataclass
from datetime import date, datetime

from portal.infra import pdf
from portal.infra.outbox import File
from portal.planning.ending import Leave
from portal.profile.queries import Farm
from portal.rules.cutoffs import local_day
from portal.web.filters import clock, day, day_year
from portal.web.i18n import gettext as _
from portal.web.i18n import language


@dataclass(frozen=True, slots=True)
class Notice:
    """What somebody notifies: who they are, where the receipt goes, which contract, from when (none: at once)."""

    name: str
    contact: str
    reference: str
    wished_day: date | None


@dataclass(frozen=True, slots=True)
class Receipt:
    """A notification as it was received, and what it has come to."""

    id: int
    notice: Notice
    notified_at: datetime
    confirmed_at: datetime | None
    leaves: tuple[Leave, ...]
    orders: tuple[str, ...]
    """Numbers of those that are collected alone."""
    reason: str | None


def receipt_file(receipt: Receipt, farm: Farm) -> File:
    notice = receipt.notice
    wish = day_year(notice.wished_day) if notice.wished_day else _("dès que possible")
    said = [
        _("Nom : %(name)s", name=notice.name),
        _("Adresse : %(contact)s", contact=notice.contact),
        _("Contrat : %(reference)s", reference=notice.reference),
        _("Date souhaitée : %(day)s", day=wish),
    ]
    sections = [_section("\n".join(said), _("Ce que vous avez notifié"))]
    for leave in receipt.leaves:
        sections.append(_section("\n".join(words(leave)), f"{leave.what}, {leave.point}"))
    if receipt.orders:
        numbers = ", ".join(receipt.orders)
        sections.append(_section(_("Commandes à retirer sans panier : %(numbers)s.", numbers=numbers)))
    if not receipt.confirmed_at:
        sections.append(_section(_("Elle prend effet dès que la personne abonnée la confirme.")))
    at = receipt.notified_at
    data = pdf.render(
        "conditions",
        language=language(),
        farm=asdict(farm),
        title=_("Résiliation : accusé de réception"),
        in_force=_("Reçue le %(day)s à %(hour)s", day=day_year(local_day(at)), hour=clock(at)),
        sections=sections,
    )
    return File(f"resiliation-{receipt.id}.pdf", pdf.CONTENT_TYPE, data)


def _section(text: str, heading: str = "") -> dict[str, str]:
    return {"heading": heading, "text": text}


def words(leave: Leave) -> list[str]:
    """What the end of a subscription comes to, a sentence each."""
    return [
        _("Fin du contrat : le %(day)s.", day=day_year(leave.last_day)),
        _("Dernier panier : le %(day)s.", day=day_year(leave.last))
        if leave.last
        else _("Plus aucun panier n'arrive."),
        *(
            _("Le panier du %(day)s est déjà clos : il est livré et facturé.", day=day(one))
            for one in leave.closed
        ),
        *(_("Le panier reporté au %(day)s ne viendra pas.", day=day(one)) for one in leave.fallen),
    ]
