"""Who sells and who buys, as an invoice keeps them."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.accounts.models import Account, Address, Company, CompanyState
from portal.billing.models import Invoice
from portal.billing.settings import Billing, Tax, billing_settings, lacks_of, tax_on, taxes
from portal.profile.queries import Farm, get_farm
from portal.rules.invoicing import Charge, Refusal
from portal.rules.mentions import Mention, VatRegime, mentions
from portal.rules.paying import PaymentMeans
from portal.shop.models import Order

_OF_FARM = (
    *("name", "tagline", "legal_name", "legal_form", "siret", "register", "vat_number"),
    *("address", "postcode", "town", "email", "phone", "certifier"),
)


@dataclass(frozen=True, slots=True)
class Seller:
    """The farm, how it bills, and what it lacks to do so."""

    farm: Farm
    billing: Billing
    taxes: Sequence[Tax]
    lacks: bool

    @classmethod
    def load(cls, session: Session, day: date) -> "Seller":
        farm, known = get_farm(session), taxes(session)
        return cls(farm, billing_settings(session), known, bool(lacks_of(farm, tax_on(known, day))))

    def on(self, day: date, charges: Iterable[Charge], *, company: bool) -> dict[str, Any]:
        """The farm as an invoice of that day keeps it, with the words that the law asks for."""
        taxed = [(charge.vat_basis_points, tax_on(self.taxes, charge.day)) for charge in charges]
        free = [tax for rate, tax in taxed if not rate and tax.regime is not VatRegime.LIABLE]
        liable = [tax for _rate, tax in taxed if tax.regime is VatRegime.LIABLE]
        tax = next(iter([*free, *liable]), Tax())
        late_rate = self.billing.late_rate_basis_points if company else None
        said = mentions(tax.regime, day, own=tax.mention, on_debits=tax.on_debits, late_rate=late_rate)
        if free and any(rate for rate, _tax in taxed):  # the farm changed its regime in between
            said[Mention.EXEMPTION] += " (ce qui est à 0 %)"
        of_farm = {name: getattr(self.farm, name) for name in _OF_FARM}
        of_bills = {
            name: getattr(self.billing, name) for name in ("iban", "bic", "cheques_to", "creditor_id")
        }
        return {**of_farm, **of_bills, "regime": tax.regime, "mentions": said}


@dataclass(frozen=True, slots=True)
class Buyer:
    """To whom an invoice is made out, and until when they pay; guests pay where they collect."""

    name: str
    street: str
    postcode: str
    town: str
    email: str
    means: PaymentMeans | None = None
    due_days: int = 0
    company: str | None = None
    vat_number: str | None = None
    siren: str | None = None
    purchase_reference: str | None = None


def buyers_of(
    session: Session, accounts: Collection[Account], billing: Billing
) -> dict[int, Buyer | Refusal]:
    ids = [account.id for account in accounts]
    kept = select(Address).where(Address.account_id.in_(ids), Address.archived_at.is_(None))
    addresses = {row.account_id: row for row in session.scalars(kept.order_by(Address.billing, Address.id))}
    approved = Company.account_id.in_(ids), Company.state == CompanyState.APPROVED
    companies = {row.account_id: row for row in session.scalars(select(Company).where(*approved))}
    return {
        account.id: _buyer(account, addresses.get(account.id), companies.get(account.id), billing)
        for account in accounts
    }


def _buyer(
    account: Account, address: Address | None, company: Company | None, billing: Billing
) -> Buyer | Refusal:
    if account.erased_at:
        return Refusal.ERASED
    if address is None:
        return Refusal.NO_ADDRESS
    terms = billing.company_due_days if company else billing.due_days
    return Buyer(
        name=address.name,
        street=address.street,
        postcode=address.postcode,
        town=address.town,
        email=account.email,
        means=account.payment_means,
        due_days=company.due_days if company and company.due_days is not None else terms,
        company=company.name if company else None,
        vat_number=company.vat_number if company else None,
        siren=_siren(company) if company else None,
        purchase_reference=company.purchase_reference if company else None,
    )


def _siren(company: Company) -> str | None:
    """A French VAT number holds it: FR, a key of two characters, then the SIREN."""
    vat_number = company.vat_number or ""
    return company.siren or (vat_number[4:] if vat_number.startswith("FR") else None)


def buyer_of(invoice: Invoice) -> Buyer | Refusal:
    """To whom an invoice was made out, for what corrects it."""
    kept = invoice.buyer
    if kept is None:
        return Refusal.ERASED
    named = {name: getattr(kept, name) for name in _OF_BUYER}
    return Buyer(**named, means=invoice.means)


_OF_BUYER = (
    *("name", "street", "postcode", "town", "email"),
    *("company", "vat_number", "siren", "purchase_reference"),
)


def guest(order: Order) -> Buyer | Refusal:
    if order.erased_at:
        return Refusal.ERASED
    return Buyer(order.name, order.street, order.postcode, order.town, order.email)
