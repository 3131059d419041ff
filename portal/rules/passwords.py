"""Which passwords are taken.

The CNIL's recommendation (délibération 2022-100 du 21 juillet 2022, under art. 32 GDPR): 12 characters of
four classes, or 14 of three, or a passphrase of seven words. It lets sites that throttle wrong passwords, as
this one does, ask for less; we keep the stricter set and force no renewal. What is taken is taken unchanged,
spaces and emoji too.
"""

import re
import unicodedata
from collections.abc import Container, Iterator, Sequence
from enum import StrEnum

MAX_CHARACTERS = 256
_SHORTEST_PHRASE = 20
_FEWEST_DIFFERENT = 5
_LEET = str.maketrans("013457@$€!|", "oieastaseil")

_COMMON = """
    aa ab abc abcd abcde abcdef abcdefgh access admin administrateur administrator amour ange anniversaire
    aout automne autumn avril azert azerty azertyui azertyuiop azertyuiopqsdfghjklm azqsd baby banane bateau
    batman bebe bienvenue bisou bisous bonheur bonjour camion canard cheval chien chocolat code coeur compte
    concombre connexion coucou cuisine decembre demo dragon ete famille ferme fevrier fleur football fraise
    france gestion hello hiver iloveyou internet invite janvier jardin jetaime juillet juin lapin legume
    legumes letmein liberte licorne login lol loulou love lune mai maison maman mars marseille master mdp
    mon monde monkey mot motdepasse moto musique nature nounours novembre octobre ordinateur panier paniers
    papa paradis paris pass passe passw password passwords patate plage poisson portail princess princesse
    printemps qsdfgh qsdfghjklm qwert qwerty qwertyui qwertyuiop qwertz root secret securite septembre
    shadow soleil soleils spring summer sunshine super superman test titi toto trustno user utilisateur
    vacances vive voiture welcome winter wxcvbn zxcvbn zxcvbnm
"""
COMMON_WORDS = frozenset(_COMMON.split())


class PasswordFault(StrEnum):
    """Why a password is refused; its words are in the templates."""

    TOO_LONG = "too_long"
    TOO_SHORT = "too_short"
    TOO_SIMPLE = "too_simple"
    COMMON = "common"
    PERSONAL = "personal"


def password_fault(
    password: str, *, common: Container[str] = COMMON_WORDS, context: Sequence[str] = ()
) -> PasswordFault | None:
    """What is wrong with a new password, or None.

    `common` holds words in small letters without accents; a password that is made of them alone once digits,
    signs, case and leet spelling are set aside is refused. `context` is what others know of the person: the
    name and the local part of the e-mail address.
    """
    if len(password) > MAX_CHARACTERS:
        return PasswordFault.TOO_LONG
    classes = len({_class_of(character) for character in password})
    length = len(password)
    strong = (length >= 12 and classes == 4) or (length >= 14 and classes >= 3) or _is_phrase(password)
    if not strong:
        return PasswordFault.TOO_SHORT if length < 12 else PasswordFault.TOO_SIMPLE
    if len(set(password)) < _FEWEST_DIFFERENT or any(_is_made_of(t, common) for t in _skeletons(password)):
        return PasswordFault.COMMON
    if _names_person(password, context):
        return PasswordFault.PERSONAL
    return None


def _class_of(character: str) -> str:
    if character.islower():
        return "lower"
    if character.isupper():
        return "upper"
    return "digit" if character.isdigit() else "other"


def _is_phrase(password: str) -> bool:
    # The length keeps « a b c d e f g » out.
    parts = re.split(r"[\s\-_.,;:!?]+", password)
    words = [part for part in parts if re.fullmatch(r"[^\W\d_]+(\W[^\W\d_]+)*", part)]
    return len(password) >= _SHORTEST_PHRASE and len(words) >= 7


def _fold(text: str) -> str:
    """Small letters without accents."""
    return "".join(c for c in unicodedata.normalize("NFKD", text.casefold()) if not unicodedata.combining(c))


def _letters(text: str) -> str:
    return "".join(c for c in text if c.isalpha())


def _skeletons(password: str) -> Iterator[str]:
    """The word before its decoration: digits and signs are ornament at its ends, maybe leet inside."""
    folded = _fold(password)
    core = re.sub(r"^[\W\d_]+|[\W\d_]+$", "", folded)
    yield _letters(folded)
    yield _letters(core.translate(_LEET))
    yield _letters(core.replace("1", "l").translate(_LEET))


def _is_made_of(text: str, words: Container[str]) -> bool:
    ends = [0]
    for end in range(1, len(text) + 1):
        if any(text[start:end] in words for start in ends):
            ends.append(end)
    return bool(text) and ends[-1] == len(text)


def _names_person(password: str, context: Sequence[str]) -> bool:
    """Names of three letters count as whole words only, shorter ones not at all."""
    folded = _fold(password)
    spellings = (folded, folded.translate(_LEET))
    for name in re.findall(r"[^\W\d_]{3,}", _fold(" ".join(context))):
        pattern = name if len(name) > 3 else rf"(?<![^\W\d_]){name}(?![^\W\d_])"
        if any(re.search(pattern, spelling) for spelling in spellings):
            return True
    return False
