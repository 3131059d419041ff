"""/ferme/impayes: who owes what is due, whom one reminds, in which words."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from portal.billing.models import PaymentReminder, ReminderStep
from portal.billing.payments import pay
from portal.farm import debts
from portal.infra.outbox import Mail
from tests.billing.writing import customer, paid, written
from tests.farm.forms import STEPS
from tests.pages import text_of
from tests.world import NOW, TODAY, YACINE

DEBTS, REMINDERS, SETTINGS = "/ferme/impayes", "/ferme/impayes/relances", "/ferme/reglages/relances"


@pytest.fixture(autouse=True)
def owing(session):
    written(session, 1500, due=TODAY - timedelta(days=70), day=TODAY - timedelta(days=85))
    written(session, 2300, to=customer(session, YACINE), due=TODAY - timedelta(days=8), day=TODAY)
    session.commit()


def test_debts_are_listed_sorted_and_narrowed(staff):
    shown = text_of(staff.get(DEBTS))
    assert "2 personnes doivent 38,00 €, échéance passée." in shown
    assert "30 jours au plus 23,00 €" in shown and "61 à 90 jours 15,00 €" in shown
    assert shown.index("C10001") < shown.index("C10002") and "70 jours" in shown and "06 39 98 00 01" in shown
    shown = text_of(staff.get(f"{DEBTS}?tri=montant"))
    assert shown.index("C10002") < shown.index("C10001")
    shown = text_of(staff.get(f"{DEBTS}?age=three_months&tri=x"))
    assert "C10001" in shown and "C10002" not in shown
    assert "Personne à cette ancienneté" in text_of(staff.get(f"{DEBTS}?age=more"))


def test_debts_are_shown_a_page_at_a_time(staff, monkeypatch):
    monkeypatch.setattr(debts, "A_PAGE", 1)
    shown = text_of(staff.get(f"{DEBTS}?tri=montant"))
    assert "2 personnes doivent 38,00 €" in shown and "Page 1 sur 2 Page suivante" in shown
    assert "C10002" in shown and "C10001" not in shown
    shown = text_of(staff.get(f"{DEBTS}?tri=montant&page=7"))
    assert "Page précédente Page 2 sur 2" in shown and "C10001" in shown and "C10002" not in shown


def test_reminders_go_to_whom_staff_have_chosen_once(staff, session):
    assert "Préparer 2 relances" in text_of(staff.get(DEBTS))
    shown = text_of(staff.get(REMINDERS))
    assert "Étape 1, 70 jours de retard camille@example.org" in shown
    assert 'value="1:1" checked' in staff.get(REMINDERS).text
    preview = staff.get(f"{REMINDERS}/apercu?personne=1")
    assert "sandbox" in preview.headers["Content-Security-Policy"] and "Bonjour Camille" in text_of(preview)
    assert staff.get(f"{REMINDERS}/apercu?personne=99").status_code == 404
    nobody = staff.submit(REMINDERS, {})
    assert nobody.status_code == 422 and "Vous n'avez coché personne." in text_of(nobody)
    assert 'value="1:1" checked' not in nobody.text
    pay(session, paid(2300, customer(session, YACINE)), at=NOW, by=None)
    session.commit()
    assert staff.submit(REMINDERS, {"relance": ["1:1", "2:1", "x", "1:"]}).status_code == 303
    shown = text_of(staff.get(DEBTS))
    assert "1 relance part. Les autres ont payé ou ont été relancé·es entre-temps." in shown
    assert "la première, le 10 juin" in shown and "Préparer" not in shown
    staff.submit(REMINDERS, {"relance": ["1:1"]})
    assert "Personne n'est à relancer." in text_of(staff.get(DEBTS))
    assert session.scalars(select(PaymentReminder.position)).all() == [1]
    assert len(session.scalars(select(Mail).where(Mail.subject.contains("régler"))).all()) == 1


def test_the_farm_writes_its_own_steps(staff, session):
    assert 'value="45"' in staff.get(SETTINGS).text and "{{echeance}}" in text_of(staff.get(SETTINGS))
    assert staff.submit(SETTINGS, STEPS).status_code == 303
    rows = session.scalars(select(ReminderStep).order_by(ReminderStep.position)).all()
    assert [(row.days, row.text) for row in rows][1] == (30, "Appelez-nous.")
    assert "C'est vous qui les envoyez" in text_of(staff.get(SETTINGS))
    assert text_of(staff.get(SETTINGS)).count("Étape") == 5


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"etape-1-text": "{{iban}}"}, "« {{iban}} » ne se remplace par rien"),
        ({"etape-1-text": "{{ config }}"}, "« {{ config }} » ne se remplace par rien"),
        ({"etape-1-subject": ""}, "Objet : à remplir, ou videz toute l'étape."),
        ({"etape-2-days": "10"}, "Jours après l'échéance : plus que l'étape d'avant."),
        ({"etape-2-days": "-1"}, "un nombre entier, de 1 à 365."),
    ],
)
def test_what_is_no_step_is_refused_beside_its_field(desk, session, change, says):
    answer = desk.submit(SETTINGS, STEPS | change)
    assert answer.status_code == 422 and text_of(answer).count(says) == 2
    assert session.scalars(select(ReminderStep)).all() == []
