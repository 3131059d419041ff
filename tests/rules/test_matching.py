"""What a line of a bank statement is proposed to be for, and that no account number is kept of it (BAR P1)."""

import re
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.rules.matching import (
    Books,
    Collected,
    Confidence,
    Movement,
    Owed,
    Payer,
    Reason,
    invoice_numbers,
    masked,
    propose,
    propose_all,
)
from portal.rules.money import Money

DAY = date(2026, 6, 5)
CERTAIN, PROBABLE, UNKNOWN = Confidence
CAMILLE = Payer(
    1, "C10001", "Camille", "Aubert",
    owed=(Owed("F2026-00042", Money(3860)), Owed("F2026-00050", Money(2190)), Owed("F2026-00061", Money(1500))),
)  # fmt: skip
YACINE = Payer(2, "C10002", "Yacine", "Benali", owed=(Owed("F2026-00043", Money(2300)),))
ANNE = Payer(3, "C10003", "Anne-Lise", "Le Goff", owed=(Owed("F2026-00044", Money(1150)),))
ANDRE = Payer(4, "C10004", "André", "Aubert", owed=(Owed("F2026-00045", Money(1150)),))
CAFE = Payer(5, "C10005", "Rémi", "Roux", "Café de l'Été", (Owed("F2026-00046", Money(9900)),))
BOOKS = Books(
    (CAMILLE, YACINE, ANNE, ANDRE, CAFE),
    billed={"F2026-00040": 1},
    collected=(Collected("LOT-7", date(2026, 6, 4), Money(120_000)), Collected("P2026-9", DAY, Money(1950))),
)


def line(cents, label="VIR SEPA", name="", day=DAY):
    return Movement(day, Money(cents), name, label)


@pytest.mark.parametrize(
    ("movement", "confidence", "reason", "payer", "invoices"),
    [
        (line(3860, "FACTURE F2026-00042"), CERTAIN, "invoices", CAMILLE, ["F2026-00042"]),
        (line(3860, "vir f2026 42 merci", "M DUPONT"), CERTAIN, "invoices", CAMILLE, ["F2026-00042"]),
        (line(6050, "F2026-00042, F2026-00050"), CERTAIN, "invoices", CAMILLE, ["F2026-00042", "F2026-00050"]),
        (line(4000, "F202600042"), PROBABLE, "invoices_otherwise", CAMILLE, ["F2026-00042"]),
        (line(3860, "F2026-00040"), PROBABLE, "invoices_otherwise", CAMILLE, ["F2026-00040"]),
        (line(6160, "F2026-00042 F2026-00043"), UNKNOWN, "nothing", None, []),
        (line(3860, "F2026-00999"), UNKNOWN, "nothing", None, []),
        (line(2300, "CLIENT C10002"), CERTAIN, "customer", YACINE, ["F2026-00043"]),
        (line(5000, "c 10002 avance"), PROBABLE, "customer", YACINE, []),
        (line(7550, name="MME CAMILLE AUBERT"), CERTAIN, "name_and_amount", CAMILLE,
         ["F2026-00042", "F2026-00050", "F2026-00061"]),
        (line(5360, name="Aubert Camille"), CERTAIN, "name_and_amount", CAMILLE, ["F2026-00042", "F2026-00061"]),
        (line(1150, name="LEGOFF ANNE LISE"), CERTAIN, "name_and_amount", ANNE, ["F2026-00044"]),
        (line(9900, name="SARL CAFE DE L ETE"), CERTAIN, "name_and_amount", CAFE, ["F2026-00046"]),
        (line(1150, name="M A AUBERT"), PROBABLE, "last_name_and_amount", ANDRE, ["F2026-00045"]),
        (line(1111, name="Yacine Bénali"), PROBABLE, "name", YACINE, []),
        (line(1111, name="AUBERT"), UNKNOWN, "nothing", None, []),
        (line(2300, name="LE GOFF"), UNKNOWN, "nothing", None, []),
        (line(1150, name="LE GOFFIC"), UNKNOWN, "nothing", None, []),
        (line(2300), UNKNOWN, "nothing", None, []),
        (line(120_000, "PRLV SEPA CORE EMIS"), CERTAIN, "collection", None, []),
        (line(120_000, "PRLV SEPA", day=date(2026, 6, 20)), UNKNOWN, "nothing", None, []),
        (line(119_000, "SDD LOT-7"), CERTAIN, "collection", None, []),
        (line(1950, "P2026-9 prlv rejete"), PROBABLE, "collection", None, []),
        (line(4500, "REMISE CHEQUES 3"), PROBABLE, "deposit", None, []),
        (line(-1950, "P2026-9 MD06"), PROBABLE, "returned", None, []),
        (line(-2300, "PRLV SEPA REJETE BENALI"), PROBABLE, "returned", None, []),
        (line(-2300, "EDF F2026-00043 YACINE BENALI"), UNKNOWN, "nothing", None, []),
    ],
)  # fmt: skip
def test_what_is_proposed_says_how_sure_it_is_and_why(movement, confidence, reason, payer, invoices):
    found = propose(movement, BOOKS)
    assert (found.confidence, found.reason) == (confidence, reason)
    assert found.payer_id == (payer.id if payer else None)
    assert list(found.invoices) == invoices


