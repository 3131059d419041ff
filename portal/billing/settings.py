"""How the farm bills, and under which VAT regime."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.billing.models import BillingSettings, TaxStatus
from portal.infra.orm import View
from portal.profile.queries import Farm, get_farm
from portal.rules.mentions import SellerLack, VatRegime, lacks


@dataclass(frozen=True, slots=True)
class Billing:
    """The farm's billing settings, the usual ones where it has said nothing."""

    due_days: int = 15
    company_due_days: int = 30
    late_rate_basis_points: int = 1200
    iban: str | None = None
    bic: str | None = None
    creditor_id: str | None = None
    creditor_name: str | None = None
    reminds: bool = False
    collection_day: int = 10
    notice_days: int = 14
    debits_a_file: int = 5000
    cheques_to: str | None = None
    statement_columns: dict[str, str] | None = None
    ledger_accounts: dict[str, str] | None = None
    bills_from: date | None = None


_BILLING = select(View(Billing, **{name: getattr(BillingSettings, name) for name in Billing.__slots__}))


def billing_settings(session: Session) -> Billing:
    return session.scalar(_BILLING) or Billing()


@dataclass(frozen=True, slots=True)
class Tax:
    """Under which regime the farm sells from a day on."""

    since: date = date.min
    regime: VatRegime = VatRegime.LIABLE
    mention: str | None = None
    on_debits: bool = False


_TAXES = select(
    View(
        Tax,
        since=TaxStatus.since,
        regime=TaxStatus.regime,
        mention=TaxStatus.mention,
        on_debits=TaxStatus.on_debits,
    )
).order_by(TaxStatus.since.desc())


def taxes(session: Session) -> Sequence[Tax]:
    """All of them, the last one first."""
    return session.scalars(_TAXES).all()


def tax_on(known: Sequence[Tax], day: date) -> Tax:
    return next((tax for tax in known if tax.since <= day), Tax())


def tax_status_on(session: Session, day: date) -> Tax:
    return tax_on(taxes(session), day)


def seller_lacks(session: Session, day: date) -> list[SellerLack]:
    """What the farm's card lacks to bill on a day."""
    return lacks_of(get_farm(session), tax_status_on(session, day))


def lacks_of(farm: Farm, tax: Tax) -> list[SellerLack]:
    return lacks(
        tax.regime,
        legal_name=farm.legal_name,
        legal_form=farm.legal_form,
        siret=farm.siret,
        address=farm.address and farm.postcode and farm.town,
        vat_number=farm.vat_number,
    )
