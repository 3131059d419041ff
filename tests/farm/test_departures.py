"""Who leaves, as staff see it: what waits for them, what waits for its owner, who left when and why."""

import re
from datetime import timedelta

from sqlalchemy import select

from portal.infra.audit import AuditEvent
from portal.planning.models import ContractWithdrawal, Termination
from portal.subscriptions.models import Contract, Subscription
from tests.accounts.people import account_of
from tests.world import CAMILLE, NOW, TUESDAY, YACINE


def text_of(answer):
    page = re.sub(r"<[^>]+>", " ", answer.get_data(as_text=True).partition("<main")[2])
    return " ".join(page.replace("\u202f", " ").replace("\u00a0", " ").replace("&#39;", "'").split())


def leave(session):
    camille, yacine = account_of(session, CAMILLE), account_of(session, YACINE)
    said = {
        "contact": "3 rue du Four, Serres",
        "reference": "mon panier",
        "notified_at": NOW,
        "searched_at": NOW,
    }
    ended = {
        "what": "Grand panier",
        "point": "Halle de Serres",
        "last_day": TUESDAY.isoformat(),
        "last": TUESDAY.isoformat(),
        "closed": [],
        "fallen": [],
    }
    session.add(Termination(**said, name="Ida Perdue", ended={}))
    session.add(Termination(**said, name="Yacine Benali", ended={}, account_id=yacine.id))
    session.add(
        Termination(
            **said,
            name="Camille Aubert",
            ended={"subscriptions": {"1": ended}},
            account_id=camille.id,
            confirmed_at=NOW + timedelta(hours=1),
            reason="Je déménage.",
        )
    )
    held = session.scalars(select(Subscription).order_by(Subscription.id)).first()
    contract = Contract(subscription=held, made_at=NOW, paper=b"sealed", withdrawn_at=NOW)
    session.add(contract)
    session.flush()
    session.add(ContractWithdrawal(contract_id=contract.id, name="Camille", email=CAMILLE, made_at=NOW))
    session.commit()


def test_staff_see_who_leaves_and_settle_what_waits_for_them(session, staff, count_queries, monkeypatch):
    assert "Personne n'est parti" in text_of(staff.get("/ferme/resiliations"))
    leave(session)
    assert "2 résiliations ou rétractations à traiter." in text_of(staff.get("/ferme"))
    with count_queries() as statements:
        page = text_of(staff.get("/ferme/resiliations"))
    assert len([s for s in statements if "termination" in s or "contract" in s]) == 3
    parts = re.split(r"À traiter|En attente de confirmation|Rétractations|Qui est parti", page)
    for part, said in zip(parts[1:], ("Ida Perdue", "Yacine Benali", "A10001", "Je déménage."), strict=True):
        assert said in part
    assert staff.submit("/ferme/resiliations/1", {"suite": " "}).status_code == 422
    for _tab in range(2):
        assert staff.submit("/ferme/resiliations/1", {"suite": "Appelée : finie."}).status_code == 303
        assert staff.submit("/ferme/resiliations/renonciations/1", {}).status_code == 303
    assert "à traiter" not in text_of(staff.get("/ferme"))
    done = text_of(staff.get("/ferme/resiliations"))
    assert "À traiter" not in done and "Appelée : finie." in done and "Réglée" in done
    monkeypatch.setattr("portal.farm.departures.AT_MOST", 1)
    newest = text_of(staff.get("/ferme/resiliations"))
    assert "Les 1 dernières." in newest and "Je déménage." in newest and "Ida Perdue" not in newest
    assert staff.submit("/ferme/resiliations/9", {"suite": "Rien."}).status_code == 404
    actions = session.scalars(select(AuditEvent.action).order_by(AuditEvent.id)).all()
    assert actions == ["termination.settle", "contract.settle_withdrawal"]
    table = staff.submit("/ferme/resiliations/export", {"format": "csv"}).get_data(as_text=True)
    assert table.count("\n") == 4 and "Grand panier" in table and "Je déménage." in table
