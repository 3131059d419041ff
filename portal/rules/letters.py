"""The few words of a letter that stand for something of each reader's: {{prenom}}. Nothing else is worked out."""

import re
from collections.abc import Mapping
from enum import StrEnum

_SLOT = re.compile(r"\{\{\s*([^{}]*?)\s*\}\}")
_BRACES = re.compile(r"\{\{|\}\}")


class Slot(StrEnum):
    """What can stand between the braces, as staff write it."""

    FIRST_NAME = "prenom"
    LAST_NAME = "nom"
    FORMULA = "formule"
    POINT = "point"
    NEXT_DELIVERY = "prochaine_livraison"

    @property
    def written(self) -> str:
        return f"{{{{{self}}}}}"


def unknown_slots(text: str) -> list[str]:
    """What is written as if it stood for something, and does not."""
    named = [slot[0] for slot in _SLOT.finditer(text) if slot[1] not in set(Slot)]
    return named or _BRACES.findall(_SLOT.sub("", text))


def fill(text: str, values: Mapping[Slot, str]) -> str:
    """The text for one reader. What a value says is never looked at again; what stands for nothing stays."""
    return _SLOT.sub(lambda slot: values[Slot(slot[1])] if slot[1] in set(Slot) else slot[0], text)
