"""A demo farm of some size, served twice: the portal, and the bare page on the same database."""

import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from itertools import islice
from statistics import mean
from typing import Any, NamedTuple
from urllib.parse import urlencode

from sqlalchemy import event, func, select, text, update
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session

from portal import create_app
from portal.accounts.models import Account
from portal.billing.issuing import issue_many
from portal.billing.runs import AT_ONCE, customers
from portal.boxes import services as boxes
from portal.boxes.models import Basket
from portal.catalogue.models import Article, DeliveryStock, NotOnTour
from portal.deliveries.models import Delivery, Tour
from portal.demo.people import STAFF, SUBSCRIBER
from portal.infra import clock, schema
from portal.infra.orm import db, own_transaction
from portal.pickup.models import PickupPoint
from portal.rules.cutoffs import local_day
from portal.rules.selling import StockKind
from portal.settings import ROOT, Mode
from tests import crowd, databases
from tests.benchmarks.server import Server, Speed, database_seconds, reserve_port
from tests.benchmarks.visitors import HOST, Ask, Visit, Visitor
from tests.conftest import settings_for
from tests.infra.workers import environment

MEMBERS = 4
"""How many subscribers ask at the same time; of the staff it is one."""

MEMBER_PAGES = (
    *("/espace", "/planning", "/planning?semaines=52", "/points-de-retrait", "/boutique"),
    *("/commandes", "/factures", "/paiements"),
)
STAFF_PAGES = (
    *("/ferme", "/ferme/livraisons", "/ferme/abonnes", "/ferme/commandes"),
    *("/ferme/factures", "/ferme/prelevements"),
)
SKIP, LIST, LIST_FILE = "skip, take back", "packing list", "packing list, PDF"
ADD, ORDER = "add, remove", "add, look, order"
LISTS = {
    "a delivery": "/ferme/livraisons/{}",
    "harvest list": "/ferme/livraisons/{}/recolte",
    LIST: "/ferme/livraisons/{}/liste",
    LIST_FILE: "/ferme/livraisons/{}/liste.pdf",
    "round list": "/ferme/livraisons/{}/tournee",
    "round list, PDF": "/ferme/livraisons/{}/tournee.pdf",
    "orders": "/ferme/commandes/{}",
    "order sheets": "/ferme/commandes/{}/bordereaux",
}
"""Of the largest delivery."""
COUNTING = ("/ferme", "/ferme/livraisons", "/ferme/abonnes", "/ferme/commandes", "a delivery", "harvest list")
"""These say, in a few numbers, how many boxes, orders or people there are in all."""
PLANTED, MONTHS = 200, 3
"""So many people are planted, with so many months billed; of a larger farm they are many times alike."""
APART = 100_000
"""More than a planted farm has rows of anything."""


class Footprint(NamedTuple):
    """How many rows each query of an answer reads, none where it writes; and its bytes."""

    rows: list[int]
    size: int

    @property
    def bare(self) -> Ask:
        return Ask(f"/?{urlencode({'rows': self.rows, 'bytes': self.size}, doseq=True)}")


