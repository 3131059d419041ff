"""/ferme/imports: a file is tried, looked at, written; the archive is asked for and taken away."""

import csv
from io import BytesIO, StringIO
from zipfile import ZipFile

import pytest
from sqlalchemy import select

from portal.accounts.models import Account
from portal.billing.models import DebitBatch
from portal.exchange import archives, jobs
from portal.exchange.models import Archive, TableImport
from portal.farm import exchange
from portal.farm.exchange import MODELS
from portal.infra import outbox
from tests.billing.debiting import shown
from tests.billing.signing import IBAN, is_whole, signed
from tests.billing.writing import written
from tests.farm.trail import events
from tests.pages import text_of
from tests.world import ADMIN, NOW

PAGE = "/ferme/imports"
PEOPLE = "Mail;Prénom;Nom;À savoir\nlea@exemple.fr;Léa;Blanc;Sonne\n<b>ici</b>;=A;B;\n"


def work():
    while jobs.work_on_imports() or jobs.work_on_archive():
        pass


def send(browser, data, name="liste.csv", **more):
    fields = {"subject": "people", "fichier": (BytesIO(data), name)} | more
    return browser.submit(PAGE, fields)


@pytest.fixture
def admin(browser):
    browser.sign_in(ADMIN)
    browser.get(PAGE)
    return browser


def test_a_file_goes_from_the_desk_to_the_people(desk, session):
    answer = send(desk, PEOPLE.encode(), invites="y")
    assert answer.status_code == 303
    place = answer.location
    assert "Le fichier est essayé, rien n'est écrit." in text_of(desk.get(place))
    work()
    shown = desk.get(place)
    said = text_of(shown)
    assert "1 ligne à ajouter 0 ligne à modifier" in said and "1 ligne laissée de côté" in said
    assert "une adresse entière, comme nom@exemple.fr." in said and "&lt;b&gt;ici&lt;/b&gt;" in shown.text
    assert "Une personne recevra une invitation par mail." in said
    assert "<b>ici" not in shown.text and "À savoir Ne pas importer" in said

    assert desk.submit(f"{place}/colonnes", {"colonne-3": "note"}).status_code == 303
    work()
    assert desk.submit(f"{place}/ecriture", {}).status_code == 303
    assert "Le fichier est en cours d'écriture." in text_of(desk.get(place))
    work()
    assert "1 ligne ajoutée" in text_of(desk.get(place))
    lea = session.scalars(select(Account).where(Account.email == "lea@exemple.fr")).one()
    assert (lea.note, lea.password) == ("Sonne", None)
    assert "import.end" in [event.action for event in events(session)]
    again = desk.submit(f"{place}/ecriture", {})
    assert again.status_code == 422 and "Ce n'est plus possible" in text_of(again)
    assert desk.submit(f"{place}/abandon", {}).status_code == 303
    assert desk.get(place).status_code == 404


def test_progress_is_told_to_htmx_and_to_whoever_reloads(staff, session):
    place = send(staff, b"Mail\n" + b"a@exemple.fr\n" * 300).location
    jobs.work_on_imports()
    jobs.work_on_imports()
    part = staff.get(place, headers={"HX-Request": "true"})
    assert part.text.lstrip().startswith('<div class="stack" id="import" data-hx-get=')
    assert "50 lignes sur 300" in text_of(part)
    assert '<progress class="progress" id="avance" max="300" value="50">' in staff.get(place).text
    work()
    assert "data-hx-trigger" not in staff.get(place, headers={"HX-Request": "true"}).text


def test_a_file_that_is_none_is_refused_where_it_is_chosen(desk, session, monkeypatch):
    monkeypatch.setattr(exchange, "MOST_BYTES", 10)
    for data, says in (
        (b"", "Choisissez un fichier qui n'est pas vide."),
        (b"x" * 11, "Ce fichier est trop lourd"),
    ):
        answer = send(desk, data)
        assert answer.status_code == 422 and says in text_of(answer)
    assert session.scalars(select(TableImport)).all() == []


def test_a_hostile_file_is_a_file_that_cannot_be_read_under_a_name_that_is_only_read(desk, session):
    place = send(desk, b"PK\x03\x04\0\0", "../../\u202e" + "x" * 3000 + "<i>.xlsx").location
    work()
    page = desk.get(place)
    assert "Ce n'est ni un CSV ni un classeur" in text_of(page) and "<i>" not in page.text
    assert session.scalars(select(TableImport.file_name)).one() == "x" * 80
    fields = {"subject": "people", "fichier": "no file at all"}
    assert desk.submit(PAGE, fields).status_code == 422
    assert send(desk, b"a", subject="mots-de-passe").status_code == 422


def test_models_say_what_a_file_may_hold_and_can_be_imported(desk, session):
    for name, subject in MODELS.items():
        model = desk.get(f"{PAGE}/modeles/{name}.csv")
        place = send(desk, model.data, subject=subject).location
        work()
        assert "Il manque une colonne" not in text_of(desk.get(place)), subject
    assert desk.get(f"{PAGE}/modeles/abonnes.xlsx").data.startswith(b"PK")
    assert desk.get(f"{PAGE}/modeles/passwords.csv").status_code == 404


def test_everything_is_one_file_that_opens_nothing(admin, session):
    signed(session)
    written(session, 3860)
    shown(session)
    session.scalars(select(DebitBatch)).one().data = IBAN.encode()
    outbox.post(session, to="a@exemple.fr", subject="Objet", text="Un secret", html="<p>", at=NOW)
    session.commit()
    assert admin.submit(f"{PAGE}/archives", {}).status_code == 303
    admin.submit(f"{PAGE}/archives", {})
    assert "L'archive se prépare." in text_of(admin.get(PAGE))
    work()
    file = f"{PAGE}/archives/{session.scalars(select(Archive.id)).one()}"
    session.rollback()
    taken = admin.submit(file, {})
    with ZipFile(BytesIO(taken.data)) as archive:
        assert archive.testzip() is None
        names = archive.namelist()
        heads, *people = csv.reader(StringIO(archive.read("account.csv").decode("utf-8-sig")), delimiter=";")
        mails = archive.read("mail.csv").decode("utf-8-sig")
        mandates = archive.read("mandate.csv").decode("utf-8-sig")
        assert len(archive.read("debit_batch.csv").splitlines()) == 2
        explained = archive.read("LISEZ-MOI.txt").decode()
    assert "email" in heads and len(people) == 4
    assert "Objet" in mails and "secret" not in mails
    assert "0189" in mandates and not is_whole(taken.data), "of an account number the end alone"
    assert {"subscription.csv", "basket.csv", "LISEZ-MOI.txt"} <= set(names)
    assert "account.csv : id, email" in explained
    actions = [event.action for event in events(session)]
    assert actions.count("archive.ask") == 1 and actions.count("archive.take") == 1
    archives.forget_old(session, NOW + archives.KEPT * 2)
    session.commit()
    assert admin.submit(file, {}).status_code == 404


def test_no_column_that_opens_something_is_taken_along():
    taken = {
        f"{table.name}.{column.name}" for table in archives.tables() for column in archives.columns(table)
    }
    assert not {
        name for name in taken if any(word in name for word in ("password", "token", "hash", "secret."))
    }
    assert not taken & {"account.fs_uniquifier", "mail.text", "mail.html", "picture_size.data"}
    assert not taken & {"mandate.iban", "mandate.paper", "debit_batch.data", "invoice_file.data"}
    assert "mail.recipient" in taken and "shop_order.cart_key" not in taken
