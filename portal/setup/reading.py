"""The file, read strictly: what is not understood is refused, never passed over."""

import re
import tomllib
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from portal.catalogue.models import Formula, FormulaPrice, Product
from portal.deliveries.models import Tour
from portal.pickup.models import PickupPoint
from portal.profile.models import FarmProfile
from portal.rules.pricing import DatedPrice
from portal.setup import values
from portal.setup.values import BadFarm, Reader, check_length

Entry = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the file. Its keys are the table's columns, but for a point's `tour` and a formula's `prices`."""

    name: str
    title: str
    model: Any
    readers: Mapping[str, Reader]
    optional: Mapping[str, Reader] = field(default_factory=dict)
    """What may be left out: then it stays as it is."""


FARM = Section(
    "farm",
    "fiche de la ferme",
    FarmProfile,
    {
        "name": values.line,
        "tagline": values.prose,
        "email": values.email,
        "phone": values.line,
        "phone_hours": values.prose,
        "address": values.line,
        "postcode": values.line,
        "town": values.line,
    },
    {
        "certifier": values.certifier,
        "certificate": values.link,
        "legal_name": values.line,
        "legal_form": values.prose,
        "siret": values.siret,
        "register": values.line,
        "vat_number": values.vat_number,
        "director": values.line,
        "host": values.prose,
        "mediator": values.prose,
        "mediator_site": values.link,
        "partner": values.line,
        "inactive_years": values.whole(1, 5),
        "accessibility": values.accessibility,
    },
)
TOURS = Section(
    "tours",
    "tournées",
    Tour,
    {
        "slug": values.slug,
        "name": values.line,
        "weekday": values.weekday,
        # Less than a week: cutoffs keep the order of their deliveries whatever the rule was before, and
        # « jusqu'au dimanche » leaves no doubt which Sunday.
        "lead_days": values.whole(0, 6),
        "lead_time": values.clock,
    },
)
POINTS = Section(
    "points",
    "points de retrait",
    PickupPoint,
    {
        "slug": values.slug,
        "tour": values.slug,
        "name": values.line,
        "address": values.line,
        "postcode": values.line,
        "town": values.line,
        "latitude": values.degrees(90),
        "longitude": values.degrees(180),
        "opens": values.clock,
        "closes": values.clock,
        "access": values.prose,
        "capacity": values.whole(0, 10_000),
    },
)
PRICES = Section(
    "prices", "tarifs", FormulaPrice, {"since": values.day, "price": values.money, "vat": values.vat}
)


def _prices(value: object) -> list[DatedPrice]:
    if not isinstance(value, list) or not value:
        raise BadFarm("il faut au moins un tarif entre crochets.")
    prices = []
    for number, table in enumerate(value, 1):
        with within(f"n° {number}"):
            price = _read_table(PRICES, table)
            prices.append(DatedPrice(price["since"], price["price"], price["vat"]))
    _refuse_doubles("since", [price.since.isoformat() for price in prices])
    return prices


FORMULAS = Section(
    "formulas",
    "formules",
    Formula,
    {
        "slug": values.slug,
        "name": values.line,
        "short_name": values.line,
        "kind": values.kind,
        "description": values.prose,
        "serves": values.line,
        "drawing": values.drawing,
        "weight": values.whole(0, 100),
        "prices": _prices,
    },
)
PRODUCTS = Section(
    "products",
    "produits",
    Product,
    {
        "slug": values.slug,
        "name": values.line,
        "unit": values.unit,
        "value": values.money,
        "drawing": values.drawing,
        "storage": values.prose,
    },
)
LISTS = (TOURS, POINTS, FORMULAS, PRODUCTS)


@dataclass(frozen=True, slots=True)
class Farm:
    """What the file says: the farm's card, if it is there, the entries of each list, each formula's prices."""

    card: Entry | None
    lists: Mapping[str, list[Entry]]
    prices: Mapping[str, list[DatedPrice]]


@contextmanager
def within(*names: str) -> Iterator[None]:
    """Say where in the file it is that something is refused."""
    try:
        yield
    except BadFarm as error:
        error.way[:0] = names
        raise


def read(path: Path) -> Farm:
    """Raises BadFarm at the first thing that is wrong."""
    with within(path.name):
        document = _parse(path)
    _refuse_unknown(document, [FARM.name, *(section.name for section in LISTS)], path.name)
    with within(FARM.name):
        card = _read_table(FARM, document[FARM.name]) if FARM.name in document else None
    lists = {section.name: _read_list(section, document.get(section.name, [])) for section in LISTS}
    stops: Counter[str] = Counter()
    for point in lists[POINTS.name]:
        point["position"] = stops[point["tour"]]
        stops[point["tour"]] += 1
    for position, formula in enumerate(lists[FORMULAS.name]):
        formula["position"] = position
    prices = {formula["slug"]: formula.pop("prices") for formula in lists[FORMULAS.name]}
    return Farm(card, lists, prices)


def _parse(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except UnicodeDecodeError:
        raise BadFarm("le fichier n'est pas enregistré en UTF-8.") from None
    except tomllib.TOMLDecodeError as error:
        found = re.search(r"at line (\d+), column (\d+)", str(error))
        where = f"ligne {found[1]}, colonne {found[2]}" if found else "à la fin"
        raise BadFarm(f"ce n'est pas du TOML, {where} ; il manque peut-être un guillemet.") from None


def _read_list(section: Section, tables: object) -> list[Entry]:
    with within(section.name):
        if not isinstance(tables, list):
            raise BadFarm(f"écrivez [[{section.name}]] au-dessus de chacun.")
        entries = []
        for number, table in enumerate(tables, 1):
            named = isinstance(table, dict) and isinstance(table.get("slug"), str)
            with within(table["slug"] if named else f"n° {number}"):
                entries.append(_read_table(section, table))
        _refuse_doubles("slug", [entry["slug"] for entry in entries])
    return entries


def _read_table(section: Section, table: object) -> Entry:
    if not isinstance(table, dict):
        raise BadFarm("il faut des clés et leurs valeurs.")
    readers = {**section.readers, **section.optional}
    _refuse_unknown(table, readers)
    entry = {}
    for key, reader in readers.items():
        if key in section.optional and key not in table:
            continue
        with within(key):
            if key not in table:
                raise BadFarm("cette clé manque.")
            entry[key] = reader(table[key])
            check_length(section.model, key, entry[key])
    if section is POINTS and entry["opens"] >= entry["closes"]:
        with within("closes"):
            raise BadFarm("le point ferme avant d'ouvrir.")
    if section is FARM and ("certifier" in entry) != ("certificate" in entry):
        with within("certificate"):
            raise BadFarm("le code du certificateur et le lien vers le certificat vont ensemble.")
    return entry


def _refuse_unknown(table: Mapping[str, Any], known: Mapping[str, Any] | list[str], *way: str) -> None:
    for key in table:
        if key not in known:
            with within(*way, key):
                raise BadFarm(f"cette clé n'existe pas, il y a : {', '.join(known)}.")


def _refuse_doubles(key: str, names: list[str]) -> None:
    for name, times in Counter(names).items():
        if times > 1:
            with within(name, key):
                raise BadFarm(f"il y est {times} fois.")
