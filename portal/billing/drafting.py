"""What the documents would say of what is still to be billed: the same for who issues them and who shows it ahead."""

from collections import defaultdict
from collections.abc import Collection, Mapping

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session, aliased

from portal.billing.models import Invoice, InvoiceLine
from portal.rules.invoicing import Charge, Draft, Left, bounded, drafts
from portal.rules.money import Money
from portal.web.i18n import gettext as _


def drafts_of(session: Session, charges: Mapping[int, list[Charge]]) -> dict[int, list[Draft]]:
    """What is to be written, by whom it is for; a credit note takes no more than is left of its invoice."""
    papers = {key: drafts(found) for key, found in charges.items()}
    notes = {draft.corrects_id for found in papers.values() for draft in found if draft.corrects_id}
    left, label = _left_of(session, notes), _("Déjà déduit par un avoir")
    sound = {
        key: [fits for draft in found if (fits := _bounded(draft, left, label))]
        for key, found in papers.items()
    }
    return {key: found for key, found in sound.items() if found}


def _bounded(draft: Draft, left: Mapping[int, Left], label: str) -> Draft | None:
    return bounded(draft, left[draft.corrects_id], label) if draft.corrects_id else draft


def _left_of(session: Session, invoice_ids: Collection[int]) -> dict[int, Left]:
    """Gestures on a line count with what that bills."""
    root, of = func.coalesce(Invoice.corrects_id, Invoice.id), aliased(InvoiceLine)
    source = func.coalesce(InvoiceLine.source, of.source)
    found = (
        select(root, source, InvoiceLine.vat_basis_points, func.sum(InvoiceLine.total))
        .join(Invoice, Invoice.id == InvoiceLine.invoice_id)
        .outerjoin(of, of.id == InvoiceLine.corrects_id)
        .where(or_(Invoice.id.in_(invoice_ids), Invoice.corrects_id.in_(invoice_ids)))
        .group_by(root, source, InvoiceLine.vat_basis_points)
    )
    left = {
        number: (defaultdict[str, Money](Money.zero), defaultdict[int, Money](Money.zero))
        for number in invoice_ids
    }
    for number, name, rate, total in session.execute(found) if invoice_ids else ():
        by_source, by_rate = left[number]
        by_rate[rate] += total
        if name is not None:
            by_source[name] += total
    return {number: Left(*sums) for number, sums in left.items()}
