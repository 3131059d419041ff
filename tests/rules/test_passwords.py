"""The CNIL's rule."""

import pytest

from portal.rules.passwords import PasswordFault, password_fault


@pytest.mark.parametrize(
    "password",
    [
        "Kx7!pq9#Lm2z",
        "Kx7pq9LmR2zwBd",
        "kx7!pq9#lm2z%t",
        "trois carottes et deux navets dans un panier",
        "il y a trois pommes au four",
        "agrafe-lune-coton-sel-tuile-brume-ocre",
        "j'ai planté l'ail d'un vieux cousin breton",
        "Été 🥕 à Sisteron, 2 cageots",
        ("Kx7!pq9#Lm2z" * 17)[:200],
        "🥕 Kx7" * 40,
    ],
)
def test_a_password_that_keeps_the_rule_is_taken(password):
    assert password_fault(password, context=["Camille Durand", "cdurand"]) is None


@pytest.mark.parametrize(
    ("password", "fault"),
    [
        ("", PasswordFault.TOO_SHORT),
        ("Kx7!pq9#Lm2", PasswordFault.TOO_SHORT),
        ("Kx7pq9LmR2zw", PasswordFault.TOO_SIMPLE),
        ("Kx7pq9LmR2zwB", PasswordFault.TOO_SIMPLE),
        ("kx7pq9lmr2zwbdfghtyvn", PasswordFault.TOO_SIMPLE),
        ("deux navets trois carottes un panier", PasswordFault.TOO_SIMPLE),
        ("a b c d e f g", PasswordFault.TOO_SIMPLE),
        ("1234 5678 9012 3456 7890 1234 5678", PasswordFault.TOO_SIMPLE),
    ],
)
def test_a_password_that_misses_the_rule_is_refused(password, fault):
    assert password_fault(password) is fault


@pytest.mark.parametrize(
    "password",
    [
        "Motdepasse2026!",
        "2026!MotDePasse",
        "Mot-de-passe-2026",
        "M0td3p@sse2026!",
        "P@$$w0rd2026!",
        "So1eil-So1eil-83",
        "Azerty123456!",
        "BonjourSoleil26!",
        "Légumes2026!!",
        "Anniversa1re-83",
        "Zzzzzzzzzz1!",
        "mot mot mot mot mot mot mot",
    ],
)
def test_a_common_word_in_disguise_is_refused(password):
    assert password_fault(password) is PasswordFault.COMMON


def test_the_list_of_common_words_is_the_callers_to_give():
    assert password_fault("Rutabaga-2026", common={"rutabaga"}) is PasswordFault.COMMON
    assert password_fault("Motdepasse2026!", common=frozenset()) is None


@pytest.mark.parametrize(
    "password",
    [
        "Camille-Sisteron-05",
        "xq7!DURAND!42kz",
        "c4m1lle+xq7!RZP",
        "Helene:xq7!RZPt",
        "camille aime trois navets crus et verts",
        "xq7! Léa RZPt 42",
    ],
)
def test_a_password_that_names_its_owner_is_refused(password):
    assert password_fault(password, context=["Camille Durand", "hélène", "lea.42"]) is PasswordFault.PERSONAL


def test_a_short_name_inside_another_word_does_no_harm():
    assert password_fault("une galéasse passe au large de la digue", context=["Léa Li", "l"]) is None


def test_a_password_of_256_characters_is_read_and_a_longer_one_is_not():
    fits = "".join(chr(0x4E00 + n) for n in range(252)) + "aA1!"
    assert password_fault(fits) is None
    assert password_fault(fits + "x") is PasswordFault.TOO_LONG
    assert password_fault("Kx7!pq9#Lm2z" * 90_000) is PasswordFault.TOO_LONG
