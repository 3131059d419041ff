"""/ferme/banque: a statement is sent, its columns named once, and each line accepted, given to somebody, set aside."""

import re
from base64 import b64encode
from io import BytesIO

import pytest
from sqlalchemy import select

from portal.accounts.queries import find_account
from portal.billing.balances import books_of
from portal.billing.models import BankLine, BankLineState, BillingSettings
from portal.farm import bank
from portal.rules.money import Money
from tests.billing.banking import CSV, IBAN, entry, received, statement
from tests.billing.writing import customer, written
from tests.farm.trail import events
from tests.pages import text_of
from tests.world import CAMILLE, YACINE

BANK = "/ferme/banque"
ODD = b"Quand;Combien;Quoi\n05/06/2026;12,00;VIR AUBERT\n"


def sent(browser, data, name="releve.xml"):
    return browser.submit(BANK, {"fichier": (BytesIO(data), name)})


def lines(session):
    session.expire_all()
    return list(session.scalars(select(BankLine).order_by(BankLine.id)))


def balances(session):
    return [books_of(session, find_account(session, email).id).balance for email in (CAMILLE, YACINE)]


def test_a_statement_is_sent_and_what_is_certain_accepted_at_once(staff, session, count_queries):
    written(session, 3860)
    written(session, 1200, to=customer(session, YACINE))
    session.commit()
    assert "Rien à traiter" in text_of(staff.get(BANK))
    assert sent(staff, CSV).status_code == 303
    shown = text_of(staff.get(BANK))
    assert "4 lignes de plus." in shown and "Illisibles dans le fichier, à regarder : lignes 7." in shown
    assert "Le dernier va du 5 juin au 6 juin 2026, envoyé le mercredi 10 juin, 10 h." in shown
    assert "2 lignes sont sûres, pour 50,60 € en tout." in shown
    assert "Sûr Camille Aubert C10001, doit 38,60 €" in shown
    assert "La facture F2026-00001 est nommée, et le montant est juste." in shown
    assert "Probable Yacine Benali" in shown and IBAN not in shown and "1 234,50" not in shown
    form = {"ligne": re.findall(r'name="ligne" value="([^"]+)"', staff.get(BANK).text)}
    assert staff.submit(f"{BANK}/certaines", form).status_code == 303
    assert "2 règlements sont enregistrés." in text_of(staff.get(BANK))
    staff.submit(f"{BANK}/certaines", form)
    assert "0 règlement est enregistré." in text_of(staff.get(BANK)) and balances(session) == [
        Money(0),
        Money(0),
    ]
    sent(staff, CSV)
    assert "Rien de nouveau. 4 étaient déjà là." in text_of(staff.get(BANK))
    with count_queries() as queries:
        assert "Enregistré pour : Camille Aubert" in text_of(staff.get(f"{BANK}?etat=enregistrees"))
    assert len(queries) < 15


def test_a_line_is_given_to_whoever_it_comes_from_and_taken_back(staff, session):
    received(session, statement([entry("50", "VIR", "Tante Jeanne")]))
    session.commit()
    [line] = lines(session)
    address = f"{BANK}/{line.id}"
    assert "À trouver Rien ne dit de qui cela vient." in text_of(staff.get(BANK))
    assert "C'est de sa part : Camille Aubert" in text_of(staff.get(f"{address}?q=aubert"))
    assert "Personne ne correspond." in text_of(staff.get(f"{address}?q=jeanne"))
    for _press in range(2):
        assert staff.submit(address, {"paye-par": "1"}).status_code == 303
        shown = text_of(staff.get(BANK))
        assert "50,00 € de Camille Aubert, c'est enregistré. Il reste 50,00 € d'avance à son compte." in shown
    assert balances(session) == [Money(-5000), Money(0)]
    refused = staff.submit(address, {"paye-par": "2"})
    assert refused.status_code == 422 and "Quelqu'un a déjà traité cette ligne." in text_of(refused)
    assert "Enregistré pour : Camille Aubert" in text_of(refused)
    assert staff.submit(f"{address}/mise-de-cote").status_code == 422
    staff.submit(f"{address}/retour")
    assert balances(session) == [Money(0), Money(0)]
    no_guest = staff.submit(address, {"paye-par": f"-{customer(session).id}"})
    assert no_guest.status_code == 422 and balances(session) == [Money(0), Money(0)]
    staff.submit(f"{address}/mise-de-cote")
    assert lines(session)[0].state is BankLineState.IGNORED
    done = [event.action for event in events(session) if event.subject_type == "bank_line"]
    assert done == ["bank_line.enter", "bank_line.reopen", "bank_line.ignore"]
    assert staff.submit(address, {"paye-par": "x"}).status_code == 422
    assert staff.get(f"{BANK}/999").status_code == 404


def test_columns_are_named_once(staff, session):
    asked = sent(staff, ODD, "export.csv")
    assert asked.status_code == 422
    assert "Dites une fois laquelle" in text_of(asked) and "<td>VIR AUBERT</td>" in asked.text
    form = {"donnees": b64encode(ODD).decode(), "nom": "export.csv", "day": "Quand", "label": "Quoi"}
    refused = staff.submit(f"{BANK}/colonnes", form)
    assert refused.status_code == 422 and "Il faut la date, le libellé" in text_of(refused)
    assert '<option value="Quand" selected>' in refused.text
    assert staff.submit(f"{BANK}/colonnes", form | {"amount": "Combien"}).status_code == 303
    kept = session.scalars(select(BillingSettings.statement_columns)).one()
    assert kept == {"day": "Quand", "label": "Quoi", "amount": "Combien"}
    assert sent(staff, ODD.replace(b"12,00", b"13,00")).status_code == 303
    assert [line.amount for line in lines(session)] == [Money(1200), Money(1300)]
    assert staff.submit(f"{BANK}/colonnes", form | {"donnees": "é"}).status_code == 422


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "Choisissez un fichier qui n'est pas vide."),
        (b" " * 2001, "Ce fichier est trop lourd : 5 Mo au plus."),
        (statement([entry("1")], before="<!DOCTYPE d>"), "Ce fichier XML contient un DOCTYPE."),
        (b"<a/>", "Ce fichier XML n'est pas un relevé camt.053 lisible."),
        (b"\xd0\xcf\x11\xe0", "C'est un ancien classeur (.xls)."),
        (ODD * 3, "Ce fichier est trop gros pour dire ses colonnes."),
    ],
)
def test_what_is_no_statement_is_refused_in_words(desk, session, monkeypatch, data, says):
    monkeypatch.setattr(bank, "MOST_BYTES", 2000)
    monkeypatch.setattr(bank, "MOST_RESENT", 100)
    answer = sent(desk, data)
    assert answer.status_code == 422 and says in text_of(answer) and lines(session) == []
