"""People from a table: known by their customer number, else by their mail address."""

import re

from sqlalchemy.orm import Session

from portal.accounts import people
from portal.accounts.addresses import NAMED, AddressView, billing_address, keep_billing_address
from portal.accounts.models import FIRST_CUSTOMER_NUMBER, Account
from portal.accounts.people import Refusal
from portal.accounts.queries import find_account
from portal.exchange.columns import Column, email, phone, postcode
from portal.exchange.lines import BadLine, Context, Values, Verdict, Written, needs
from portal.web.forms import line, paragraphs
from portal.web.i18n import gettext as _

_NUMBER = re.compile(r"[Cc]?([0-9]{5,9})", re.ASCII)
_ADDRESS = ("street", "postcode", "town")


def customer_number(text: str) -> int:
    """The account's id."""
    written = _NUMBER.fullmatch(text)
    if written and int(written[1]) > FIRST_CUSTOMER_NUMBER:
        return int(written[1]) - FIRST_CUSTOMER_NUMBER
    raise ValueError(_("un numéro comme C10042."))


NUMBER = Column(
    "number", ("Numéro", "Numéro client", "Numéro d'abonné", "N° client", "Client", "Customer number", "ID"),
    customer_number, "",
)  # fmt: skip
EMAIL = Column(
    "email",
    ("Adresse mail", "Mail", "E-mail", "Email", "Courriel", "Adresse e-mail", "Adresse électronique", "Email address"),
    email, "camille.roux@exemple.fr", needed=True,
)  # fmt: skip


class Writer:
    columns = (
        NUMBER,
        EMAIL,
        Column("first_name", ("Prénom", "First name", "Given name"), line(80), "Camille", needed=True),
        Column("last_name", ("Nom", "Nom de famille", "Last name", "Surname"), line(80), "Roux", needed=True),
        Column("phone", ("Téléphone", "Tél", "Portable", "Mobile", "Phone"), phone, "06 12 34 56 78"),
        Column(
            "street", ("Rue", "Adresse", "Rue et numéro", "Street", "Address"), line(200), "3 rue du Four"
        ),
        Column("postcode", ("Code postal", "CP", "Postcode", "Zip"), postcode, "05300"),
        Column("town", ("Commune", "Ville", "Town", "City"), line(80), "Laragne"),
        Column("note", ("Note", "Remarque", "Commentaire", "Notes", "Comment"), paragraphs(2000), ""),
    )
    keys = (("email",), ("number",))

    def __init__(self, context: Context) -> None:
        self._context = context

    def write(self, values: Values) -> Written:
        """Names, telephone, address and note; what is empty stays as it is, and a mail address is never changed."""
        place = [values[key] for key in _ADDRESS if key in values]
        if place and len(place) < len(_ADDRESS):
            missing = next(key for key in _ADDRESS if key not in values)
            raise BadLine(missing, _("à remplir, ou laissez toute l'adresse vide."))
        account = find_person(self._context.session, values)
        known = {key: values[key] for key in ("first_name", "last_name", "phone", "note") if key in values}
        if account is None:
            account, changed, verdict = self._add(values, known), True, Verdict.CREATED
        else:
            changed = bool(
                people.change(self._context.session, account, known, at=self._context.at, by=self._context.by)
            )
            verdict = Verdict.CHANGED
        if place:
            changed |= self._move(account, *place)
        return Written(verdict if changed else Verdict.UNCHANGED)

    def _add(self, values: Values, known: Values) -> Account:
        needs(self.columns, values)
        added = people.add(
            self._context.session,
            {**known, "email": values["email"]},
            at=self._context.at,
            by=self._context.by,
        )
        if isinstance(added, Refusal):
            raise BadLine("email", _("quelqu'un vient de prendre cette adresse."))
        if self._context.invites:
            people.invite(self._context.session, added, at=self._context.at, by=self._context.by)
        return added

    def _move(self, account: Account, street: str, postcode: str, town: str) -> bool:
        before = billing_address(self._context.session, account.id)
        name = before.name if before else account.full_name[:NAMED]
        wanted = AddressView(name, street, postcode, town)
        return keep_billing_address(
            self._context.session, account.id, wanted, at=self._context.at, by=self._context.by
        )


def find_person(session: Session, values: Values) -> Account | None:
    """Whom a line is about. Raises BadLine where its number and its mail address are not the same person's."""
    by_email = find_account(session, values["email"]) if "email" in values else None
    if "number" not in values:
        return by_email
    account = session.get(Account, values["number"])
    if account is None:
        raise BadLine("number", _("personne n'a ce numéro."))
    if "email" in values and by_email is not account:
        raise BadLine(
            "email", _("ce numéro a une autre adresse mail ; elle se change sur la page de la personne.")
        )
    return account
