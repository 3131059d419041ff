"""Subscribers on the evening before: each acts on the pages' own forms and keeps a book of what was answered.

After the evening the farm's lists must say what the books say. Where an answer was lost with its process, a book
holds both what was before and what was asked for; the next page that still shows forms tells which.
"""

import random
import time
from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any
from urllib.parse import urlencode

from lxml import html

from portal.rules.calendar import monday_of
from tests.service.people import NOBODY, Answer, Person
from tests.shop.buying import CONTACT
from tests.world import TUESDAY

WEEK = monday_of(TUESDAY)
PAGE = f"/planning/{WEEK}"
SUSPENSION = "/planning/suspension"
CART, CHECKOUT = "/ma-commande/produits", "/ma-commande/validation"
HALLE, GARE = 1, 2
PETIT = 1
MOST = 2
"""Boxes that somebody takes at once."""

RARE = ("Noix", "Cidre", "Farine", "Huile", "Safran", "Lentilles")
"""Of each there is one, and two people want it."""
GOODS = ("Miel", "Pommes", *RARE)
"""By their numbers, from 1."""

Forms = dict[str, Any]
Goods = dict[str, int]
"""An order's articles, by name; empty once it is cancelled."""


@dataclass(frozen=True)
class Box:
    """The week's box, as its owner may expect it."""

    formula: int = PETIT
    quantity: int = 1
    point: int = HALLE
    away: bool = False
    postponed: bool = False
    paused: bool = False
    """A suspension runs, whether or not this box has been taken back from it."""

    @property
    def comes(self) -> bool:
        return not (self.away or self.postponed)

    @property
    def packed(self) -> tuple[int, int, int] | None:
        """Formula, quantity and point, as on the frozen list."""
        return (self.formula, self.quantity, self.point) if self.comes else None

    def after(self, act: str, fields: dict[str, str]) -> "Box":
        changed: dict[str, dict[str, Any]] = {
            "saut": {"away": True},
            "reprise": {"away": False},
            "report": {"postponed": True},
            "report/annulation": {"postponed": False},
            "point": {"point": int(fields.get("point", 0))},
            "point/annulation": {"point": HALLE},
            "panier": {"formula": int(fields.get("formule", 0)), "quantity": int(fields.get("quantite", 0))},
            "panier/annulation": {"formula": PETIT, "quantity": 1},
        }
        return replace(self, **changed[act])

    def shows(self, forms: Forms) -> bool:
        """Whether a page with these forms may be this box's."""
        if self.postponed or self.away:
            return ("report/annulation" if self.postponed else "reprise") in forms
        if "saut" not in forms:
            return False
        chosen = dict(forms["panier"].form_values())
        here = {HALLE, GARE} - set(map(int, forms["point"].inputs["point"].value_options))
        return (int(chosen["formule"]), int(chosen["quantite"]), here) == (
            *(self.formula, self.quantity),
            {self.point},
        )


class AsleepError(Exception):
    """It is late: what is begun stays so."""


