"""An invoice as a file to keep: a page for people, and within it the same as Factur-X for programs."""

from datetime import date

from babel.numbers import format_currency

from portal.billing import facturx
from portal.billing.queries import InvoiceView, LineView
from portal.infra import pdf
from portal.rules.invoicing import DocumentKind
from portal.rules.mentions import VatRegime
from portal.rules.money import Money
from portal.rules.paying import PaymentMeans
from portal.web.filters import amount, day_month, day_short, day_year, money, month, number, percent
from portal.web.i18n import FIRM, language
from portal.web.i18n import gettext as _
from portal.web.i18n import lazy_gettext as _l


def invoice_pdf(invoice: InvoiceView) -> bytes:
    """As PDF/A-3: the same invoice makes the same bytes."""
    seller = invoice.seller
    taxed = seller.regime is VatRegime.LIABLE or any(rate.basis_points for rate in invoice.rates)
    return pdf.archive(
        "invoice",
        enclosed=facturx.xml(invoice),
        schema=facturx.SCHEMA,
        values=facturx.VALUES,
        language=language(),
        day=[invoice.issued_on.year, invoice.issued_on.month, invoice.issued_on.day],
        farm={name: getattr(seller, name) for name in _HEAD},
        title=title(invoice),
        subtitle=_subtitle(invoice),
        facts=_facts(invoice),
        buyer=_buyer(invoice),
        heads=[str(head) for head in (_TAXED_HEADS if taxed else _PLAIN_HEADS)],
        lines=_lines(invoice, taxed=taxed),
        sums=_sums(invoice) if taxed else [],
        total=(_total_name(invoice, taxed=taxed), _shown(invoice, invoice.total)),
        paying=_paying(invoice),
        payment=_payment(invoice),
        mentions=list(seller.mentions.values()),
        seller=_identity(invoice),
    )


def file_name(invoice_number: str, kind: DocumentKind) -> str:
    return f"{'avoir' if kind is DocumentKind.CREDIT_NOTE else 'facture'}-{invoice_number}.pdf"


def e_invoice_name(invoice_number: str) -> str:
    return f"factur-x-{invoice_number}.xml"


def title(invoice: InvoiceView) -> str:
    """« Facture F2026-00042 »"""
    if invoice.is_credit:
        return _("Avoir %(number)s", number=invoice.number)
    return _("Facture %(number)s", number=invoice.number)


_HEAD = ("name", "tagline", "address", "postcode", "town", "phone", "email")
_TAXED_HEADS = (
    _l("Livraison"), _l("Désignation"), _l("Quantité"), _l("Prix unit. HT"), _l("TVA"), _l("Total HT"), _l("Total TTC"),
)  # fmt: skip
_PLAIN_HEADS = (_l("Livraison"), _l("Désignation"), _l("Quantité"), _l("Prix unitaire"), _l("Total"))


def _sign(invoice: InvoiceView) -> int:
    """A credit note says in positive amounts what it takes back."""
    return -1 if invoice.is_credit else 1


def _shown(invoice: InvoiceView, value: Money) -> str:
    return money(value * _sign(invoice))


def _subtitle(invoice: InvoiceView) -> str:
    if corrected := invoice.corrects:
        day = _date(corrected.issued_on)
        return _("Sur la facture %(number)s du %(day)s", number=corrected.number, day=day)
    if invoice.month:
        return month(invoice.month).capitalize()
    return _("Livraison du %(day)s", day=_date(invoice.last_day))


def _facts(invoice: InvoiceView) -> list[tuple[str, str]]:
    buyer = invoice.buyer
    assert buyer
    facts = [
        (_("Date"), _date(invoice.issued_on)),
        (_("Livraisons"), _days(invoice)),
        (_("N° de client") if invoice.account_id else _("Commande"), invoice.customer_number),
        (_("Votre référence"), buyer.purchase_reference),
        (_("Retrait"), buyer.delivered_to),
        (_("Motif"), invoice.reason),
    ]
    return [(name, value) for name, value in facts if value]


def _days(invoice: InvoiceView) -> str:
    first, last = invoice.first_day, invoice.last_day
    if first == last:
        return _date(last)
    same_month = (first.year, first.month) == (last.year, last.month)
    begun = day_month(first).split(FIRM)[0] if same_month else day_month(first)
    return _("du %(first)s au %(last)s", first=begun, last=_date(last))


def _date(day: date) -> str:
    return f"{day_month(day)} {day.year}"


def _buyer(invoice: InvoiceView) -> list[str]:
    buyer = invoice.buyer
    assert buyer
    said = [
        buyer.company,
        buyer.name,
        buyer.street,
        f"{buyer.postcode} {buyer.town}",
        buyer.siren and _("SIREN %(number)s", number=buyer.siren),
        buyer.vat_number and _("TVA %(number)s", number=buyer.vat_number),
    ]
    return [line for line in said if line]


