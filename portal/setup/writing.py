"""The farm as the file says it, written over what the database holds."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, exists, select
from sqlalchemy.orm import Session

from portal.catalogue.models import Formula, FormulaPrice, Product
from portal.compositions.models import CompositionLine
from portal.compositions.queries import MEASURES
from portal.deliveries import services as deliveries
from portal.deliveries.jobs import AHEAD
from portal.deliveries.models import Tour
from portal.infra import audit, locks
from portal.pickup.models import PickupPoint
from portal.profile.models import FarmProfile
from portal.rules.cutoffs import Lead, local_day
from portal.rules.pricing import DatedPrice
from portal.setup.reading import FARM, FORMULAS, POINTS, PRICES, PRODUCTS, TOURS, Entry, Farm, Section, within
from portal.setup.values import BadFarm
from portal.subscriptions.models import Term
from portal.web.filters import day_month, day_year

Check = Callable[[Any, Entry], Sequence[str]]
"""Refuses what the farm's past forbids, fills in what the file only names; answers what it has changed itself.

The row is None for an entry that is new.
"""


@dataclass(slots=True)
class Report:
    """What came of it, in a few lines."""

    created: Counter[str] = field(default_factory=Counter)
    changed: list[str] = field(default_factory=list)
    unchanged: int = 0
    left: list[str] = field(default_factory=list)
    deliveries: int = 0
    until: date | None = None

    def __str__(self) -> str:
        created = ", ".join(f"{title} ({count})" for title, count in self.created.items())
        lines = [f"Créé : {created}"] if created else []
        lines += [f"Modifié : {what}" for what in self.changed]
        if not lines:
            lines.append("Rien à changer.")
        elif self.unchanged:
            lines.append(f"Inchangé : {self.unchanged}")
        if self.left:
            lines.append(f"Absent du fichier, laissé tel quel : {', '.join(self.left)}")
        if self.deliveries and self.until:
            lines.append(f"Livraisons ajoutées : {self.deliveries}, jusqu'au {day_year(self.until)}")
        return "\n".join(lines)


def write(session: Session, farm: Farm, now: datetime) -> Report:
    """Create or update what the file holds, and make the deliveries of a year. Raises BadFarm."""
    writer = _Writer(session, now)
    if farm.card is not None:
        writer.save(FARM, farm.card | {"id": 1}, session.get(FarmProfile, 1))
    writer.save_list(TOURS, farm, writer.change_rule)
    writer.save_list(POINTS, farm, writer.find_tour)
    writer.save_list(FORMULAS, farm)
    writer.save_list(PRODUCTS, farm, writer.check_unit)
    for slug, prices in farm.prices.items():
        with within(FORMULAS.name, slug, PRICES.name):
            writer.save_prices(slug, prices)
    report, today = writer.report, local_day(now)
    report.until = today + AHEAD
    report.deliveries = deliveries.generate(session, today, report.until)
    return report


class _Writer:
    def __init__(self, session: Session, now: datetime) -> None:
        self.session = session
        self.now = now
        self.report = Report()

    def save_list(self, section: Section, farm: Farm, check: Check | None = None) -> None:
        """Every row is locked, in one order: what is compared here stands until it is written."""
        statement = select(section.model).order_by(section.model.id)
        rows = {row.slug: row for row in self.session.scalars(locks.for_update(statement, of=section.model))}
        for entry in farm.lists[section.name]:
            row = rows.pop(entry["slug"], None)
            with within(section.name, entry["slug"]):
                self.save(section, entry, row, check(row, entry) if check else ())
        self.report.left += [f"{section.name} › {slug}" for slug in rows]
        if farm.lists[section.name] and hasattr(section.model, "position"):
            left = sorted(rows.values(), key=lambda row: row.position)
            for position, row in enumerate(left, len(farm.lists[section.name])):
                row.position = position  # behind the file's, never in one's place

    def save(self, section: Section, entry: Entry, row: Any, notes: Sequence[str] = ()) -> None:
        """Write what differs. The trail names it but keeps no value: an access may be somebody's door code."""
        where = " › ".join([section.name, entry["slug"]] if "slug" in entry else [section.name])
        if row is None:
            row = section.model(**entry)
            self.session.add(row)
            self.session.flush()
            self._record(f"{row.__tablename__}.create", row)
            self.report.created[section.title] += 1
            return
        changed = [key for key, value in entry.items() if getattr(row, key) != value]
        for key in changed:
            setattr(row, key, entry[key])
        if changed:
            self._record(f"{row.__tablename__}.change", row, after={"fields": changed})
        if changed or notes:
            self.report.changed.append(f"{where} : {', '.join([*notes, *changed])}")
        else:
            self.report.unchanged += 1

    def change_rule(self, tour: Tour | None, entry: Entry) -> Sequence[str]:
        lead = Lead(entry["lead_days"], entry["lead_time"])
        if tour is None or (tour.weekday, tour.lead) == (entry["weekday"], lead):
            return ()
        change = deliveries.change_rule(self.session, tour.id, weekday=entry["weekday"], lead=lead)
        if change.refusal:
            with within("weekday"):
                raise BadFarm("une tournée qui a des livraisons garde son jour ; ajoutez-en une autre.")
        kept = f" ; garde la sienne : {', '.join(map(day_month, change.kept))}" if change.kept else ""
        return [f"clôture (livraisons ouvertes qui la suivent : {change.followed}{kept})"]

    def find_tour(self, point: PickupPoint | None, entry: Entry) -> Sequence[str]:
        slug = entry["tour"]
        entry["tour"] = self.session.scalar(select(Tour).where(Tour.slug == slug))
        with within("tour"):
            if entry["tour"] is None:
                raise BadFarm(f"il n'y a pas de tournée « {slug} ».")
            if point and point.tour != entry["tour"] and self._exists(Term.pickup_point_id == point.id):
                raise BadFarm("un point où des paniers sont attendus garde sa tournée ; ajoutez-en un autre.")
        return ()

    def check_unit(self, product: Product | None, entry: Entry) -> Sequence[str]:
        """What is in boxes as 500 grams must not become 500 pieces."""
        weighed_or_not = product and MEASURES[product.unit].valued_by != MEASURES[entry["unit"]].valued_by
        if product and weighed_or_not and self._exists(CompositionLine.product_id == product.id):
            with within("unit"):
                raise BadFarm(
                    "un produit déjà mis en panier reste au poids, ou à la pièce ; ajoutez-en un autre."
                )
        return ()

    def save_prices(self, slug: str, prices: list[DatedPrice]) -> None:
        """What was charged, or is being charged, is never rewritten; what is to come may be."""
        formula = self.session.scalars(select(Formula).where(Formula.slug == slug)).one()
        today = local_day(self.now)
        known = {row.since: row for row in formula.prices}
        in_force = any(since <= today for since in known)
        for price in prices:
            row = known.pop(price.since, None)
            before = row and DatedPrice(row.since, row.price, row.vat_basis_points)
            if before == price:
                self.report.unchanged += 1
                continue
            if in_force and price.since <= today:
                with within(price.since.isoformat()):
                    raise BadFarm(
                        "un prix en vigueur ne se réécrit pas ; ajoutez-en un, daté d'après aujourd'hui."
                    )
            self._save_price(formula, row, price)
        self.report.left += [
            f"{FORMULAS.name} › {slug} › {PRICES.name} › {since}" for since in known if since > today
        ]

    def _save_price(self, formula: Formula, row: FormulaPrice | None, price: DatedPrice) -> None:
        before = _for_trail(row) if row else None
        if row is None:
            row = FormulaPrice(formula_id=formula.id, since=price.since)
            self.session.add(row)
            self.report.created[PRICES.title] += 1
        else:
            self.report.changed.append(f"{FORMULAS.name} › {formula.slug} › {PRICES.name} › {price.since}")
        row.price, row.vat_basis_points = price.price, price.vat_basis_points
        self._record("formula.price", formula, before=before, after=_for_trail(row))

    def _record(self, action: str, row: Any, **values: dict[str, Any] | None) -> None:
        subject = (row.__tablename__, row.id)
        audit.record(self.session, action, subject, at=self.now, by=None, **values)

    def _exists(self, condition: ColumnElement[bool]) -> bool:
        return self.session.scalar(select(exists().where(condition))) or False


def _for_trail(row: FormulaPrice) -> dict[str, Any]:
    return {
        "since": row.since.isoformat(),
        "price": row.price.cents,
        "vat_basis_points": row.vat_basis_points,
    }
