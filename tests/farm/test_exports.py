"""Lists as files: each one says what its page says, and the trail says who took it."""

import csv
from datetime import timedelta
from io import BytesIO, StringIO

from openpyxl import load_workbook
from sqlalchemy import select, update

from portal.catalogue.models import Formula, Product
from portal.exchange import jobs
from portal.farm import downloads
from portal.infra import audit
from portal.infra.orm import own_transaction
from portal.subscriptions.models import Subscription, Term
from tests.composing import delivery_on, put
from tests.farm.trail import events
from tests.pages import text_of
from tests.shop.making import article
from tests.world import ADMIN, CAMILLE, NOW, TUESDAY


def read_csv(response):
    text = response.data.decode("utf-8-sig")
    return list(csv.reader(StringIO(text), delimiter=";"))


def test_a_list_is_taken_as_the_page_shows_it_and_the_trail_says_who_took_it(desk, session):
    article(session, name="=2+3", cents=350)
    article(session, name="Miel")
    session.commit()
    page = desk.get("/ferme/produits?q=miel")
    assert 'action="/ferme/produits/export?q=miel"' in page.text
    answer = desk.submit("/ferme/produits/export?q=miel", {"format": "csv"})
    heads, *rows = read_csv(answer)
    assert heads[0] == "Nom" and [row[0] for row in rows] == ["Miel"]
    assert answer.headers["Content-Disposition"] == "attachment; filename=produits.csv"
    assert answer.headers["Cache-Control"] == "no-store"
    [event] = events(session)
    assert (event.action, event.account_id, event.subject_id) == ("list.export", 3, "produits")
    assert (event.at, event.after) == (NOW, {"rows": 1, "format": "csv"})
    all_of_it = read_csv(desk.submit("/ferme/produits/export", {"format": "csv"}))
    assert {"'=2+3", "Miel"} == {row[0] for row in all_of_it[1:]}
    assert "3,50" in next(row for row in all_of_it if row[0] == "'=2+3")


def test_whoever_writes_waits_for_no_list(app, desk, session, monkeypatch):
    make = downloads.make

    def make_while_another_writes(*asked):
        with own_transaction() as other:
            audit.record(other, "meanwhile", ("list", "produits"), at=NOW, by=None)
        return make(*asked)

    monkeypatch.setattr(downloads, "make", make_while_another_writes)
    assert desk.submit("/ferme/produits/export", {"format": "csv"}).status_code == 200
    assert [event.action for event in events(session)] == ["meanwhile", "list.export"]
    views = {view for name, view in app.view_functions.items() if name.startswith("farm.export_")}
    assert len(views) > len(LISTS) and all(view.reads_only for view in views)


LISTS = (
    "bons", "points-de-retrait", "formules", "livraisons", "commandes", "courrier",
    "livraisons/2026-06-16/mardi/liste", "livraisons/2026-06-16/mardi/recolte", "commandes/2026-06-16/mardi",
    "abonnes", "abonnes/abonnements", "legumes", "journal",
)  # fmt: skip


def test_every_list_is_a_workbook_too(client):
    client.sign_in(ADMIN)
    client.get("/ferme")
    for address in LISTS:
        answer = client.submit(f"/ferme/{address}/export", {"format": "xlsx"})
        assert answer.status_code == 200, address
        sheet = load_workbook(BytesIO(answer.data)).active
        assert sheet.freeze_panes == "A2" and sheet["A1"].font.bold, address
        named = answer.headers["Content-Disposition"].partition("filename=")[2]
        assert named == f"{sheet.title}.xlsx", address
        if address == "abonnes":
            assert sheet.column_dimensions["B"].width > len(CAMILLE) > sheet.column_dimensions["C"].width
    assert client.submit("/ferme/bons/export", {"format": "exe"}).status_code == 422


def test_the_lists_of_a_delivery_say_the_papers_numbers_and_what_is_weighed_in_kilos(desk, session):
    put(session, delivery_on(session, TUESDAY), "grand", "carottes", 1230)
    session.execute(update(Product).where(Product.slug == "carottes").values(margin=5))
    session.commit()
    heads, row = read_csv(desk.submit("/ferme/livraisons/2026-06-16/mardi/recolte/export", {"format": "csv"}))
    said = dict(zip(heads, row, strict=True))
    assert (said["Kilos"], said["Pièces"], said["Marge"]) == ("1,300", "", "5 %")
    heads, *rows = read_csv(desk.submit("/ferme/livraisons/2026-06-16/mardi/liste/export", {"format": "csv"}))
    assert {row[heads.index("Numéro")] for row in rows} == {"1"}


def test_people_leave_as_they_can_come_in_again(desk, session):
    """The same table, sent back as it is, changes nobody; what has ended stays here."""
    [eggs] = session.scalars(
        select(Subscription).join(Subscription.terms).join(Term.formula).where(Formula.slug == "oeufs")
    )
    eggs.last_day = NOW.date() - timedelta(days=1)
    session.commit()
    only = read_csv(desk.submit("/ferme/abonnes/export?q=camille", {"format": "csv"}))
    assert [row[1] for row in only[1:]] == [CAMILLE]
    for subject, address in (("people", "abonnes"), ("subscriptions", "abonnes/abonnements")):
        taken = desk.submit(f"/ferme/{address}/export", {"format": "xlsx"}).data
        sent = {"subject": subject, "fichier": (BytesIO(taken), "retour.xlsx")}
        place = desk.submit("/ferme/imports", sent).location
        while jobs.work_on_imports():
            pass
        said = text_of(desk.get(place))
        assert "Il n'y a rien à importer." in said and "0 ligne laissée de côté" in said, subject
