"""An invoice's file says all that it must on few pages, holds the e-invoice as it is, and can be kept for years."""

import subprocess
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from io import BytesIO

import pytest
from facturx import get_facturx_xml_from_pdf
from flask import Flask
from lxml import etree
from pypdf import PdfReader

from portal.billing import facturx
from portal.billing.papers import invoice_pdf
from portal.billing.queries import InvoiceView
from portal.rules.invoicing import Charge, LineKind
from portal.rules.mentions import VatRegime
from portal.rules.money import Money
from portal.rules.paying import PaymentMeans
from tests.billing.made import COMPANY, DEBIT, FIRST, PERSON, SELLER, charge, invoice

HOSTILE = '#panic("!") *x* $y$ <b>'
FARM_IBAN = "FR76 3000 6000 0112 3456 7890 189"
XMP = {
    "pdfaid": "http://www.aiim.org/pdfa/ns/id/",
    "fx": "urn:factur-x:pdfa:CrossIndustryDocument:invoice:1p0#",
}

Say = Callable[[InvoiceView], str]


@pytest.fixture
def say(app: Flask) -> Say:
    """What can be read on a paper."""

    def read(made: InvoiceView) -> str:
        with app.test_request_context():
            paper = invoice_pdf(made)
        text = subprocess.run(
            ["pdftotext", "-layout", "-", "-"], input=paper, capture_output=True, check=True
        )
        return " ".join(text.stdout.decode().replace("\u202f", " ").replace("\u00a0", " ").split())

    return read


def month(**changes: object) -> list[Charge]:
    """Four boxes with eggs, something weighed, something off."""
    days = [FIRST + timedelta(days=number) for number in (5, 12, 19, 26)]
    boxes = [each for day in days for each in (charge(1950, day=day), charge(240, label="Œufs", day=day))]
    carrots = charge(180, label="Carottes", quantity=450, weighed=True, day=days[-1])
    off = charge(-500, label="Bon d'achat MERCI", kind=LineKind.DISCOUNT, day=days[-1])
    return [replace(each, **changes) for each in (*boxes, carrots, off)]


def test_an_ordinary_month_says_all_that_the_law_and_its_reader_ask(say: Say) -> None:
    said = say(invoice(month(), means=PaymentMeans.DIRECT_DEBIT, debit=replace(DEBIT, amount=Money(8440))))
    for expected in (
        *("Facture F2026-00042", "Octobre 2026", "1er novembre 2026", "du 6 au 27 octobre 2026", "C10001"),
        *("Camille Aubert", "3 rue des Lilas", "La Gare, place de la Gare, 05700 Serres"),
        "mar. 6 oct. Grand panier 1 18,48 € 5,5 % 18,48 € 19,50 €",
        "Carottes 450 g 3,80 € 5,5 % 1,71 € 1,80 € 4,00 € le kilo TTC",
        "Bon d'achat MERCI 1 −4,74 € 5,5 % −4,74 € −5,00 €",
        "Total HT 80,00 € TVA 5,5 % sur 80,00 € 4,40 € Total TTC 84,40 €",
        "84,40 € seront prélevés le lundi 16 novembre 2026",
        *("•••• 0189", "RUM-C10001-1", "FR72ZZZ123456", "livraisons de biens"),
        *("EARL au capital de 7 500 €", "SIRET 73282932000074", "RCS Gap", "TVA FR44732829320", "1 / 1"),
    ):
        assert expected in said, said
    assert FARM_IBAN not in said and "40 €" not in said.replace("84,40 €", "").replace("2,40 €", "").replace(
        "4,40 €", ""
    )


def test_each_means_says_how_to_pay(say: Say) -> None:
    company = say(invoice(month(), buyer=COMPANY, means=PaymentMeans.TRANSFER))
    assert "À régler par virement au plus tard le lundi 16 novembre 2026" in company
    assert f"{FARM_IBAN} BIC AGRIFRPP Référence à indiquer F2026-00042" in company
    for expected in (
        "Crèche Les Lutins",
        "SIREN 303265045",
        "TVA FR40303265045",
        "BC-2026/12",
        "40 €",
        "escompte",
    ):
        assert expected in company
    assert "À l'ordre de EARL Les Jardins du Test" in say(invoice(month(), means=PaymentMeans.CHEQUE))
    ahead = say(invoice(month(), means=PaymentMeans.CHEQUE, owed=Money(-500)))
    assert "Déjà réglé par votre avance" in ahead and "À régler" not in ahead and "À l'ordre" not in ahead
    partly = say(invoice(month(), means=PaymentMeans.CHEQUE, owed=Money(3440)))
    assert "au plus tard le lundi 16 novembre 2026 : 34,40 €, votre avance déduite" in partly
    guest = say(invoice([charge(600)], account_id=None, of_order_id=12, month=None))
    assert "Livraison du 1er octobre 2026" in guest and "À régler au point de retrait" in guest
    assert "Commande B10012" in guest and FARM_IBAN not in guest


