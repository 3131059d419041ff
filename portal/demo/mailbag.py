"""What people have written to the demo farm, the questions that it answers, and what the law wants it to say."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.accounts.models import Account
from portal.demo.people import STAFF, SUBSCRIBER
from portal.messages import questions
from portal.messages.models import ContactAnswer, ContactFile, ContactMessage, ContactState, Subject
from portal.profile.models import Accessibility, FarmProfile
from portal.web.i18n import french

DESK = "accueil@example.org"
LEGAL = {
    "legal_name": "Les Jardins de la Blaisance",
    "legal_form": "association régie par la loi de 1901",
    "siret": "99900000300015",
    "register": "RNA W051999999",
    "director": "Étienne Pellegrin",
    "host": "Serveurs du Buëch, 8 place de la Gare, 05400 Veynes, 04 65 71 00 90",
    "mediator": "Médiation des Deux Vallées, 4 place du Tilleul, 05300 Laragne-Montéglin",
    "mediator_site": "https://mediation.example.org",
    "partner": "L'Épicerie solidaire de Laragne",
    "accessibility": Accessibility.PARTIAL,
}
PAPER = b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[]/Count 0>>endobj\n%%EOF\n"


@dataclass(frozen=True)
class Letter:
    """`by` is who has taken it, `answer` what they wrote; `paper` where a document came with it."""

    hours_ago: int
    subject: Subject
    name: str
    email: str
    text: str
    by: str | None = None
    answer: str | None = None
    done: bool = False
    paper: bool = False


_S = Subject
LETTERS = (
    Letter(
        2,
        _S.BOX,
        "Camille Reynaud",
        SUBSCRIBER.email,
        "Bonjour, deux oignons étaient abîmés mardi. Rien de grave, je vous le signale. "
        "Merci pour la recette de Nadia !",
    ),
    Letter(
        5,
        _S.SIGN_IN,
        "Odile Espitallier",
        "odile.e@example.net",
        "Je ne reçois pas le lien pour mon mot de passe. J'ai peut-être donné une autre adresse "
        "en m'inscrivant.",
    ),
    Letter(
        9,
        _S.JOINING,
        "Mehdi Benkhelifa",
        "mehdi.b@example.org",
        "Le point de Sisteron est-il complet ? Nous serions trois à partager un grand panier.",
    ),
    Letter(
        26,
        _S.OTHER,
        "Collège des Iscles",
        "vie-scolaire@example.org",
        "Nous aimerions venir avec une classe de sixième, un jeudi matin de printemps. Est-ce "
        "possible ?\n\nNous sommes vingt-six, à vélo.",
        paper=True,
    ),
    Letter(
        30,
        _S.TWO_ACCOUNTS,
        "Jean-François-Xavier L'Hermitte",
        "jfx@example.net",
        "J'ai deux comptes, un avec mon adresse du travail. Pouvez-vous les réunir ?",
        by=DESK,
    ),
    Letter(
        52,
        _S.TERMINATION,
        "Simone Grimaud",
        "simone.grimaud@example.org",
        "Je pars vivre chez ma fille à la fin du mois. Merci pour toutes ces années de bons légumes.",
        by=DESK,
        answer="Chère Simone,\n\nMerci à vous, et belle installation ! Votre dernier panier est celui de "
        "la fin du mois ; rien d'autre ne sera facturé.",
    ),
    Letter(
        75,
        _S.INVOICE,
        "Paul Taxil",
        "paul.taxil@example.org",
        "Ma facture compte un panier que j'avais sauté, il me semble.",
        by=STAFF.email,
        answer="Bonjour Paul,\n\nLe panier a été sauté le lundi, la clôture était le dimanche soir. Pour "
        "cette fois nous le retirons de la facture.",
    ),
    Letter(
        120,
        _S.ORDER,
        "Lý Ô",
        "ly.o@example.net",
        "Le miel de ma dernière commande était un régal. Y en aura-t-il encore ?",
        by=STAFF.email,
        answer="Bonjour,\n\nOui, l'apiculteur nous en garde. Il revient en boutique le mois prochain.",
        done=True,
    ),
    Letter(
        170,
        _S.BOX,
        "Régine Chaix",
        "regine.chaix@example.org",
        "J'ai oublié mon panier jeudi. Qu'est-il devenu ?",
        by=DESK,
        answer="Bonjour Régine,\n\nIl est allé à l'épicerie solidaire. La prochaine fois, un coup de fil "
        "avant 18 h et nous le gardons au frais.",
        done=True,
    ),
    Letter(
        260,
        _S.PERSONAL_DATA,
        "Karim Saïdi",
        "karim.saidi@example.net",
        "Que gardez-vous sur moi, et jusqu'à quand ?",
        by=DESK,
        answer="Bonjour Karim,\n\nTout est sur la page « Confidentialité », et « Mon compte » vous permet "
        "de tout emporter.",
        done=True,
    ),
    Letter(
        400,
        _S.DELETION,
        "Thi Mai Nguyễn",
        "thimai@example.org",
        "Je souhaite que mon compte soit supprimé. Je n'ai plus d'abonnement depuis l'an dernier.",
        by=DESK,
        answer="Bonjour,\n\nC'est fait. Vous avez trente jours pour changer d'avis.",
        done=True,
    ),
    Letter(
        640,
        _S.OTHER,
        "Radio Buëch",
        "redaction@example.net",
        "Accepteriez-vous de parler de la ferme dans notre émission du samedi ?",
        by=STAFF.email,
        done=True,
    ),
)


def fill_mailbag(session: Session, now: datetime) -> None:
    profile = session.scalars(select(FarmProfile)).one()
    for name, value in LEGAL.items():
        setattr(profile, name, french(value) if name == "legal_form" else value)
    questions.start_with_ours(session, at=now, by=None)
    ids = {account.email: account.id for account in session.scalars(select(Account))}
    for letter in reversed(LETTERS):
        session.add(_message(letter, ids, now))


def _message(letter: Letter, ids: dict[str, int], now: datetime) -> ContactMessage:
    sent_at, taken = (
        now - timedelta(hours=letter.hours_ago),
        ContactState.TAKEN if letter.by else ContactState.NEW,
    )
    message = ContactMessage(
        account_id=ids.get(letter.email),
        subject=letter.subject,
        name=letter.name,
        email=letter.email,
        text=french(letter.text),
        sent_at=sent_at,
        state=ContactState.DONE if letter.done else taken,
        taken_by=ids[letter.by] if letter.by else None,
    )
    if letter.paper:
        message.files = [ContactFile(name="piece-1.pdf", content_type="application/pdf", data=PAPER)]
    if letter.by and letter.answer:
        answered_at = sent_at + min(timedelta(hours=6), (now - sent_at) / 2)
        message.answers = [ContactAnswer(text=french(letter.answer), at=answered_at, by_id=ids[letter.by])]
    return message