def _lines(invoice: InvoiceView, *, taxed: bool) -> list[tuple[str, ...]]:
    lines, day = [], None
    for line in invoice.lines:
        lines.append(("" if line.day == day else day_short(line.day), *_cells(invoice, line, taxed=taxed)))
        day = line.day
    return lines


def _cells(invoice: InvoiceView, line: LineView, *, taxed: bool) -> tuple[str, ...]:
    quantity = abs(line.quantity)
    several = line.weighed or quantity > 1
    counted = amount(quantity, "g") if line.weighed else number(quantity)
    total = _shown(invoice, line.total)
    each = _("%(price)s le kilo", price=money(line.unit_price)) if line.weighed else money(line.unit_price)
    if not taxed:
        return (line.label, "", counted, each if several else total, total)
    return (
        line.label,
        _("%(price)s TTC", price=each) if several else "",
        counted,
        _unit_net(invoice, line),
        percent(line.vat_basis_points),
        _shown(invoice, line.net),
        total,
    )


def _unit_net(invoice: InvoiceView, line: LineView) -> str:
    """In whole cents where one was bought, else in so many decimals that it comes to the line's amount."""
    if not line.weighed and abs(line.quantity) <= 1:
        return _shown(invoice, line.net)
    price = facturx.unit_net(line) * _sign(invoice)
    return format_currency(price, "EUR", "#,##0.00## ¤", locale=language(), currency_digits=False)


def _sums(invoice: InvoiceView) -> list[tuple[str, str]]:
    taxes = [
        (
            _(
                "TVA %(rate)s sur %(net)s",
                rate=percent(rate.basis_points),
                net=_shown(invoice, rate.net),
            ),
            _shown(invoice, rate.vat),
        )
        for rate in invoice.rates
    ]
    return [(_("Total HT"), _shown(invoice, invoice.net)), *taxes]


def _total_name(invoice: InvoiceView, *, taxed: bool) -> str:
    if invoice.is_credit:
        return _("Total de l'avoir TTC") if taxed else _("Total de l'avoir")
    return _("Total TTC") if taxed else _("Total")


_BY_MEANS = {
    PaymentMeans.CHEQUE: _l("À régler par chèque au plus tard le %(day)s"),
    PaymentMeans.CASH: _l("À régler en espèces au plus tard le %(day)s"),
    PaymentMeans.CARD: _l("À régler par carte, à la ferme, au plus tard le %(day)s"),
}


def _paying(invoice: InvoiceView) -> str:
    if invoice.is_credit:
        return _("Cette somme est déduite de ce que vous devez, ou reste à votre crédit.")
    if invoice.ahead == invoice.total:
        return (
            _("Déjà réglé par votre avance : rien à payer.") if invoice.ahead.cents else _("Rien à régler.")
        )
    if debit := invoice.debit:
        day = day_year(debit.collected_on)
        return _("%(sum)s seront prélevés le %(day)s", sum=money(debit.amount), day=day)
    if invoice.account_id is None:
        return _("À régler au point de retrait, si ce n'est déjà fait")
    words = _BY_MEANS.get(invoice.means) if invoice.means else None
    if words is None and invoice.seller.iban:
        words = _l("À régler par virement au plus tard le %(day)s")
    said = str(words or _l("À régler au plus tard le %(day)s")) % {"day": day_year(invoice.due_on)}
    if not invoice.ahead.cents:
        return said
    left = money(invoice.total - invoice.ahead)
    return _("%(paying)s : %(left)s, votre avance déduite", paying=said, left=left)


def _payment(invoice: InvoiceView) -> list[tuple[str, str]]:
    seller = invoice.seller
    if invoice.is_credit or invoice.account_id is None or invoice.ahead == invoice.total:
        return []
    if debit := invoice.debit:
        said = [
            (_("Compte"), f"••••{FIRM}{debit.last_four}"),
            (_("Mandat (RUM)"), debit.reference),
            (_("Créancier (ICS)"), seller.creditor_id),
        ]
    elif invoice.means is PaymentMeans.CHEQUE:
        said = [(_("À l'ordre de"), seller.cheques_to)]
    elif invoice.means in _BY_MEANS:
        said = []
    else:
        iban = seller.iban or ""
        said = [
            (_("Titulaire"), seller.legal_name if iban else None),
            (_("IBAN"), FIRM.join(iban[at : at + 4] for at in range(0, len(iban), 4))),
            (_("BIC"), seller.bic if iban else None),
        ]
    said.append((_("Référence à indiquer"), None if invoice.debit else invoice.number))
    return [(name, value) for name, value in said if value]


def _identity(invoice: InvoiceView) -> list[str]:
    seller = invoice.seller
    said = [
        seller.legal_name,
        seller.legal_form,
        _("SIRET %(number)s", number=seller.siret),
        seller.register,
        seller.vat_number and _("TVA %(number)s", number=seller.vat_number),
    ]
    return [part for part in said if part]
