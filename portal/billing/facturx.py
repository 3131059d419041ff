"""An invoice as Factur-X (EN 16931), the e-invoice that lies in its PDF, by the norm's names: BT a term, BG a group.

For a company it follows the French rules as well (AFNOR XP Z12-012): its notes, its SIREN as the address by which
platforms find it. An IBAN stands in it only where it is the farm's own, to be paid to.
"""

from decimal import Decimal
from typing import Any

from portal.billing.queries import BuyerView, InvoiceView, LineView, SellerView
from portal.rules.invoicing import DocumentKind
from portal.rules.mentions import Mention, VatRegime
from portal.rules.money import Money
from portal.rules.paying import PaymentMeans

NAME = "factur-x.xml"
CONTENT_TYPE = "application/xml"
LEVEL = "en16931"

_URN = "urn:factur-x:pdfa:CrossIndustryDocument:invoice:1p0#"
_SAID = {
    "DocumentFileName": (NAME, "The name of the embedded XML document"),
    "DocumentType": ("INVOICE", "The type of the hybrid document in capital letters, e.g. INVOICE or ORDER"),
    "Version": ("1.0", "The actual version of the standard applying to the embedded XML document"),
    "ConformanceLevel": ("EN 16931", "The conformance level of the embedded XML document"),
}
_PROPERTIES = "".join(
    f'<rdf:li rdf:parseType="Resource"><pdfaProperty:name>{name}</pdfaProperty:name>'
    "<pdfaProperty:valueType>Text</pdfaProperty:valueType><pdfaProperty:category>external</pdfaProperty:category>"
    f"<pdfaProperty:description>{meaning}</pdfaProperty:description></rdf:li>"
    for name, (_, meaning) in _SAID.items()
)
SCHEMA = (
    '<rdf:li rdf:parseType="Resource"><pdfaSchema:schema>Factur-X PDFA Extension Schema</pdfaSchema:schema>'
    f"<pdfaSchema:namespaceURI>{_URN}</pdfaSchema:namespaceURI><pdfaSchema:prefix>fx</pdfaSchema:prefix>"
    f"<pdfaSchema:property><rdf:Seq>{_PROPERTIES}</rdf:Seq></pdfaSchema:property></rdf:li>"
)
"""What a PDF with such an invoice says of itself in its metadata, and what it means by it."""
VALUES = (
    f'<rdf:Description rdf:about="" xmlns:fx="{_URN}">'
    + "".join(f"<fx:{name}>{value}</fx:{name}>" for name, (value, _) in _SAID.items())
    + "</rdf:Description>"
)

_GOODS = "B1"
_KINDS = {DocumentKind.INVOICE: "380", DocumentKind.CREDIT_NOTE: "381"}
_MEANS = {PaymentMeans.CHEQUE: "20", PaymentMeans.CASH: "10", PaymentMeans.CARD: "48"}
_AGREED, _TRANSFER, _DEBIT = "1", "58", "59"
_EXEMPTIONS: dict[str, str] = {
    VatRegime.FRANCHISE: "VATEX-FR-FRANCHISE",
    VatRegime.EXEMPT: "VATEX-FR-CGI261-7",
}
_SUBJECTS = {Mention.PENALTIES: "PMD", Mention.RECOVERY: "PMT", Mention.NO_DISCOUNT: "AAB"}
_SIREN, _SIRET, _FRENCH_ADDRESS = "0002", "0009", "0225"
_KILO, _PIECE = "KGM", "C62"


def xml(invoice: InvoiceView) -> bytes:
    """As a file; its tests hold it to the schema and to the rules of the norm."""
    from facturx import generate_xml  # noqa: PLC0415  40 MB that only the worker needs

    made: bytes = generate_xml(_document(invoice), level=LEVEL, check_xsd=False, check_schematron=None)
    return made


def _document(invoice: InvoiceView) -> dict[str, Any]:
    """What a credit note takes back it says in positive amounts: its kind gives them their sign."""
    sign = -1 if invoice.is_credit else 1
    total, net, vat = (_euros(amount * sign) for amount in (invoice.total, invoice.net, invoice.vat))
    seller, buyer, corrected = invoice.seller, invoice.buyer, invoice.corrects
    assert buyer, "nothing is made for who has been forgotten"
    return {
        "BT-1": invoice.number,
        "BT-2": invoice.issued_on,
        "BT-3": _KINDS[invoice.kind],
        "BT-5": "EUR",
        "BT-9": invoice.due_on,
        "BT-10": _line(buyer.purchase_reference),
        "BT-13": _line(buyer.purchase_reference),
        "BT-23": _GOODS,
        "BG-1": _notes(invoice, buyer),
        "BG-3": [{"BT-25": corrected.number, "BT-26": corrected.issued_on}] if corrected else [],
        "BG-4": _seller(seller),
        "BG-7": _buyer(buyer),
        "BG-13": _collected_at(buyer),
        "BT-72": invoice.last_day,
        "BT-73": invoice.first_day,
        "BT-74": invoice.last_day,
        **_payment(invoice),
        "BG-23": [
            {
                "BT-116": _euros(rate.net * sign),
                "BT-117": _euros(rate.vat * sign),
                "BT-118": _category(seller, rate.basis_points),
                "BT-119": _percent(rate.basis_points),
                "BT-120": None if rate.basis_points else seller.mentions.get(Mention.EXEMPTION),
                "BT-121": None if rate.basis_points else _EXEMPTIONS.get(seller.regime),
            }
            for rate in invoice.rates
        ],
        "BG-25": [_item(seller, line, sign) for line in invoice.lines],
        "BT-106": net,
        "BT-109": net,
        "BT-110": vat,
        "BT-112": total,
        "BT-113": _euros(invoice.ahead) if invoice.ahead.cents else None,
        "BT-115": _euros(invoice.total * sign - invoice.ahead),
    }


