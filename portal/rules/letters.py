"""The few words of a letter that stand for something of each reader's: {{prenom}}. Nothing else is worked out."""

import re
from collections.abc import Collection, Mapping
from enum import StrEnum
from typing import TypeVar

_SLOT = re.compile(r"\{\{\s*([^{}]*?)\s*\}\}")
_BRACES = re.compile(r"\{\{|\}\}")
Name = TypeVar("Name", bound=str)


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


def unknown_slots(text: str, known: Collection[str] = tuple(Slot)) -> list[str]:
    """What is written as if it stood for something, and does not."""
    named = [slot[0] for slot in _SLOT.finditer(text) if slot[1] not in known]
    return named or _BRACES.findall(_SLOT.sub("", text))


def fill(text: str, values: Mapping[Name, str]) -> str:
    """The text for one reader. What a value says is never looked at again; what stands for nothing stays."""
    named: Mapping[str, str] = {str(name): value for name, value in values.items()}
    return _SLOT.sub(lambda slot: named.get(slot[1], slot[0]), text)
