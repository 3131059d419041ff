"""What runs is killed, told to stop, or loses its database while people order (BAR R1, R7, R12, R13)."""

import asyncio
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path
from threading import Event, Semaphore

import pytest
from flask import Flask
from sqlalchemy import select

from portal.catalogue.models import Article
from portal.infra.jobs import WorkerHeartbeat
from portal.infra.orm import own_transaction
from portal.infra.outbox import Mail, MailState
from portal.shop.models import Order, OrderLine
from tests.conftest import Farms
from tests.databases import PostgresqlDatabase
from tests.infra import smtp
from tests.infra.workers import ROUNDS, wait_until
from tests.races.helpers import Act, held
from tests.service.people import NOBODY, Answer, Person, all_at_once
from tests.service.processes import PATIENCE, Service, service
from tests.shop.buying import PAGE, Buyer, guests
from tests.shop.counting import check_tables, count, counted, left, open_to_all, sold
from tests.world import NOW

UNITS = 100
PROXY = {"PORTAL_TRUSTED_PROXIES": "1"}
"""Each visitor has an address of their own, as its word."""


@pytest.fixture
def honey(app: Flask) -> int:
    with app.app_context(), own_transaction() as session:
        open_to_all(session)
    return counted(app, UNITS, "Miel")[0]


def visitors(running: Service, buyers: list[Buyer]) -> list[Callable[[], Answer]]:
    """What each of them does: send the order."""

    def come(buyer: Buyer) -> Callable[[], Answer]:
        port = running.webs[buyer.number % len(running.webs)].port
        person = Person(port, "; ".join(f"{name}={value}" for name, value in buyer.cookies.items()))
        person.headers["X-Forwarded-For"] = f"10.0.0.{buyer.number}"
        person.token = buyer.form["csrf_token"]

        def send() -> Answer:
            answer = person.post(PAGE, **buyer.form)
            person.leave()
            return answer

        return send

    return [come(buyer) for buyer in buyers]


def is_whole(app: Flask, honey: int) -> int:
    """Each order with its line, its mail and its two units, or nothing of it; how many there are."""
    orders = count(app, Order)
    assert count(app, OrderLine) == count(app, Mail) == orders
    assert (sold(app).get(honey, 0), left(app)[honey]) == (2 * orders, UNITS - 2 * orders)
    check_tables(app)
    return orders


@pytest.mark.parametrize("nth", range(ROUNDS))
def test_who_orders_while_everything_is_killed_has_ordered_all_or_nothing(
    app: Flask, honey: int, tmp_path: Path, nth: int
) -> None:
    buyers = guests(app, *[{honey: 2}] * 8)
    served, answers = Semaphore(0), list[Answer]()

    def order(send: Callable[[], Answer]) -> None:
        answers.append(send())
        served.release()

    def kill(running: Service) -> None:
        for _ in range(2 + nth % 4):
            served.acquire()
        before, last = sorted(answer.began + answer.seconds for answer in answers)[-2:]
        Event().wait((last - before) * ((0.5 + 0.37 * nth) % 1))  # anywhere on the way of whoever comes next
        for process in (*running.webs, *running.workers):
            process.kill()

    more = min(1, ROUNDS - 1)
    with service(app, tmp_path, webs=1 + more, workers=more, now=NOW, **PROXY) as running:
        acts = visitors(running, buyers)
        all_at_once([lambda: kill(running), *(lambda send=send: order(send) for send in acts)])
    statuses = Counter(answer.status for answer in answers)
    # in one of many rounds all may have got in before
    assert statuses.keys() == {303, NOBODY} or (nth and statuses.keys() == {303}), (
        "some got in, some were cut off"
    )
    assert 0 <= is_whole(app, honey) - statuses[303] <= 1 + more, "whoever was told so has ordered"
    assert {buyer.press().status_code for buyer in buyers} == {303}
    assert is_whole(app, honey) == len(buyers)


def test_whoever_is_under_way_when_all_is_told_to_stop_is_answered(
    app: Flask, honey: int, tmp_path: Path
) -> None:
    """Of whom the database keeps waiting too, and of the mail that is on its way."""
    first, *others = guests(app, *[{honey: 2}] * 8)
    under_way = Event()

    async def take_slowly(_server: object, _message: object) -> str:
        under_way.set()
        await asyncio.sleep(1)
        return smtp.TAKEN

    with (
        smtp.letterbox() as box,
        service(app, tmp_path, workers=1, now=NOW, PORTAL_SMTP_URL=box.url, **PROXY) as running,
    ):
        [web], [worker] = running.webs, running.workers
        act, *acts = visitors(running, [first, *others])
        box.otherwise = take_slowly
        with held(app, Article):
            waits = Act(act)
            assert not waits.ends_within(3 if ROUNDS > 1 else 0.5), "another process holds what it needs"
            queue = [Act(other) for other in acts]
            assert not queue[-1].ends_within(0.3)
            web.tell_to_stop()
            assert not waits.ends_within(0.5)
        assert waits.result.status == 303
        assert web.wait() == 0
        statuses = Counter(other.result.status for other in queue)
        assert statuses.keys() == {303}
        assert is_whole(app, honey) == 1 + statuses[303], "nobody has ordered without being told"

        assert under_way.wait(PATIENCE)
        worker.tell_to_stop()
        assert worker.wait() == 0
        assert len(box.taken) == len(box.seen)
    with app.app_context(), own_transaction() as session:
        states = Counter(session.scalars(select(Mail.state)))
        assert states[MailState.SENT] == len(box.taken) > 0
        assert session.scalars(select(WorkerHeartbeat)).all() == []


@pytest.mark.parametrize("backend", ["postgresql"], indirect=True)
def test_while_the_database_restarts_the_site_is_busy_and_then_goes_on_by_itself(
    app: Flask, honey: int, tmp_path: Path, farms: Farms
) -> None:
    database, _app = farms.made["postgresql"]
    assert isinstance(database, PostgresqlDatabase)
    buyers = guests(app, *[{honey: 2}] * 6)
    answers, over = list[Answer](), Event()

    def order_and_stay(send: Callable[[], Answer]) -> None:
        """Whoever hears that the site is busy tries again, whoever has ordered looks around."""
        person, act = Person(running.port), send
        while act is send or not over.is_set():
            answers.append(act())
            if act is send and answers[-1].status == 303:
                act = partial(person.get, "/boutique")
            assert len(answers) < 1000, "it never recovers"
            Event().wait(0.5)
        person.leave()

    def restart() -> None:
        for how in ("fast", "immediate") * min(ROUNDS, 3):
            so_far = len(answers)
            wait_until(lambda so_far=so_far: len(answers) > so_far + 2, seconds=PATIENCE)
            database.restart_server(how)
        over.set()

    with (
        smtp.letterbox() as box,
        service(app, tmp_path, workers=1, now=NOW, PORTAL_SMTP_URL=box.url, **PROXY) as running,
    ):
        acts = visitors(running, buyers)
        all_at_once([restart, *(partial(order_and_stay, send) for send in acts)])
        assert {answer.status for answer in answers} <= {200, 303, 503}
        wait_until(lambda: len(box.taken) >= len(buyers), seconds=PATIENCE)
        assert all(process.alive for process in (*running.webs, *running.workers))
    assert is_whole(app, honey) == len(buyers)
    assert len({message["Message-ID"] for message in box.taken}) == len(buyers)