def test_a_credit_note_says_of_what_and_why_in_the_amounts_of_its_e_invoice(say: Say) -> None:
    said = say(invoice([charge(-650, label="Petit panier")]))
    for expected in (
        *("Avoir A2026-00007", "Sur la facture F2026-00012 du 1er octobre 2026", "Salade abîmée"),
        "Petit panier 1 6,16 € 5,5 % 6,16 € 6,50 €",
        "Total de l'avoir TTC 6,50 €",
    ):
        assert expected in said
    assert "À régler" not in said


def test_a_seller_without_vat_shows_no_vat_but_why(say: Say) -> None:
    said = say(invoice(month(vat_basis_points=0), VatRegime.FRANCHISE, means=PaymentMeans.TRANSFER))
    assert "mar. 6 oct. Grand panier 1 19,50 € 19,50 €" in said and "Total 84,40 €" in said
    assert "TVA non applicable" in said and "HT" not in said and "5,5 %" not in said


def test_words_of_people_are_never_source_and_no_letter_stops_it(say: Say) -> None:
    buyer = replace(COMPANY, company=HOSTILE, name="梅 قطف 🥕 \ue000", purchase_reference=HOSTILE)
    said = say(invoice([charge(100, label=f"{HOSTILE} {'x' * 90}")], buyer=buyer))
    assert said.count(HOSTILE) == 3 and "5,5 % 0,95 € 1,00 €" in said


def test_a_long_one_repeats_its_head_and_counts_its_pages(app: Flask) -> None:
    many = [charge(1234, day=FIRST + timedelta(days=number // 2)) for number in range(60)]
    with app.test_request_context():
        pages = [page.extract_text() for page in PdfReader(BytesIO(invoice_pdf(invoice(many)))).pages]
    assert len(pages) == 2
    assert all("Désignation" in page and f"{number} / 2" in page for number, page in enumerate(pages, 1))


def test_the_e_invoice_lies_in_a_file_that_can_be_kept_for_years(app: Flask) -> None:
    made = invoice(month(), buyer=replace(PERSON, name="Zoë 🥕 Łuć"))
    with app.test_request_context():
        paper, again = invoice_pdf(made), invoice_pdf(made)
    assert paper == again
    assert get_facturx_xml_from_pdf(paper, check_xsd=True) == ("factur-x.xml", facturx.xml(made))
    reader = PdfReader(BytesIO(paper), strict=True)
    root = reader.trailer["/Root"]
    [enclosed] = [each.get_object() for each in root["/AF"]]
    assert (enclosed["/AFRelationship"], enclosed["/EF"]["/F"]["/Subtype"]) == ("/Alternative", "/text/xml")
    assert root["/MarkInfo"]["/Marked"] and root["/StructTreeRoot"] and root["/Lang"] == "fr"
    assert root["/OutputIntents"][0].get_object()["/DestOutputProfile"] and len(reader.trailer["/ID"]) == 2
    fonts = [font.get_object() for page in reader.pages for font in page["/Resources"]["/Font"].values()]
    assert all("/ToUnicode" in font for font in fonts) and "/Encrypt" not in reader.trailer
    xmp = etree.fromstring(root["/Metadata"].get_object().get_data())
    assert [each.text for each in xmp.iter(f"{{{XMP['pdfaid']}}}*")] == ["3", "A"]
    own = {etree.QName(each).localname: each.text for each in xmp.iter(f"{{{XMP['fx']}}}*")}
    assert own == {
        "DocumentFileName": "factur-x.xml",
        "DocumentType": "INVOICE",
        "Version": "1.0",
        "ConformanceLevel": "EN 16931",
    }
    assert "Factur-X PDFA Extension Schema" in "".join(xmp.itertext()) and SELLER["name"] in "".join(
        xmp.itertext()
    )