def test_two_of_one_name_are_never_taken_for_each_other():
    twin = Payer(9, "C10009", "Yacine", "Benali", owed=(Owed("F2026-00047", Money(2300)),))
    both = Books((YACINE, twin))
    assert propose(line(2300, name="YACINE BENALI"), both).reason is Reason.NOTHING
    other = Books((YACINE, Payer(9, "C10009", "Yacine", "Benali")))
    assert propose(line(2300, name="YACINE BENALI"), other).payer_id == 2


def test_what_pays_an_invoice_twice_is_certain_once_the_older_first():
    later, sooner = line(2300, "F2026-00043", day=date(2026, 6, 9)), line(2300, "C10002")
    proposals = propose_all([later, sooner], BOOKS)
    assert [found.confidence for found in proposals] == [PROBABLE, CERTAIN]


@given(st.lists(st.integers(1, 99_999), min_size=1, max_size=6, unique=True), st.data())
def test_numbers_are_found_however_they_are_written(wanted, data):
    between = st.sampled_from(["-", " ", "", " - "])
    heads = st.sampled_from(["F", "f", "F-", "FACT ", "facture F", "Facture n° F"])
    written = [
        f"{data.draw(heads)}2026{data.draw(between)}{n:05}" if data.draw(st.booleans()) else f"F2026-{n}"
        for n in wanted
    ]
    assert invoice_numbers("VIR " + ", ".join(written) + " merci") == tuple(f"F2026-{n:05}" for n in wanted)


@given(
    st.lists(st.integers(1, 5000), min_size=1, max_size=7),
    st.integers(1, 40_000),
    st.sampled_from(["", "CAMILLE AUBERT", "AUBERT", "C10001", "F2026-00001"]),
)
def test_what_is_certain_pays_invoices_to_the_cent_and_those_of_one_person(amounts, cents, text):
    owed = tuple(Owed(f"F2026-{n:05}", Money(amount)) for n, amount in enumerate(amounts, 1))
    books = Books((Payer(1, "C10001", "Camille", "Aubert", owed=owed), YACINE))
    found = propose(line(cents, text), books)
    if found.confidence is CERTAIN:
        paid = [one.amount for one in owed if one.number in found.invoices]
        assert sum(paid) == Money(cents) and found.payer_id == 1


LETTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
ibans = st.builds(
    lambda country, check, rest: f"{country}{check:02}{rest}",
    st.sampled_from(["FR", "DE", "BE", "LU", "ES", "MT", "NO"]),
    st.integers(2, 98),
    st.text(LETTERS, min_size=11, max_size=27),
)
words = st.sampled_from(["", "VIR DE ", "facture F2026-00042 ", "(", "IBAN:"])


@given(ibans, st.booleans(), st.booleans(), words, words)
def test_no_account_number_is_left_whole(iban, grouped, small, before, after):
    written = " ".join(iban[n : n + 4] for n in range(0, len(iban), 4)) if grouped else iban
    text = f"{before}{written.lower() if small else written} {after}"
    shown = masked(text)
    bare = "".join(shown.split()).upper()
    assert iban not in bare and iban[4:-4] not in bare
    # by chance the letters of a word that follows make the key right, and go with it
    assert f"•••• {iban[-4:]}" in shown.upper() or grouped or (after and "•••• " in shown)


@pytest.mark.parametrize(
    "written",
    ["IBANFR7630006000011234567890189", "VIR_FR7630006000011234567890189_AUBERT",
     "FR76 3000  6000  0112  3456  7890  189", "fr76-3000-6000-0112-3456-7890-189.", "xFR7630006000011234567890189y"],
)  # fmt: skip
def test_an_account_number_is_masked_however_it_is_glued_or_taken_apart(written: str) -> None:
    shown = masked(f"VIR {written}")
    assert "•••• 0189" in shown and "1234567890" not in re.sub(r"\W", "", shown)


def test_old_french_account_numbers_are_masked_and_what_is_none_is_left():
    assert masked("RIB 30006 00001 12345678901 89 AUBERT") == "RIB •••• 0189 AUBERT"
    kept = "VIR SEPA F2026-00042 C10001 LOT-7 P2026-9 06 39 98 00 01 le 05/06/2026"
    assert masked(kept) == kept
    assert masked("FR7630006000011234567890189 F2026-00042") == "•••• 0189 F2026-00042"