class Subscriber:
    """Acts again and again until `goes_to_bed_at`, then tries once more what is still on the screen.

    `pause` is the mean of the seconds between two looks or acts.
    """

    chance: random.Random
    pause: float
    now: Callable[[], datetime]
    closes_at: datetime
    goes_to_bed_at: datetime

    def __init__(self, number: int, person: Person) -> None:
        self.number = number
        self.person = person
        self.forms: Forms = {}
        self.boxes = {Box()}
        self.orders: dict[int, list[Goods]] = {}
        self.unsure: dict[str, Goods] = {}
        """Orders that were sent and not answered, by the key of their cart."""
        self.accepted = self.refused = self.too_late = self.unanswered = 0
        self.ready: tuple[Goods, dict[str, str]] | None = None
        """What has been chosen before the evening begins, and the form that orders it."""
        self.is_late = False
        """Whether the last form was sent after the cutoff."""
        self.late_orders: set[int] = set()
        """Placed, amended or cancelled after the cutoff: none of them may be for that delivery."""

    def spend_the_evening(self) -> None:
        acts = [self.change, self.change, self.change, self.suspend_or_resume, self.order]
        if self.ready:
            self.place(*self.ready)
        with suppress(AsleepError):
            self.think()
            self.look()
            while True:
                self.think()
                self.chance.choice(acts)()
        if self.forms:
            self.press()
        self.person.leave()

    def think(self) -> None:
        self.person.leave()  # an idle connection may be closed just as it is used again
        time.sleep(self.chance.uniform(0, 2 * self.pause))
        if self.now() > self.goes_to_bed_at:
            raise AsleepError

    # Pages and forms

    def read(self, path: str) -> Answer:
        """The page, as soon as somebody answers."""
        while (answer := self.person.get(path)).status == NOBODY:
            time.sleep(0.2)
        return answer

    def send(self, path: str, fields: dict[str, str]) -> Answer:
        self.is_late = self.now() >= self.closes_at
        answer = self.person.post(path, **fields)
        if answer.status == NOBODY:
            self.unanswered += path != CART
        elif answer.status == 422:
            self.refused += 1
            if "Trop tard" in answer.text:
                assert self.now() >= self.closes_at, f"{self.number}: {answer.asked}"
                self.too_late += 1
        return answer

    # Boxes

    def look(self) -> None:
        """What the week's page offers; once nothing, what it offered before remains on the screen."""
        tree = html.document_fromstring(self.read(PAGE).text)
        found = {
            form.action.removeprefix(f"{PAGE}/"): form
            for form in tree.forms
            if form.action and form.action.startswith(f"{PAGE}/")
        }
        if found:
            shown = {box for box in self.boxes if box.shows(found)}
            assert shown, f"{self.number}: {self.boxes} and {list(found)}"
            self.boxes, self.forms = shown, found

    def change(self) -> None:
        if not self.forms:
            self.look()
            self.think()
        if self.forms:
            self.press()
        if not self.forms:
            self.look()

    def press(self) -> None:
        """One of the buttons on the screen."""
        act = self.chance.choice(sorted(self.forms))
        form = self.forms[act]
        fields = dict(form.form_values()) | {"commande": "alone"}
        if act == "report":
            fields["vers"] = self.chance.choice(form.inputs["vers"].value_options)
        elif act == "point":
            here = {HALLE, GARE} & set(map(int, form.inputs["point"].value_options))
            fields["point"] = str(min(here))
        elif act == "panier":
            now = (fields["formule"], fields["quantite"])
            others = [
                (formula, str(quantity))
                for formula in form.inputs["formule"].value_options
                for quantity in range(1, MOST + 1)
            ]
            others.remove(now)
            fields["formule"], fields["quantite"] = self.chance.choice(others)
        del fields["csrf_token"]
        self.note(self.send(f"{PAGE}/{act}", fields), {box.after(act, fields) for box in self.boxes})

    def suspend_or_resume(self) -> None:
        if len(self.boxes) > 1:
            self.look()
        if len(self.boxes) == 1:
            [box] = self.boxes
            if box.paused:
                self.resume(box)
            elif box.comes:
                self.suspend(box)

    def suspend(self, box: Box) -> None:
        days = {"du": str(WEEK), "au": str(date.fromordinal(WEEK.toordinal() + 6)), "abonnement": self.number}
        tree = html.document_fromstring(self.read(f"{SUSPENSION}?{urlencode(days)}").text)
        self.think()
        for form in tree.forms:
            if form.method == "POST" and form.action == SUSPENSION:
                fields = {name: value for name, value in form.form_values() if name != "csrf_token"}
                sent = self.send(SUSPENSION, fields | {"commande": "alone"})
                self.note(sent, {replace(box, away=True, paused=True)})

    def resume(self, box: Box) -> None:
        tree = html.document_fromstring(self.read("/planning").text)
        self.think()
        for form in tree.forms:
            if form.action == f"{SUSPENSION}/fin":
                sent = self.send(form.action, {"suspension": dict(form.form_values())["suspension"]})
                ended = replace(box, paused=False)
                if sent.status == 303 and "vos livraisons reprennent" not in self.read(sent.location).text:
                    self.note(sent, {ended})
                else:
                    self.note(sent, {replace(ended, away=False)}, {ended})

    def note(self, answer: Answer, wished: set[Box], perhaps: Collection[Box] = ()) -> None:
        if answer.status == 422:
            return
        self.forms = {}
        if answer.status == 303:
            known = {box.packed for box in self.boxes}
            assert not self.is_late or known & {box.packed for box in wished}, (
                f"{self.number}: {answer.asked}"
            )
            self.boxes = wished
            self.accepted += 1
        else:
            self.boxes = self.boxes | wished | set(perhaps)

    # Orders

    def order(self) -> None:
        certain = [number for number, goods in self.orders.items() if len(goods) == 1 and goods[0]]
        if certain and self.chance.random() < 0.6:
            self.chance.choice([self.amend, self.cancel])(self.chance.choice(certain))
        else:
            self.buy()

    def buy(self) -> None:
        tree = html.document_fromstring(self.read("/boutique").text)
        shelves = [form for form in tree.forms if form.action == CART]
        if not shelves:
            return
        self.think()
        fields = dict(self.chance.choice(shelves).form_values())
        del fields["csrf_token"]
        if self.send(CART, fields | {"quantity": "1"}).status != 303:
            return
        self.think()
        if found := self.checkout():
            self.think()
            self.place(*found)

    def want(self, article: int) -> None:
        self.person.post(CART, article=article, quantity=1)
        self.ready = self.checkout()

    def checkout(self) -> tuple[Goods, dict[str, str]] | None:
        seen = self.read(CHECKOUT)
        if seen.status == 303:
            self.empty_the_cart()
            return None
        [form] = [f for f in html.document_fromstring(seen.text).forms if f.action == CHECKOUT]
        fields = dict(form.form_values()) | CONTACT
        del fields["csrf_token"]
        return {name: 1 for name in GOODS if name in seen.text}, fields

    def place(self, goods: Goods, fields: dict[str, str]) -> None:
        sent = self.send(CHECKOUT, fields)
        if sent.status == 303:
            self.note_accepted(int(sent.location.rpartition("/")[2]), goods)
        elif sent.status == NOBODY:
            self.unsure[fields["commande"]] = goods

    def empty_the_cart(self) -> None:
        """It holds what has sold out."""
        for article in range(1, len(GOODS) + 1):
            self.send(CART, {"article": str(article), "quantity": "0"})

    def cancel(self, number: int) -> None:
        path = f"/commandes/{number}/annulation"
        shown = self.read(f"/commandes/{number}").text
        self.think()
        if path in shown:
            self.note_order(number, self.send(path, {}), {})

    def amend(self, number: int) -> None:
        path = f"/commandes/{number}/modification"
        tree = html.document_fromstring(self.read(path).text)
        lines = {
            select.name: select.label.text_content().split()[0]
            for select in tree.iter("select")
            if select.name and select.name.startswith("quantite-")
        }
        if not lines:
            return
        line, [goods] = self.chance.choice(sorted(lines)), self.orders[number]
        wished = self.chance.choice([n for n in (1, 2, 3) if n != goods[lines[line]]])
        tree = html.document_fromstring(self.read(f"{path}?{line}={wished}").text)
        self.think()
        for form in tree.forms:
            if form.method == "POST" and form.action == path:
                fields = {name: value for name, value in form.form_values() if name != "csrf_token"}
                self.note_order(number, self.send(path, fields), goods | {lines[line]: wished})

    def note_order(self, number: int, answer: Answer, goods: Goods) -> None:
        if answer.status == 303:
            self.note_accepted(number, goods)
        elif answer.status == NOBODY:
            self.orders[number].append(goods)

    def note_accepted(self, number: int, goods: Goods) -> None:
        self.orders[number] = [goods]
        self.accepted += 1
        if self.is_late:
            self.late_orders.add(number)