def _notes(invoice: InvoiceView, buyer: BuyerView) -> list[dict[str, str | None]]:
    said = [{"BT-21": _SUBJECTS.get(kind), "BT-22": text} for kind, text in invoice.seller.mentions.items()]
    if invoice.reason:
        said.append({"BT-21": None, "BT-22": _line(invoice.reason)})
    if buyer.siren:
        said.append({"BT-21": "BAR", "BT-22": "B2B"})
    return said


def _seller(seller: SellerView) -> dict[str, Any]:
    siren = seller.siret[:9]
    return {
        "name": _line(seller.legal_name),
        "biz_name": _line(seller.name),
        "legal_info": _line(f"{seller.legal_form} {seller.register or ''}"),
        "identifiers": {_SIRET: seller.siret},
        **_registered(siren),
        "vat_identifier": seller.vat_number,
        "tax_identifier": None if seller.vat_number else siren,
        "contacts": [{"name": _line(seller.name), "phone": seller.phone, "email": seller.email}],
        **_address(seller.address, seller.postcode, seller.town),
    }


def _buyer(buyer: BuyerView) -> dict[str, Any]:
    company = {"contacts": [{"name": _line(buyer.name)}], "vat_identifier": buyer.vat_number}
    return {
        "name": _line(buyer.company or buyer.name),
        **(company if buyer.company else {}),
        **(_registered(buyer.siren) if buyer.siren else {}),
        **_address(buyer.street, buyer.postcode, buyer.town),
    }


def _registered(siren: str) -> dict[str, str]:
    """In the register of companies, and where platforms find it."""
    return {
        "legal_identifier": siren,
        "legal_identifier_schemeid": _SIREN,
        "einvoicing_addr": siren,
        "einvoicing_addr_schemeid": _FRENCH_ADDRESS,
    }


def _address(street: str, postcode: str, town: str) -> dict[str, str | None]:
    return {"addr_l1": _line(street), "postcode": postcode, "city": _line(town), "country_code": "FR"}


def _collected_at(buyer: BuyerView) -> dict[str, str | None] | None:
    place = _line(buyer.delivered_to)
    return {"name": place, "country_code": "FR"} if place else None


def _payment(invoice: InvoiceView) -> dict[str, Any]:
    if invoice.is_credit:
        return {}
    seller, debit = invoice.seller, invoice.debit
    said = {"BT-83": invoice.number}
    if debit:
        return said | {"BT-81": _DEBIT, "BT-89": debit.reference, "BT-90": seller.creditor_id}
    if invoice.means in _MEANS:
        return said | {"BT-81": _MEANS[invoice.means]}
    if seller.iban and invoice.account_id is not None:
        return said | {"BT-81": _TRANSFER, "BT-84": seller.iban, "BT-86": seller.bic}
    return said | {"BT-81": _AGREED}


def _item(seller: SellerView, line: LineView, sign: int) -> dict[str, Any]:
    """What is taken off is a quantity below zero: the norm knows no such price."""
    net, quantity = line.net * sign, _quantity(line)
    return {
        "BT-126": str(line.position),
        "BT-129": f"{quantity if net.cents >= 0 else -quantity:f}",
        "BT-130": _KILO if line.weighed else _PIECE,
        "BT-131": _euros(net),
        "BT-134": line.day,
        "BT-135": line.day,
        "BT-146": f"{abs(unit_net(line)):.4f}",
        "BT-151": _category(seller, line.vat_basis_points),
        "BT-152": _percent(line.vat_basis_points),
        "BT-153": _line(line.label),
    }


def unit_net(line: LineView) -> Decimal:
    """What one, or a kilo, comes to without VAT: prices are all taxes included, so it has no whole cents."""
    return Decimal(line.net.cents).scaleb(-2) / _quantity(line)


def _quantity(line: LineView) -> Decimal:
    return Decimal(abs(line.quantity) or 1).scaleb(-3 if line.weighed else 0)


def _category(seller: SellerView, basis_points: int) -> str:
    if basis_points:
        return "S"
    return "Z" if seller.regime is VatRegime.LIABLE else "E"


def _euros(amount: Money) -> str:
    return f"{Decimal(amount.cents).scaleb(-2):.2f}"


def _percent(basis_points: int) -> str:
    return f"{Decimal(basis_points).scaleb(-2).normalize():f}"


def _line(text: str | None) -> str | None:
    """As XML can hold it."""
    return " ".join(text.split()) if text else None
