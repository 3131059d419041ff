"""What people and staff type is text wherever it is shown: in pages, attributes, fragments and mails."""

from html.parser import HTMLParser

import pytest
from sqlalchemy import Column, Enum, String, func, select, text, update

from portal.infra.orm import Base, db
from portal.infra.outbox import Mail
from tests.contracts.site import ACTS, PAGES, WALKERS, Site, send
from tests.joining import SEEN

MARKUP = "'\"><evil>"
"""Breaks out of an attribute and begins an element, in as few letters as the shortest column takes."""

NOT_TYPED = {
    "account.password",
    "audit_event.action",
    "audit_event.subject_id",
    "audit_event.subject_type",
    "category.drawing",
    "formula.drawing",
    "mail.html",
    "mail.last_error",
    "product.drawing",
}
"""Written by the program, or names of its own pictures."""

SHOWN = {
    "account.first_name",
    "article.allergens",
    "article.description",
    "article.ingredients",
    "article.name",
    "article.origin",
    "category.name",
    "conditions.text",
    "delivery.cancel_reason",
    "farm_profile.name",
    "formula.name",
    "mail.subject",
    "mail.text",
    "news.text",
    "news.title",
    "pickup_point.access",
    "pickup_point.address",
    "pickup_point.name",
    "product.name",
    "product.storage",
    "supplier.email",
    "supplier.phone",
    "tour.name",
    "voucher.note",
}
"""What these pages show at the least: the test is about something."""


@pytest.fixture
def backend() -> str:
    return "sqlite"


GUARDS = "SELECT name FROM sqlite_master WHERE type = 'trigger' AND sql LIKE '%never changed%'"


def typed() -> list[Column[str]]:
    return [
        column
        for table in Base.metadata.sorted_tables
        for column in table.columns
        if isinstance(column.type, String)
        and not isinstance(column.type, Enum)
        and not (column.primary_key or column.foreign_keys or column.unique)
        and str(column) not in NOT_TYPED
    ]


def hostile(column: Column[str]) -> str:
    """The markup, with the column's name where there is room for it."""
    whole = f"{MARKUP}{{{{7*7}}}}{column}"
    room = column.type.length or len(whole)  # type: ignore[attr-defined]
    return whole if len(whole) <= room else MARKUP[:room]


@pytest.fixture
def spoilt(site: Site) -> Site:
    """The site with markup in every text that somebody may have typed."""
    site.client("subscriber"), site.client("admin")
    with site.app.app_context():
        for name in db.session.scalars(text(GUARDS)).all():  # what is issued is shown as well
            db.session.execute(text(f"DROP TRIGGER {name}"))
        for table in Base.metadata.sorted_tables:
            spoilt = {column.name: hostile(column) for column in typed() if column.table is table}
            if spoilt:  # all at once: some are only together
                db.session.execute(update(table).values(spoilt))
        db.session.commit()
    return site


class Reader(HTMLParser):
    """Notes whether some text became an element or an attribute."""

    broken = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.broken |= "evil" in tag or any("evil" in name or '"' in name for name, _ in attrs)


def breaks_out(html: str) -> bool:
    reader = Reader()
    reader.feed(html)
    reader.close()
    return reader.broken


ENDS_THE_SESSION = ("deconnexion", "connexion", "mot-de-passe", "lien/<token>")


def test_every_page_and_fragment_shows_it_as_text(spoilt: Site) -> None:
    seen = ""
    for role in WALKERS:
        client = spoilt.client(role)
        answers = {line.path: send(client, "GET", line.path) for line in PAGES if line.answers[role] == "200"}
        acts = [
            line for line in ACTS if line.answers[role] == "303" and not line.rule.endswith(ENDS_THE_SESSION)
        ]
        for headers in ({}, {"HX-Request": "true"}):
            for line in acts:
                form = {**spoilt.form(line), "csrf_token": client.token}
                answer = send(client, "POST", line.path, data=form, headers=headers)
                answers[f"{line.path} {headers}"] = answer
                if answer.location:
                    answers[f"after {line.path}"] = send(client, "GET", answer.location)
        for place, answer in answers.items():
            assert answer.status_code < 500, place
            if answer.mimetype == "text/html":
                assert not breaks_out(answer.text), place
                assert "&amp;lt;" not in answer.text, f"{place}: escaped twice, a reader would see the code"
                seen += answer.text
    assert "{{7*7}}" in seen
    assert {str(column) for column in typed() if str(column) in seen} >= SHOWN


def test_every_mail_carries_it_as_text(spoilt: Site) -> None:
    subscriber, anonymous = spoilt.client("subscriber"), spoilt.client("anonymous")
    with spoilt.app.app_context():
        known = db.session.scalar(select(func.max(Mail.id)))
    for client, rules in (
        (subscriber, ("/saut", "/reprise", "/recapitulatif", "/mon-compte/mot-de-passe")),
        (anonymous, ("/mot-de-passe-oublie",)),
    ):
        for line in ACTS:
            if line.rule.endswith(rules) and line.answers["subscriber"] == "303":
                form = spoilt.form(line)
                if "vu" in form:  # the names on the page have been spoilt since it was made
                    form["vu"] = SEEN.findall(client.get(line.path).text)[0]
                assert client.submit(line.path, form).status_code == 303, line.rule
    with spoilt.app.app_context():
        written = db.session.scalars(select(Mail).where(Mail.id > known)).all()
    assert len(written) >= 3
    for mail in written:
        assert not breaks_out(mail.html or "")
        assert "&lt;evil&gt;" in (mail.html or "")
        assert MARKUP in (mail.text or "")
        assert "&lt;" not in (mail.text or "") + mail.subject, "nothing is escaped where nothing could run"
