"""« Résilier votre contrat »: at once for whoever is signed in, confirmed by the owner for whoever is not."""

import re
from datetime import timedelta

import pytest
from sqlalchemy import select

from portal.boxes.models import BoxChange
from portal.infra.audit import AuditEvent
from portal.infra.outbox import Attachment, Mail
from portal.planning import terminations
from portal.planning.jobs import search_owners
from portal.planning.models import Termination
from portal.planning.terminations import token
from portal.rules.calendar import WEEK
from portal.subscriptions.models import Subscription
from tests.accounts.people import account_of
from tests.world import ADMIN, CAMILLE, CUTOFF, NOW, TUESDAY, YACINE

LINK = re.compile(r"http://localhost(/lien/resiliation/\S+)")
NOTICE = {"nom": "Camille Aubert", "adresse": CAMILLE, "contrat": "mon panier du mardi", "jour": ""}


def text_of(answer):
    page = answer.get_data(as_text=True).partition("<main")[2].partition("<footer")[0]
    page = re.sub(r"<[^>]+>", " ", re.sub(r'name="csrf_token" value="[^"]+"', "", page))
    return " ".join(page.replace("\u202f", " ").replace("\u00a0", " ").replace("&#39;", "'").split())


def hidden(page):
    """What the summary's form would send."""
    fields = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', page.get_data(as_text=True))
    sent = {}
    for name, value in fields:
        sent.setdefault(name, []).append(value)
    assert "csrf_token" in sent, text_of(page)
    del sent["csrf_token"]
    return sent


def mails(session):
    rows = session.scalars(select(Mail).order_by(Mail.id))
    found = [(row.recipient, row.subject, row.text.replace("\u00a0", " ")) for row in rows]
    session.rollback()
    return found


def ends(session, email):
    whose = Subscription.account_id == account_of(session, email).id
    found = list(session.scalars(select(Subscription.last_day).where(whose).order_by(Subscription.id)))
    session.rollback()
    return found


def test_every_page_leads_there(client):
    for path in ("/", "/boutique", "/connexion", "/resilier"):
        foot = client.get(path).get_data(as_text=True).partition("<footer")[2]
        assert 'href="/resilier"' in foot and "Résilier votre contrat" in foot
    client.sign_in(CAMILLE)
    assert 'href="/resilier"' in client.get("/mon-compte").get_data(as_text=True).partition("<footer")[0]


def test_a_member_ends_at_once_what_they_choose(session, browser, clock):
    """Tuesday's box has closed and comes; the one postponed to a later week falls; the same again changes nothing."""
    camille = account_of(session, CAMILLE)
    box, eggs = session.scalars(
        select(Subscription.id).where(Subscription.account_id == camille.id).order_by(Subscription.id)
    )
    monday = TUESDAY - timedelta(days=1)
    change = BoxChange(subscription_id=box, week=monday - WEEK, to_week=monday + 2 * WEEK, changed_at=NOW)
    session.add(change)
    session.commit()
    clock.move_to(CUTOFF)
    browser.sign_in(CAMILLE)
    form = browser.get("/resilier").get_data(as_text=True)
    assert 'value="Camille Aubert"' in form and f'value="{CAMILLE}"' in form
    chosen = {"nom": "Camille Aubert", "adresse": CAMILLE, "jour": ""}
    nobody = browser.submit("/resilier", chosen | {"adresse": "camille@", "jour": "2026-06-01"})
    assert nobody.status_code == 422 and "Ce que vous résiliez" in text_of(nobody)
    summary = browser.submit("/resilier", chosen | {"abonnement": [str(box)]})
    said = text_of(summary)
    assert "Dernier panier : le mardi 16 juin 2026" in said
    assert "Le panier du mardi 16 juin est déjà clos : il est livré et facturé." in said
    assert "reporté au mardi 30 juin ne viendra pas" in said and "Œufs" not in said
    sent = hidden(summary)
    again = browser.submit("/resilier", sent | {"modifier": "oui"}).get_data(as_text=True)
    assert f'value="{box}" checked' in again and f'value="{eggs}" checked' not in again
    assert ends(session, CAMILLE) == [None, None], "nothing is kept before it is notified"
    ways = {browser.submit("/resilier/notification", sent).location for _tab in range(2)}
    assert len(ways) == 1 and ends(session, CAMILLE) == [TUESDAY, None]
    [(to, subject, text)] = mails(session)
    assert (to, subject) == (CAMILLE, "Résiliation : accusé de réception".replace(" :", "\u00a0:"))
    assert "lundi 15 juin 2026 à 0 h" in text and "Fin du contrat : le mardi 16 juin 2026." in text
    assert session.scalars(select(Attachment.name)).one() == "resiliation-1.pdf"
    [way] = ways
    receipt = text_of(browser.get(way))
    assert "Dernier panier : le mardi 16 juin 2026" in receipt and "Pourquoi partez-vous ?" in receipt
    assert browser.submit(f"{way}/raison", {"raison": "Je déménage."}).status_code == 303
    assert "Je déménage." in text_of(browser.get(way))
    trail = session.scalars(select(AuditEvent.action).order_by(AuditEvent.id)).all()
    assert trail == ["subscription.end", "termination.confirm"]


