"""Mail that is posted and carried in tests."""

from collections import Counter
from datetime import UTC, datetime

from sqlalchemy import select, update

from portal.infra import outbox
from portal.infra.mail import Sender
from portal.infra.orm import own_transaction
from portal.infra.outbox import File, Mail, MailState
from portal.infra.postman import Postman
from tests.conftest import settings_for
from tests.world import CAMILLE, NOW

LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)
CONDITIONS_CONTENT = ("application/pdf", b"%PDF-1.7\n\x00\xff conditions\n")
CONDITIONS = File("conditions.pdf", *CONDITIONS_CONTENT)
ORDER = File("commande.pdf", "application/pdf", b"%PDF-1.7 order")


def post(to=CAMILLE, at=NOW, **changes):
    content = {"subject": "Votre panier", "text": "Bonjour", "html": "<p>Bonjour</p>"}
    with own_transaction() as session:
        mail = outbox.post(session, to=to, at=at, **{**content, **changes})
        session.flush()
        return mail.id


def postman_for(url):
    return Postman(
        settings_for("sqlite://", smtp_url=url), lambda: Sender("Les Jardins du Test", "jardins@example.org")
    )


def body(message, kind):
    return message.get_body((kind,)).get_content().replace("\r\n", "\n")


def carry_all(carry):
    while carry():
        pass


def states():
    with own_transaction() as session:
        return Counter(session.scalars(select(Mail.state)))


def get(mail_id):
    with own_transaction() as session:
        mail = session.get_one(Mail, mail_id)
        session.expunge(mail)
        return mail


def let_leases_run_out():
    with own_transaction() as session:
        session.execute(update(Mail).where(Mail.state == MailState.WAITING).values(due_at=LONG_AGO))
