"""Many more people, and each one's page is the same work for the database; the farm's pages at most that much more.

The work is counted, not timed (work.py): a machine that does other things too changes nothing of it.
"""

from datetime import timedelta

import pytest
from sqlalchemy import text

from portal.accounts.models import Account
from portal.billing.customers import customer_of
from portal.billing.ledger import Entry, append
from portal.billing.models import EntryKind
from portal.infra.orm import db
from portal.rules.money import Money
from portal.rules.paying import PaymentMeans
from tests import crowd
from tests.benchmarks.visitors import CHECKOUT, CONTACT, fields
from tests.benchmarks.work import counted
from tests.billing.books import invoiced
from tests.billing.writing import written
from tests.shop.making import order
from tests.stall import fill_cart, stock_the_shop
from tests.world import ADMIN, CAMILLE, NOW, TODAY

JOINED = 2000
ONES_OWN = (
    *("/espace", "/planning", "/planning?semaines=52", "/planning/2026-06-08", "/planning/2026-06-15"),
    *("/planning/calendrier", "/planning/suspension", "/abonnements", "/abonnements/1/modifier"),
    *("/livraisons/2026-06-09/mardi", "/livraisons/2026-06-16/mardi"),
    *("/boutique", "/boutique/miel", "/envies", "/ma-commande", "/ma-commande/validation"),
    *("/commandes", "/commandes/1", "/factures", "/factures/F2026-00001", "/paiements"),
    *("/points-de-retrait", "/points-de-retrait/halle/choisir", "/formules", "/abonnement/nouveau"),
    *("/mon-compte", "/mon-compte/contrats", "/mon-compte/securite", "/mon-compte/adresses"),
    *("/mon-compte/coordonnees-bancaires", "/mon-compte/foyer", "/mon-compte/lettres"),
    "/mon-compte/fermeture",
)
ACTS = (
    ("/planning/2026-06-15/saut", {"abonnement": "1", "commande": "alone"}),
    ("/planning/2026-06-15/reprise", {"abonnement": "1", "commande": "alone"}),
    ("/ma-commande/produits", {"article": "1", "quantity": "2"}),
)
OF_ONE = (
    *("/ferme/abonnes/1", "/ferme/abonnes/1/facturation", "/ferme/commandes/1", "/ferme/commandes/2"),
    *(f"/ferme/factures/F2026-00001{ending}" for ending in ("", "/avoir", "/geste")),
)
"""What the farm sees of somebody."""
STEP = 60
OF_ALL = (
    *("/ferme", "/ferme/livraisons", "/ferme/livraisons/2026-06-16/mardi", "/ferme/points-de-retrait"),
    *("/ferme/livraisons/2026-06-09/mardi/liste", "/ferme/livraisons/2026-06-16/mardi/liste"),
    *("/ferme/abonnes", "/ferme/commandes", "/ferme/factures", "/ferme/prelevements"),
)

OF_MONEY = ("/ferme", "/ferme/factures", "/ferme/impayes", "/ferme/prelevements", "/ferme/reglements")
SUMMED = ("/ferme/factures", "/ferme/reglements")
"""They say what was billed, and paid, in all."""


@pytest.fixture(autouse=True)
def _known(session):
    """Camille has had boxes and an invoice of them, has ordered and is about to order again; a guest has too."""
    invoiced(session)
    honey = stock_the_shop(session)
    order(session, {honey: 2})
    order(session, {honey: 1}, email=None)
    fill_cart(session, honey)
    session.commit()


def join(session, people, first=1, alike=CAMILLE):
    crowd.add_alike(session, Account.email == alike, people, first)
    if db.engine.dialect.name == "postgresql":
        session.execute(text("ANALYZE"))
        session.commit()


def work_of(client, paths, acts=()):
    done = {}
    for path, form in [*((path, None) for path in paths), *acts]:
        with counted(db.engine) as work:
            answer = client.submit(path, form) if form else client.get(path)
        assert answer.status_code == (303 if form else 200), path
        done[path] = work.done
    return done


def test_ones_own_pages_are_the_same_work_among_thousands(session, client):
    def work():
        client.sign_in(CAMILLE)
        own = work_of(client, ONES_OWN, ACTS)
        client.sign_in(ADMIN)
        return own | work_of(client, OF_ONE)

    alone = work()
    crowd.add_guests(session, JOINED)
    join(session, JOINED)
    among_many = work()
    more = {
        path: (alone[path], work)
        for path, work in among_many.items()
        if work > 1.1 * alone[path] + JOINED / 10
    }
    assert not more


def test_an_order_is_the_same_work_among_thousands(session, client):
    def work():
        client.sign_in(CAMILLE)
        work_of(client, ["/boutique"], ACTS[-1:])
        page = "/ma-commande/validation"
        form = fields(CHECKOUT.search(client.get(page).text)[1]) | CONTACT
        return work_of(client, (), [(page, form)])[page]

    alone = work()
    join(session, JOINED)
    assert work() <= 1.1 * alone + JOINED / 10


def test_what_thousands_have_paid_is_no_work_any_more(session, client, backend):
    """But an addition, of a page that says what it comes to."""
    past = NOW - timedelta(days=400)
    names = {"first_name": "Une", "last_name": "Fois", "active": False}
    once = Account(email="once@example.org", fs_uniquifier="once", created_at=past, **names)
    session.add(once)
    session.flush()
    customer = customer_of(session, once.id)
    for _monthly in range(6):
        bill = written(session, 1000, to=customer, day=past.date(), due=past.date())
        by = {"means": PaymentMeans.CHEQUE, "pays_id": bill.id}
        append(session, [Entry(EntryKind.PAYMENT, customer.id, TODAY, Money(-1000), **by)], at=NOW, by=3)
    session.commit()
    client.sign_in(ADMIN)
    alone = work_of(client, OF_MONEY)
    join(session, JOINED, alike=once.email)
    among_many = work_of(client, OF_MONEY)
    summed = 6 * JOINED * {"sqlite": 30, "postgresql": 2}[backend]
    more = {
        path: (alone[path], work)
        for path, work in among_many.items()
        if work > 1.1 * alone[path] + JOINED / 10 + (summed if path in SUMMED else 0)
    }
    assert not more


@pytest.mark.parametrize("backend", ["sqlite"])
def test_the_farms_pages_grow_no_faster_than_those_whom_they_are_about(session, client):
    client.sign_in(ADMIN)
    work = []
    for first in (1, 1 + STEP, 1 + 2 * STEP):
        join(session, STEP, first)
        work.append(work_of(client, OF_ALL))
    less, usual, more = work
    faster = {path for path in OF_ALL if more[path] - usual[path] > 1.1 * (usual[path] - less[path]) + STEP}
    assert not faster