def test_a_delivery_that_closes_meanwhile_is_read_again_first(session, client, clock):
    clock.move_to(CUTOFF - timedelta(milliseconds=1))
    client.sign_in(CAMILLE)
    client.get("/resilier")
    ids = [str(number) for number in session.scalars(select(Subscription.id).limit(2))]
    chosen = {"nom": "Camille Aubert", "adresse": CAMILLE, "jour": "", "abonnement": ids}
    sent = hidden(client.submit("/resilier", chosen))
    clock.move_to(CUTOFF)
    refused = client.submit("/resilier/notification", sent)
    assert refused.status_code == 422 and "s'est close entre-temps" in text_of(refused)
    assert ends(session, CAMILLE) == [None, None] and mails(session) == []
    assert client.submit("/resilier/notification", hidden(refused)).status_code == 303
    assert ends(session, CAMILLE) == [TUESDAY, TUESDAY]


def test_what_is_skipped_or_ends_already_is_no_obstacle_and_is_not_prolonged(session, client, clock):
    box, eggs = session.scalars(select(Subscription).order_by(Subscription.id).limit(2))
    session.add(
        BoxChange(
            subscription_id=box.id, week=TUESDAY - timedelta(days=1), skip=True, skip_at=NOW, changed_at=NOW
        )
    )
    eggs.last_day = TUESDAY
    ids = [str(box.id), str(eggs.id)]
    session.commit()
    clock.move_to(CUTOFF)
    client.sign_in(CAMILLE)
    client.get("/resilier")
    chosen = {"nom": "Camille Aubert", "adresse": CAMILLE, "jour": "2026-06-30", "abonnement": ids}
    summary = client.submit("/resilier", chosen)
    assert summary.status_code == 200, text_of(summary)
    sent = hidden(summary)
    assert sent[f"fin-{eggs.id}"] == [TUESDAY.isoformat()]
    asap = hidden(client.submit("/resilier", chosen | {"jour": ""}))
    assert client.submit("/resilier/notification", asap).status_code == 303
    assert ends(session, CAMILLE) == [CUTOFF.date() + timedelta(days=1), TUESDAY]


@pytest.mark.parametrize(
    ("contact", "reference", "owner"),
    [
        (CAMILLE.upper(), "mon panier du mardi", CAMILLE),
        ("autre@example.org", "client C10001, mardi", CAMILLE),
        ("3 rue du Four, 05700 Serres", "10001", CAMILLE),
        ("autre@example.org", "mon panier", None),
        (ADMIN, "mon panier", None),
    ],
)
def test_a_visitor_notifies_and_the_owner_confirms(session, client, clock, contact, reference, owner):
    summary = client.submit("/resilier", NOTICE | {"adresse": contact, "contrat": reference})
    done = client.submit("/resilier/notification", hidden(summary))
    assert done.status_code == 303 and ends(session, CAMILLE) == [None, None]
    receipt = text_of(client.get(done.location))
    assert "Grand panier" not in receipt, "whoever notifies it learns nothing"
    sent = mails(session)
    assert [to.casefold() for to, *_ in sent] == ([contact.casefold()] if "@" in contact else [])
    assert search_owners() and not search_owners()
    [*_, found] = mails(session)
    if owner is None:
        assert (
            len(mails(session)) == len(sent) and session.scalars(select(Termination)).one().account_id is None
        )
        return
    assert found[0] == owner and session.scalars(select(Mail).order_by(Mail.id.desc())).first().secret
    way = LINK.search(found[2])[1]
    page = client.get(way)
    assert "Grand panier, Halle de Serres" in text_of(page) and ends(session, CAMILLE) == [None, None]
    session.rollback()
    wrong = way.replace(token(1, owner=True), token(1, owner=False))
    assert client.get(wrong).status_code == 404 and client.get(way + "x").status_code == 404
    chosen = hidden(page) | {
        "abonnement": re.findall(r'name="abonnement" value="(\d+)"', page.get_data(as_text=True))
    }
    ways = {client.submit(way, chosen).location for _tab in range(2)}
    assert len(ways) == 1 and ends(session, CAMILLE) == [NOW.date(), NOW.date()]
    assert "Dernier panier : le mardi 9 juin 2026." in text_of(client.get(ways.pop()))
    assert len(mails(session)) == len(sent) + 2, "one receipt, to the account alone"
    assert "Grand panier" not in text_of(client.get(done.location))


def test_one_whose_owner_cannot_be_written_to_does_not_hold_up_the_others(session, client, monkeypatch):
    for _ in range(2):
        client.get("/resilier")
        client.submit("/resilier/notification", NOTICE)
    with monkeypatch.context() as broken:
        broken.setattr(terminations, "find_account", lambda *_: 1 / 0)
        assert search_owners()
    assert search_owners() and not search_owners()
    found = session.scalars(select(Termination).order_by(Termination.id)).all()
    assert [row.account_id is None for row in found] == [True, False], "the first waits for staff"


def test_a_link_lasts_thirty_days_and_stays_the_owners(session, client, clock):
    client.get("/resilier")
    client.submit("/resilier/notification", NOTICE)
    search_owners()
    way = LINK.search(mails(session)[-1][2])[1]
    clock.move_to(NOW + timedelta(days=30))
    assert client.get(way).status_code == 410
    assert client.submit(way, {"abonnement": ["1", "2"]}).status_code == 410
    assert ends(session, YACINE) == ends(session, CAMILLE)[:1] == [None]
