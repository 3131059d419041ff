"""The bank's file of direct debits, whoever they are collected from (BAR M4)."""

from collections import Counter
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
import sepaxml
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree
from schwifty import IBAN

from portal.billing.pain import SCHEMA, BadFile, Collection, Party, plain, write
from portal.rules.money import Money
from portal.rules.sepa import Sequence

DAY = date(2026, 7, 10)
MADE = datetime(2026, 7, 5, 22, 30, tzinfo=UTC)
FARM = Party(
    "Les Jardins du Tést & Fils", "FR72ZZZ123456", "05700", "Serres",
    "FR1420041010050500013M02606", "PSSTFRPPPAR",
)  # fmt: skip
SCHEMA_FILE = Path(sepaxml.__file__).parent / "schemas" / f"{SCHEMA}.xsd"
LETTERS = set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/-?:().,'+ ")

texts = st.text(min_size=1, max_size=90)
accounts = st.builds(
    lambda country, bank, number: str(IBAN.generate(country, bank_code=bank, account_code=number)),
    st.just("DE"),
    st.integers(10_000_000, 99_999_999).map(str),
    st.integers(0, 9_999_999_999).map(lambda number: f"{number:010}"),
)


@st.composite
def collections(draw: st.DrawFn, number: int) -> Collection:
    return Collection(
        end_to_end=f"F2026-{number:05}-1",
        amount=Money(draw(st.integers(1, 999_999_99))),
        sequence=draw(st.sampled_from(Sequence)),
        mandate=f"C{number}-M1",
        signed_on=draw(st.dates(date(2023, 8, 1), date(2026, 6, 30))),
        name=draw(texts),
        postcode=draw(st.from_regex(r"[0-9]{5}", fullmatch=True)),
        town=draw(texts),
        iban=draw(accounts),
        bic=draw(st.sampled_from([None, "AGRIFRPP", "CMCIFR2AXXX"])),
        words=f"Facture F2026-{number:05}",
    )


def several(number: int) -> st.SearchStrategy[list[Collection]]:
    return st.tuples(*(collections(n) for n in range(number))).map(list)


def tree(written: bytes) -> etree._Element:
    document = etree.fromstring(written)
    etree.XMLSchema(file=SCHEMA_FILE).assertValid(document)
    return document


def said(element: etree._Element, *names: str) -> str | None:
    return element.findtext("./" + "/".join(f"{{*}}{name}" for name in names))


@given(st.integers(1, 6).flatmap(several))
def test_every_file_is_valid_says_its_sums_and_parts_first_from_recurring(wanted: list[Collection]) -> None:
    document = tree(write(FARM, wanted, message_id="20260710-abc", day=DAY, made_at=MADE))
    [head], blocks = document.findall(".//{*}GrpHdr"), document.findall(".//{*}PmtInf")
    cents = {debit.end_to_end: debit.amount.cents for debit in wanted}
    assert said(head, "MsgId") == "20260710-abc"
    assert said(head, "CreDtTm") == "2026-07-06T00:30:00", "the wall clock of Paris"
    assert said(head, "NbOfTxs") == str(len(wanted))
    assert int((said(head, "CtrlSum") or "").replace(".", "")) == sum(cents.values())
    sequences = Counter(debit.sequence.value for debit in wanted)
    assert {
        said(block, "PmtTpInf", "SeqTp"): int(said(block, "NbOfTxs") or 0) for block in blocks
    } == sequences
    for block in blocks:
        assert said(block, "ReqdColltnDt") == "2026-07-10"
        rows = block.findall("{*}DrctDbtTxInf")
        known = {debit.end_to_end: debit for debit in wanted}
        for row in rows:
            debit = known.pop(said(row, "PmtId", "EndToEndId") or "")
            assert debit.sequence == said(block, "PmtTpInf", "SeqTp")
            assert int((said(row, "InstdAmt") or "").replace(".", "")) == debit.amount.cents
            assert IBAN(said(row, "DbtrAcct", "Id", "IBAN") or "").compact == debit.iban
            name = said(row, "Dbtr", "Nm") or ""
            assert name and set(name) <= LETTERS
        total = sum(cents[said(row, "PmtId", "EndToEndId") or ""] for row in rows)
        assert int((said(block, "CtrlSum") or "").replace(".", "")) == total


@settings(max_examples=1)
@given(several(1))
def test_a_file_that_no_bank_would_take_is_not_written(wanted: list[Collection]) -> None:
    nobody = Party("", "FR72ZZZ123456", "05700", "Serres", FARM.iban, None)
    with pytest.raises(BadFile):
        write(nobody, wanted, message_id="20260710-abc", day=DAY, made_at=MADE)


def test_names_are_written_in_the_letters_of_banks() -> None:
    assert plain("Zoë Œuvré-L'Été & Fils <script>", 70) == "Zoe OEuvre-L'Ete + Fils script"
    assert plain("🥕🥕", 70) == ""
