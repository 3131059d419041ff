"""Letters as French readers look things up: alphabetical order, and names for addresses."""

import re
import unicodedata

_LIGATURES = str.maketrans({"œ": "oe", "æ": "ae"})
_BETWEEN_WORDS = re.compile(r"[\W_]+")
_NOT_PLAIN = re.compile(r"[^a-z0-9]+")


def french_order(*texts: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """A sort key for texts compared one after the other, such as a last and a first name.

    Accents, case, hyphens and apostrophes count only between texts that are otherwise alike.
    """
    return tuple(map(_bare, texts)), texts


def slug_of(text: str) -> str:
    """« Halle de l'Été » is « halle-de-l-ete »; empty for what has no such letters."""
    return _NOT_PLAIN.sub("-", _bare(text)).strip("-")


def _bare(text: str) -> str:
    letters = unicodedata.normalize("NFKD", text.casefold().translate(_LIGATURES))
    plain = "".join(letter for letter in letters if not unicodedata.combining(letter))
    return _BETWEEN_WORDS.sub(" ", plain).strip()
