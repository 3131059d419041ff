"""Invoices as they might be issued, made without a database: of any rates, weights, buyers and sellers."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any

from portal.billing.queries import Announced, BuyerView, InvoiceView, LineView, RateView, Reference
from portal.rules.invoicing import Charge, DocumentKind, LineKind, nets_of, rates_of
from portal.rules.mentions import VatRegime, mentions
from portal.rules.money import Money
from portal.rules.paying import PaymentMeans

FIRST, ISSUED = date(2026, 10, 1), date(2026, 11, 1)
SELLER = {
    "name": "Les Jardins du Test",
    "tagline": "Des légumes toute l'année",
    "legal_name": "EARL Les Jardins du Test",
    "legal_form": "EARL au capital de 7 500 €",
    "siret": "73282932000074",
    "register": "RCS Gap",
    "vat_number": "FR44732829320",
    "address": "12 chemin des Canaux",
    "postcode": "05700",
    "town": "Serres",
    "email": "ferme@example.org",
    "phone": "04 65 71 00 01",
    "certifier": None,
    "iban": "FR7630006000011234567890189",
    "bic": "AGRIFRPP",
    "cheques_to": "EARL Les Jardins du Test",
    "creditor_id": "FR72ZZZ123456",
}
PERSON = BuyerView(
    1, "Camille Aubert", "3 rue des Lilas", "05700", "Serres", "camille@example.org", None, None, None, None,
    "La Gare, place de la Gare, 05700 Serres", date(2036, 12, 31),
)  # fmt: skip
COMPANY = replace(
    PERSON,
    company="Crèche Les Lutins",
    siren="303265045",
    vat_number="FR40303265045",
    purchase_reference="BC-2026/12",
)
DEBIT = Announced("RUM-C10001-1", "0189", date(2026, 11, 16), Money(3860))
LABELS = ("Grand panier", "Petit panier", "Œufs", "Carottes", "Courge <b>butternut</b> & navets", "Jus 1 l")


def charge(
    total: int, *, label: str = "Grand panier", quantity: int = 1, weighed: bool = False, rate: int = 550,
    kind: LineKind = LineKind.BOX, day: date = FIRST,
) -> Charge:  # fmt: skip
    price = Money(total).part(1000, quantity) if weighed else Money(total // quantity)
    return Charge("", kind, day, label, quantity, weighed, price, rate, Money(total))


def invoice(charges: list[Charge], regime: VatRegime = VatRegime.LIABLE, **changes: Any) -> InvoiceView:
    """Of what is charged; a credit note where that is less than nothing."""
    buyer = changes.get("buyer", PERSON)
    rates = rates_of(charges)
    sums = {
        name: sum((getattr(rate, name) for rate in rates), Money.zero()) for name in ("net", "vat", "total")
    }
    credit = sums["total"].cents < 0
    said = mentions(regime, ISSUED, late_rate=1200 if buyer.company else None)
    own = {} if regime is VatRegime.LIABLE else {"vat_number": None}
    days = [each.day for each in charges]
    values: dict[str, Any] = {
        "id": 1,
        "number": "A2026-00007" if credit else "F2026-00042",
        "kind": DocumentKind.CREDIT_NOTE if credit else DocumentKind.INVOICE,
        "customer_id": 1,
        "account_id": 1,
        "of_order_id": None,
        "month": None if credit else FIRST,
        "run_id": None,
        "corrects_id": 9 if credit else None,
        "reason": "Salade abîmée" if credit else None,
        "issued_at": datetime(2026, 11, 1, 9, tzinfo=UTC),
        "issued_on": ISSUED,
        "first_day": min(days),
        "last_day": max(days),
        "due_on": ISSUED + timedelta(days=0 if credit else 15),
        "means": None,
        **sums,
        "owed": sums["total"],
        "file": None,
        "told_at": None,
        "kept_seller": SELLER | {"regime": regime, "mentions": said} | own,
        "corrects": Reference("F2026-00012", date(2026, 10, 1)) if credit else None,
        "debit": None,
        "buyer": buyer,
        "lines": _lines(charges),
        "rates": tuple(RateView(1, rate.basis_points, rate.net, rate.vat, rate.total) for rate in rates),
    }
    return InvoiceView(**values | changes)


def _lines(charges: list[Charge]) -> tuple[LineView, ...]:
    return tuple(
        LineView(
            1, place, place, each.kind, each.source, None, None, None, None, each.day, each.label, each.quantity,
            each.weighed, each.unit_price, each.vat_basis_points, net, each.total,
        )
        for place, (each, net) in enumerate(zip(charges, nets_of(charges), strict=True), 1)
    )  # fmt: skip


def at_random(random: Random) -> InvoiceView:
    regime = random.choice(list(VatRegime))
    rates = (0, 210, 550, 1000, 2000) if regime is VatRegime.LIABLE else (0,)
    charges = [_any_charge(random, random.choice(rates)) for _ in range(random.randint(1, 12))]
    if random.random() < 0.3:
        charges = [replace(each, total=each.total * -1, quantity=-each.quantity) for each in charges]
    made = invoice(charges, regime, buyer=random.choice([PERSON, COMPANY, replace(COMPANY, vat_number=None)]))
    means = random.choice([None, *PaymentMeans])
    debit = DEBIT if means is PaymentMeans.DIRECT_DEBIT and not made.is_credit else None
    seller = made.kept_seller | {"iban": random.choice([None, SELLER["iban"]])}
    if regime is not VatRegime.LIABLE:
        seller["vat_number"] = random.choice([None, SELLER["vat_number"]])
    owed = made.total - Money(random.choice([0, 0, random.randint(1, 9000)]))
    return replace(made, means=means, debit=debit, kept_seller=seller, owed=owed)


def _any_charge(random: Random, rate: int) -> Charge:
    day, label = FIRST + timedelta(days=random.randint(0, 30)), random.choice(LABELS)
    if random.random() < 0.15:
        off = -random.randint(1, 300)
        return charge(off, label="Bon d'achat", rate=rate, kind=LineKind.DISCOUNT, day=day)
    weighed = random.random() < 0.3
    quantity = random.randint(50, 9000) if weighed else random.randint(1, 5)
    return charge(
        random.randint(0, 9000), label=label, quantity=quantity, weighed=weighed, rate=rate, day=day
    )
