"""Letters as French readers look things up: alphabetical order, search, and names for addresses."""

import re
import unicodedata

_LIGATURES = str.maketrans({"œ": "oe", "æ": "ae"})
_BETWEEN_WORDS = re.compile(r"[\W_]+")
_NOT_PLAIN = re.compile(r"[^a-z0-9]+")
_COUNTRY = re.compile(r"(?:\+|\b00)33[\s.]*(?:\(0\)[\s.]*)?(?=[1-9])")
_WITHIN_NUMBER = re.compile(r"(?<=\d)[\s.,/-]+(?=\d)")


def french_order(*texts: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """A sort key for texts compared one after the other, such as a last and a first name.

    Accents, case, hyphens and apostrophes count only between texts that are otherwise alike.
    """
    return tuple(map(_bare, texts)), texts


def slug_of(text: str) -> str:
    """« Halle de l'Été » is « halle-de-l-ete »; empty for what has no such letters."""
    return _NOT_PLAIN.sub("-", _bare(text)).strip("-")


def finds(typed: str, *texts: str) -> bool:
    """Whether every word that was typed is one of the texts' or begins one.

    Accents, case, « œ » and a plural do not matter; nothing typed finds everything.
    """
    words = set(_bare(" ".join(texts)).split())
    return all(
        _singular(wanted) in words or any(word.startswith(wanted) for word in words)
        for wanted in _bare(typed).split()
    )


def search_key(*texts: str | None) -> str:
    """Texts as they are looked for: bare letters and figures, no gap within a text, a blank between two.

    A word that was typed, written the same way, finds the text by any part of it.
    """
    return " ".join(_bare(text).replace(" ", "") for text in texts if text)


def search_words(typed: str) -> list[str]:
    """What somebody types, word by word as `search_key` writes; figures with gaps are one number."""
    text = _WITHIN_NUMBER.sub("", _COUNTRY.sub("0", typed))
    return [word for word in (search_key(part) for part in text.split()) if word]


def _singular(word: str) -> str:
    return word.removesuffix("s") if word.endswith("s") else word.removesuffix("x")


def _bare(text: str) -> str:
    letters = unicodedata.normalize("NFKD", text.casefold().translate(_LIGATURES))
    plain = "".join(letter for letter in letters if not unicodedata.combining(letter))
    return _BETWEEN_WORDS.sub(" ", plain).strip()
