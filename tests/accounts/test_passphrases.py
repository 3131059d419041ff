"""The passphrase that is suggested to who has none."""

import math
from types import SimpleNamespace
from typing import Any, cast

from werkzeug.datastructures import MultiDict

from portal.accounts.forms import NewPasswordForm
from portal.accounts.models import Account
from portal.accounts.passphrases import WORDS, draw
from portal.rules.passwords import password_fault


def test_seven_different_words_hold_more_than_fifty_five_bits() -> None:
    assert len(set(WORDS)) == len(WORDS) and all(word.isascii() and word.islower() for word in WORDS)
    assert math.log2(math.perm(len(WORDS), 7)) > 55


def test_every_suggestion_holds_the_rule() -> None:
    for _ in range(300):
        phrase = draw()
        assert len(set(phrase.split())) == 7 and password_fault(phrase) is None


def test_nobodys_own_name_is_suggested() -> None:
    person = cast(Account, SimpleNamespace(full_name=" ".join(WORDS[:60]), email="iris@example.org"))
    with_names: Any = NewPasswordForm(MultiDict(), person).suggestion
    assert not set(with_names.split()) & set(WORDS[:60])
