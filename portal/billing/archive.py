"""The ledger as a table to be kept: each line with its digest and the text that it is over.

Whoever has the file can reckon every digest again, with any tool; nobody is named but by their number.
"""

from collections.abc import Iterator
from datetime import date
from typing import Any

from sqlalchemy.orm import Session

from portal.accounts.models import customer_number
from portal.billing import ledger
from portal.billing.models import EntryKind, LedgerEntry
from portal.exchange.tables import Columns
from portal.planning.contracts import MEANS
from portal.shop.models import order_number
from portal.web.i18n import gettext as _
from portal.web.i18n import lazy_gettext as _l

KINDS = {
    EntryKind.INVOICE: _l("facture"),
    EntryKind.CREDIT_NOTE: _l("avoir"),
    EntryKind.PAYMENT: _l("règlement"),
    EntryKind.REVERSAL: _l("annulation"),
    EntryKind.REFUND: _l("remboursement"),
    EntryKind.WRITE_OFF: _l("abandon"),
}


def entries_of(session: Session, year: int | None = None) -> Iterator[Any]:
    """A year's by the days on which they count, or all of them."""
    days = (date(year, 1, 1), date(year, 12, 31)) if year else (date.min, date.max)
    return ledger.entries(session, LedgerEntry.day.between(*days))


def columns() -> Columns[Any]:
    return {
        _("Écriture"): lambda e: e.number,
        _("Jour"): lambda e: e.day,
        _("Nature"): lambda e: str(KINDS[e.kind]),
        _("Client"): lambda e: (
            customer_number(e.account_id) if e.account_id is not None else order_number(e.order_id)
        ),
        _("Facture"): lambda e: e.invoice,
        _("Moyen"): lambda e: None if e.means is None else str(MEANS[e.means]),
        _("Référence"): lambda e: e.reference,
        _("Montant"): lambda e: e.amount,
        _("Noté le"): lambda e: e.entered_at,
        _("Noté par"): lambda e: e.entered_by,
        _("Texte scellé"): ledger.sealed_text,
        _("Empreinte"): lambda e: e.digest,
    }
