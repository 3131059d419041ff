"""What is typed as an account number, and how long a mandate lasts."""

from datetime import date

import pytest

from portal.rules.sepa import (
    AccountFault,
    BankAccount,
    Unread,
    lapsed_since,
    mandate_reference,
    read_account,
)

FRENCH = "FR7630006000011234567890189"
MONACO = "MC5811222000010123456789030"


@pytest.mark.parametrize(
    "typed",
    [
        FRENCH,
        "FR76 3000 6000 0112 3456 7890 189",
        "iban : fr76 3000 6000 0112 3456 7890 189",
        "IBAN FR76\u00a03000\u202f6000.0112-3456\t7890 189\n",
    ],
)
def test_an_account_is_understood_however_it_is_spaced(typed: str) -> None:
    assert read_account(typed) == BankAccount(FRENCH, "AGRIFRPPXXX", "CREDIT AGRICOLE SA")


def test_a_bank_that_nobody_knows_needs_no_bic_within_the_economic_area() -> None:
    assert read_account("BE68 5390 0754 7034") == BankAccount("BE68539007547034", None, None)


def test_elsewhere_in_sepa_the_bic_is_asked_for_where_it_is_not_known() -> None:
    assert read_account(MONACO) == Unread(AccountFault.BIC_NEEDED)
    assert read_account(MONACO, "CMCIMC") == Unread(AccountFault.BIC_WRONG)
    assert read_account(MONACO, "cmci mc m1") == BankAccount(MONACO, "CMCIMCM1", None)
    known = read_account("GB29 NWBK 6016 1331 9268 19", "CMCIMCM1")
    assert isinstance(known, BankAccount) and known.bic == "NWBKGB2LXXX"


@pytest.mark.parametrize(
    ("typed", "refused"),
    [
        ("", Unread(AccountFault.FORM)),
        ("30006 00001 12345678901 89", Unread(AccountFault.FORM)),
        ("XX76 3000", Unread(AccountFault.FORM)),
        ("ＦＲ76 3000", Unread(AccountFault.FORM)),
        ("FR76 3000 6000 0112 3456 7890 18", Unread(AccountFault.LENGTH, 26, 27)),
        ("FR76 3000 6000 0112 3456 7890 1899", Unread(AccountFault.LENGTH, 28, 27)),
        ("FR76 3000 6000 0112 3456 7890 198", Unread(AccountFault.KEY)),
        ("FR76 3000 6000 0112 3456 7890 1é9", Unread(AccountFault.KEY)),
        ("FR76 3000 6000 0112 3456 7890 1<9", Unread(AccountFault.KEY)),
        ("MA64 0115 1900 0001 2050 0053 4921", Unread(AccountFault.NOT_SEPA)),
    ],
)
def test_what_is_no_account_is_refused_for_its_reason(typed: str, refused: Unread) -> None:
    assert read_account(typed) == refused


def test_no_digit_may_be_wrong_and_no_two_change_places() -> None:
    for place in range(2, len(FRENCH)):
        other = str((int(FRENCH[place]) + 1) % 10)
        assert read_account(FRENCH[:place] + other + FRENCH[place + 1 :]) == Unread(AccountFault.KEY)
        turned = FRENCH[: place - 1] + FRENCH[place] + FRENCH[place - 1] + FRENCH[place + 1 :]
        assert turned == FRENCH or isinstance(read_account(turned), Unread)


def test_an_account_s_number_is_in_no_traceback() -> None:
    account = read_account(FRENCH)
    assert isinstance(account, BankAccount) and account.last_four == "0189"
    assert "0112" not in repr(account)


def test_a_mandate_s_reference_is_written_as_banks_take_it() -> None:
    assert mandate_reference("C10012", 2) == "C10012-M2"


def test_a_mandate_is_over_36_months_after_its_last_use() -> None:
    assert lapsed_since(date(2026, 6, 10)) == date(2023, 6, 10)
    assert lapsed_since(date(2028, 2, 29)) == date(2025, 2, 28)
    assert lapsed_since(date(2027, 2, 28)) == date(2024, 2, 28)  # of the 29th it is the 1st of March
