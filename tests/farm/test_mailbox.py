"""Staff see the mail that the site sends, and have what failed sent again."""

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from portal.infra import outbox
from portal.infra.audit import AuditEvent
from portal.infra.orm import own_transaction
from portal.infra.outbox import Mail, MailState
from tests.world import CAMILLE, NOW, STAFF


@pytest.fixture
def staff(app, browser):
    browser.sign_in(STAFF)
    return browser


@pytest.fixture
def post(app):
    """Write a mail, in the state that it would have reached."""

    def write(state=MailState.WAITING, **changes):
        content = {"subject": "Panier sauté", "text": "Bonjour", "html": "<h1>Bonjour</h1>"}
        with app.app_context(), own_transaction() as session:
            mail = outbox.post(session, to=CAMILLE, at=NOW, **{**content, **changes})
            mail.state = state
            mail.closed_at = None if state is MailState.WAITING else NOW
            mail.last_error = "SMTPDataError 550" if state is MailState.FAILED else None
            session.flush()
            return mail.id

    return write


def states(app):
    with app.app_context(), own_transaction() as session:
        return dict(session.execute(select(Mail.id, Mail.state)).all())


def text_of(response):
    return " ".join(response.get_data(as_text=True).replace("\u202f", " ").replace("\u00a0", " ").split())


def test_an_empty_mailbox_says_so(staff):
    assert "Pas encore de courrier" in text_of(staff.get("/ferme/courrier"))


@pytest.mark.parametrize(
    ("state", "word"),
    [
        (MailState.WAITING, "En attente"),
        (MailState.SENT, "Parti"),
        (MailState.FAILED, "En échec"),
        (MailState.KEPT, "Gardé ici"),
    ],
)
def test_each_mail_shows_its_state_in_a_word(staff, post, state, word):
    mail_id = post(state)
    for page in ("/ferme/courrier", f"/ferme/courrier/{mail_id}"):
        response = staff.get(page)
        assert response.status_code == 200
        assert word in text_of(response)
        assert CAMILLE in text_of(response)


def test_staff_see_how_many_wait_and_how_many_failed(staff, post):
    for state in (MailState.WAITING, MailState.WAITING, MailState.FAILED, MailState.SENT):
        post(state)
    page = text_of(staff.get("/ferme/courrier"))
    assert "2 mails attendent" in page
    assert "Un mail n'a pas pu partir" in page.replace("&#39;", "'")


def test_the_newest_come_first_fifty_a_page(staff, post):
    for number in range(1, 121):
        post(subject=f"Message {number:03}")
    first = text_of(staff.get("/ferme/courrier"))
    assert first.index("Message 120") < first.index("Message 071")
    assert "Message 070" not in first
    older = (
        staff.get("/ferme/courrier")
        .get_data(as_text=True)
        .split('href="/ferme/courrier/avant/')[1]
        .split('"')[0]
    )
    second = text_of(staff.get(f"/ferme/courrier/avant/{older}"))
    assert "Message 070" in second
    assert "Message 071" not in second
    last = text_of(staff.get("/ferme/courrier/avant/21"))
    assert "Message 020" in last
    assert "Plus anciens" not in last


def test_a_mail_is_text_on_the_page_and_its_links_can_be_followed(staff, post):
    mail_id = post(
        MailState.KEPT, text="<script>alert(1)</script>\nhttp://localhost/lien/abc\n\n-- \nLa ferme"
    )
    page = staff.get(f"/ferme/courrier/{mail_id}").get_data(as_text=True)
    assert "&lt;script&gt;" in page
    assert '<a href="http://localhost/lien/abc"' in page


def test_the_page_names_what_goes_with_the_mail(staff, post):
    files = [
        outbox.File(name, "application/pdf", name.encode()) for name in ("commande.pdf", "conditions.pdf")
    ]
    assert "Pièce jointe : commande.pdf" in text_of(
        staff.get(f"/ferme/courrier/{post(attachments=files[:1])}")
    )
    both = text_of(staff.get(f"/ferme/courrier/{post(attachments=files)}"))
    assert "Pièces jointes : commande.pdf, conditions.pdf" in both
    assert "jointe" not in text_of(staff.get(f"/ferme/courrier/{post()}"))


def test_the_page_that_a_mail_brings_runs_and_loads_nothing(app, staff, post):
    mail_id = post(MailState.SENT, html='<p style="color:red">Bonjour</p><script>alert(1)</script>')
    plain = FlaskClient(app, app.response_class)  # the usual client refuses inline style, which mails need
    plain._cookies = staff._cookies
    response = plain.get(f"/ferme/courrier/{mail_id}/apercu")
    assert response.status_code == 200
    policy = response.headers["Content-Security-Policy"].split("; ")
    assert {"sandbox", "default-src 'none'"} <= set(policy)
    assert not [rule for rule in policy if rule.startswith("script-src")]
    assert response.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("state", [MailState.WAITING, MailState.FAILED])
def test_nobody_reads_a_link_that_opens_an_account(staff, post, state):
    mail_id = post(state, secret=True, text="http://localhost/lien/abc", html="http://localhost/lien/abc")
    page = staff.get(f"/ferme/courrier/{mail_id}")
    assert page.status_code == 200
    assert "lien/abc" not in text_of(page)
    assert staff.get(f"/ferme/courrier/{mail_id}/apercu").status_code == 404


def test_a_failed_mail_is_sent_again_and_the_trail_says_by_whom(app, staff, post):
    failed, other = post(MailState.FAILED), post(MailState.FAILED)
    page = staff.get(f"/ferme/courrier/{failed}")
    assert "SMTPDataError 550" in text_of(page)
    response = staff.submit(f"/ferme/courrier/{failed}/envoi")
    assert (response.status_code, response.location) == (303, f"/ferme/courrier/{failed}")
    assert states(app) == {failed: MailState.WAITING, other: MailState.FAILED}
    with app.app_context(), own_transaction() as session:
        [event] = session.scalars(select(AuditEvent).where(AuditEvent.action == "mail.retried"))
        assert (event.subject_id, event.account_id is None) == (str(failed), False)


def test_all_that_failed_is_sent_again_with_one_button(app, staff, post):
    ids = [post(MailState.FAILED) for _ in range(3)]
    sent = post(MailState.SENT)
    staff.get("/ferme/courrier")
    assert staff.submit("/ferme/courrier/envoi").status_code == 303
    assert states(app) == dict.fromkeys(ids, MailState.WAITING) | {sent: MailState.SENT}
    assert "3 messages vont repartir" in text_of(staff.get("/ferme/courrier"))


@pytest.mark.parametrize("state", [MailState.WAITING, MailState.SENT, MailState.KEPT])
def test_what_has_not_failed_is_not_sent_again(app, staff, post, state):
    mail_id = post(state)
    staff.get("/ferme/courrier")
    staff.submit(f"/ferme/courrier/{mail_id}/envoi")
    assert states(app) == {mail_id: state}
    assert "Rien à renvoyer" in text_of(staff.get("/ferme/courrier"))


@pytest.mark.parametrize("path", ["/ferme/courrier/1", "/ferme/courrier/1/apercu", "/ferme/courrier/0"])
def test_a_mail_that_is_not_there_is_a_404(staff, path):
    assert staff.get(path).status_code == 404


def test_without_a_server_the_page_says_that_mail_stays_here(staff):
    assert "les messages restent ici" in text_of(staff.get("/ferme/courrier"))
