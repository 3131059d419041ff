"""What an invoice must say."""

from datetime import date
from typing import Any

from portal.rules.mentions import Mention, SellerLack, VatRegime, lacks, mentions


def test_the_words_of_the_law_follow_its_date() -> None:
    before, after = date(2026, 8, 31), date(2026, 9, 1)
    assert mentions(VatRegime.FRANCHISE, before)[Mention.EXEMPTION] == "TVA non applicable, art. 293 B du CGI"
    assert "code des impositions" in mentions(VatRegime.FRANCHISE, after)[Mention.EXEMPTION]
    assert "261" in mentions(VatRegime.EXEMPT, before)[Mention.EXEMPTION]
    assert mentions(VatRegime.EXEMPT, after, own="Exonérée")[Mention.EXEMPTION] == "Exonérée"
    assert list(mentions(VatRegime.LIABLE, after)) == [Mention.NATURE]
    assert list(mentions(VatRegime.LIABLE, after, on_debits=True)) == [Mention.NATURE, Mention.ON_DEBITS]
    company = mentions(VatRegime.LIABLE, after, late_rate=1215)
    assert list(company) == [Mention.NATURE, Mention.PENALTIES, Mention.RECOVERY, Mention.NO_DISCOUNT]
    assert "12,15 % l'an" in company[Mention.PENALTIES] and "40 €" in company[Mention.RECOVERY]
    assert "10 % l'an" in mentions(VatRegime.LIABLE, after, late_rate=1000)[Mention.PENALTIES]


def test_only_who_is_liable_to_vat_needs_a_number_for_it() -> None:
    card: dict[str, Any] = {
        "legal_name": "EARL",
        "legal_form": "EARL",
        "siret": "1",
        "address": "a",
        "vat_number": None,
    }
    assert lacks(VatRegime.LIABLE, **card) == [SellerLack.VAT_NUMBER]
    assert not lacks(VatRegime.FRANCHISE, **card)
    assert len(lacks(VatRegime.LIABLE, **dict.fromkeys(card, ""))) == 5
