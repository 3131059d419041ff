"""/ferme/journal: the audit trail by person, object and day."""

import re
from datetime import timedelta

import pytest

from portal.catalogue.models import Article, Category, Formula, Product, Supplier
from portal.deliveries.models import Tour
from portal.infra import audit
from portal.infra.audit import AuditEvent
from portal.pickup.models import PickupPoint
from portal.profile.models import FarmProfile
from portal.shop.models import ShopSettings, Voucher
from tests.pages import text_of
from tests.world import NOW

PAGE = "/ferme/journal"
CAMILLE, SOPHIE = 1, 3


@pytest.fixture
def trail(session):
    """A change by staff, one in somebody's place, one by the site, one that has no words yet."""
    record = audit.record
    change = {"before": {"capacity": 40, "price": 1150}, "after": {"capacity": 50, "price": 1250}}
    record(
        session, "pickup_point.change", ("pickup_point", 2), at=NOW - timedelta(days=3), by=SOPHIE, **change
    )
    session.add(
        AuditEvent(
            at=NOW - timedelta(days=2),
            account_id=SOPHIE,
            for_account_id=CAMILLE,
            action="subscription.suspend",
            subject_type="subscription",
            subject_id="1",
            after={"since": "2026-07-06", "until": "2026-07-19"},
        )
    )
    record(session, "delivery.freeze", ("delivery", 7), at=NOW - timedelta(days=1), by=None)
    record(
        session, "barn.paint", ("barn", "red"), at=NOW, by=CAMILLE, after={"colour": ["oxide", True, None]}
    )
    session.commit()


def lines(page):
    return re.findall(r"<b>(.*?)</b> ([^<]*)</p>", page.text)


def test_it_tells_who_did_what_for_whom_and_from_what_to_what_newest_first(office, trail):
    page = office.get(PAGE)
    assert lines(page) == [
        ("Camille Aubert", "barn.paint"),
        ("Le site", "a figé la livraison à sa clôture"),
        ("Sophie Durand", "a suspendu l'abonnement, à la place de Camille Aubert"),
        ("Sophie Durand", "a changé le point de retrait"),
    ]
    said = text_of(page)
    assert "places : 40 → 50" in said and "prix : 11,50 € → 12,50 €" in said
    assert "depuis le : lundi 6 juillet 2026" in said
    assert "Livraison du mardi 7 juillet, Tournée du mardi" in said and "Abonnement Camille Aubert" in said
    assert "Point de retrait Gare de Veynes" in said
    assert "colour : oxide, oui, –" in said, "what has no words yet can still be read"
    taken = office.submit(f"{PAGE}/export", {"format": "csv"}).data.decode("utf-8-sig").replace("\u00a0", " ")
    assert "Abonnement Camille Aubert" in taken and "places 40, prix 11,50" in taken


def test_every_column_that_staff_change_has_a_french_word(app):
    words = app.jinja_env.get_template("farm/journal/_words.html").module
    tables = (
        Formula,
        Product,
        Article,
        Category,
        Supplier,
        Tour,
        PickupPoint,
        Voucher,
        FarmProfile,
        ShopSettings,
    )
    unsaid = {c.name for table in tables for c in table.__table__.columns} - words.fields.keys()
    assert unsaid == {"id"}


@pytest.mark.parametrize(
    ("asked", "actions"),
    [
        ({"qui": "aubert"}, ["barn.paint", "a suspendu l'abonnement, à la place de Camille Aubert"]),
        (
            {"qui": "C10003"},
            ["a suspendu l'abonnement, à la place de Camille Aubert", "a changé le point de retrait"],
        ),
        ({"qui": "personne d'ici"}, []),
        ({"quoi": "delivery", "numero": "7"}, ["a figé la livraison à sa clôture"]),
        ({"quoi": "delivery", "numero": "8"}, []),
        ({"du": "2026-06-09", "au": "2026-06-09"}, ["a figé la livraison à sa clôture"]),
        ({"du": "demain", "au": "2026-06-07"}, ["a changé le point de retrait"]),
    ],
)
def test_it_is_searched_by_person_object_and_day(office, trail, asked, actions):
    assert [action for _who, action in lines(office.get(PAGE, query_string=asked))] == actions


def test_it_is_paged_from_line_to_line_at_one_cost(office, session, count_queries):
    for number in range(120):
        audit.record(session, "mail.retried", ("mail", number), at=NOW, by=SOPHIE)
        audit.record(session, "delivery.cancel", ("delivery", number % 8 + 1), at=NOW, by=SOPHIE)
    session.commit()
    path, seen, counts = f"{PAGE}?qui=sophie", [], set()
    while path:
        with count_queries() as statements:
            page = office.get(path)
        counts.add(len(statements))
        seen += re.findall(r"Mail (\d+)</a>", page.text)
        older = re.search(r'href="([^"]*avant=[^"]*)"', page.text)
        path = older and older[1].replace("&amp;", "&")
    assert seen == [str(number) for number in reversed(range(120))]
    assert len(counts) == 1 and counts.pop() <= 7