class Site:
    def __init__(self, backend: str, subscribers: int, stack: ExitStack) -> None:
        self.backend, self.subscribers = backend, subscribers
        database = databases.start(backend)
        stack.callback(database.stop)
        port, bare_port = reserve_port(stack), reserve_port(stack)
        settings = settings_for(database.url, mode=Mode.DEMO, base_url=f"http://{HOST}:{port}")
        self.app = create_app(settings)
        schema.upgrade(self.app)
        same = environment(self.app, PORTAL_MODE=settings.mode)
        self.planted_in = self._plant(same)

        self.postmaster = database.pid
        self.portal = Server("wsgi:app", port, same, database.folder / "portal.log", self.postmaster)
        stack.callback(self.portal.stop)
        log = database.folder / "bare.log"
        self.bare = Server("tests.benchmarks.bare:app", bare_port, same, log, self.postmaster)
        stack.callback(self.bare.stop)
        self.portal.wait()
        self.bare.wait()

    def _plant(self, environment: dict[str, str]) -> float:
        """How many seconds `flask demo` takes; then the people and the places for them are multiplied."""
        planted = min(self.subscribers, PLANTED)
        demo = [sys.executable, "-m", "flask", "--app", "wsgi", "demo", "--subscribers", str(planted)]
        began = time.perf_counter()
        subprocess.run(
            [*demo, "--months", str(MONTHS)], cwd=ROOT, env=environment, check=True, stdout=subprocess.DEVNULL
        )
        took = time.perf_counter() - began
        if (times := self.subscribers // planted) > 1:
            with self.app.app_context():
                session = db.session()
                for room in (
                    PickupPoint.capacity,
                    Article.stock,
                    Article.per_delivery,
                    DeliveryStock.remaining,
                ):
                    session.execute(update(room.class_).values({room: room * times}))
                session.execute(update(PickupPoint).values(free_places=None))
                crowd.add_alike(session, ~Account.roles.any(), times - 1, apart=APART)
                if session.get_bind().dialect.name == "postgresql":
                    session.execute(text("ANALYZE"))  # as autovacuum does within a minute
                    session.commit()
        return took

    def pages(self) -> dict[str, list[Visit]]:
        """What is measured, and who asks for it: the first subscribers who have something to skip, and staff."""
        emails, self.boxes, delivery = self._look_up()
        articles = self._never_sold_out()
        members = (Visitor(self.portal.port, email) for email in emails)
        skips = list(islice((Visit(who, asks) for who in members if (asks := who.skip_and_back())), MEMBERS))
        staff = Visitor(self.portal.port, STAFF.email)
        return {
            **{path: [Visit(skip.who, [Ask(path)]) for skip in skips] for path in MEMBER_PAGES},
            SKIP: skips,
            ADD: [Visit(skip.who, skip.who.add_and_remove(articles)) for skip in skips],
            ORDER: [Visit(skip.who, skip.who.order(articles)) for skip in skips],
            **{path: [Visit(staff, [Ask(path)])] for path in STAFF_PAGES},
            **{name: [Visit(staff, [Ask(path.format(delivery))])] for name, path in LISTS.items()},
        }

    def _look_up(self) -> tuple[Sequence[str], int, str]:
        """The subscribers' addresses, all with the demo's password from now on; the largest delivery and its list."""
        with self.app.app_context(), own_transaction() as session:
            known = session.scalar(select(Account.password).where(Account.email == SUBSCRIBER.email))
            session.execute(update(Account).values(password=known))
            no_staff = select(Account.email).where(~Account.roles.any()).order_by(Account.id).limit(PLANTED)
            carried = func.sum(Basket.quantity)
            count, day, tour = session.execute(
                select(carried, Delivery.day, Tour.slug)
                .join(Delivery, Delivery.id == Basket.delivery_id)
                .join(Delivery.tour)
                .group_by(Delivery.id, Tour.id)
                .order_by(carried.desc(), Delivery.id)
                .limit(1)
            ).one()
            return session.scalars(no_staff).all(), count, f"{day}/{tour}"

    def bill_some(self) -> tuple[int, Speed]:
        """How many invoices a step of the monthly run issues, and how fast; then it is taken back."""

        def bill(session: Session) -> int:
            some = session.scalars(customers().limit(AT_ONCE)).all()
            return len(issue_many(session, some, through=local_day(clock.now()), by=None).documents)

        return self._speed(bill)

    def freeze_next(self) -> tuple[int, Speed]:
        """How many boxes of the next delivery are frozen, and how fast; then they thaw."""

        def freeze(session: Session) -> int:
            coming = select(Delivery).where(Delivery.frozen_at.is_(None), Delivery.cancelled_at.is_(None))
            delivery = session.scalars(coming.order_by(Delivery.cutoff_at, Delivery.id).limit(1)).one()
            with clock.standing_at(delivery.cutoff_at):
                boxes.freeze(session, delivery.id)
            frozen = select(func.count()).select_from(Basket).where(Basket.delivery_id == delivery.id)
            return session.scalar(frozen) or 0

        return self._speed(freeze)

    def _speed(self, act: Callable[[Session], int]) -> tuple[int, Speed]:
        with self.app.app_context():
            session = db.session()
            session.connection()  # its process is there before its time is read
            began = time.perf_counter(), time.process_time(), database_seconds(self.postmaster)
            count = act(session)
            ended = time.perf_counter(), time.process_time(), database_seconds(self.postmaster)
            session.rollback()
        took, web, database = ((then - first) / count for first, then in zip(began, ended, strict=True))
        return count, Speed(1 / took, web, database)

    def _never_sold_out(self) -> set[int]:
        """Articles of which there is as much as one likes, on every tour until it closes."""
        with self.app.app_context(), own_transaction() as session:
            kept = (Article.stock_kind == StockKind.UNLIMITED, Article.lead_days.is_(None))
            carried = Article.id.not_in(select(NotOnTour.article_id))
            return set(session.scalars(select(Article.id).where(*kept, carried)))

    def footprint(self, who: Visitor, ask: Ask) -> Footprint:
        """Asked once more in this process, where its statements can be seen."""
        rows = []

        def note(_connection: Any, cursor: Any, statement: str, parameters: Any, *_rest: Any) -> None:
            if statement.startswith(("SELECT", "WITH")):
                counting = cursor.connection.cursor()
                counting.execute(f"SELECT count(*) FROM ({statement}) AS answer", parameters)
                rows.append(counting.fetchone()[0])
            elif statement.startswith(("INSERT", "UPDATE", "DELETE")):
                rows.append(0)

        method, path, body, headers = ask.parts(who.page)
        client = self.app.test_client(use_cookies=False)
        event.listen(Engine, "after_cursor_execute", note)
        response = client.open(path, method=method, data=body, headers=headers | {"Cookie": who.cookie})
        event.remove(Engine, "after_cursor_execute", note)
        assert response.status_code < 400, f"{path}: {response.status}"
        who.page = response.data.decode(errors="replace")
        return Footprint(rows, len(response.data))


class Page:
    """A page of a site; each turn measures the portal, then the bare page."""

    def __init__(self, site: Site, visits: Sequence[Visit]) -> None:
        self.site = site
        self.visits = visits
        self.footprints = [[site.footprint(visit.who, ask) for ask in visit.asks] for visit in visits]
        self.bare = [Visit(Visitor(site.bare.port), [seen.bare for seen in each]) for each in self.footprints]
        self.turns: list[tuple[Speed, Speed]] = []
        self.took = 0.0

    def take_turn(self, seconds: float) -> None:
        began = time.perf_counter()
        ours = self.site.portal.speed(self.visits, seconds)
        self.turns.append((ours, self.site.bare.speed(self.bare, seconds)))
        self.took += time.perf_counter() - began

    @property
    def shown(self) -> tuple[float, float]:
        """How many rows it reads and bytes it shows, means over those who ask for it."""
        seen = [footprint for footprints in self.footprints for footprint in footprints]
        return mean(sum(footprint.rows) for footprint in seen), mean(footprint.size for footprint in seen)
