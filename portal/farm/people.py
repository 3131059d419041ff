"""People: finding them, adding them, changing how they are reached."""

from collections.abc import Mapping
from dataclasses import asdict, replace
from math import ceil
from typing import Any

from flask import abort, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_security.utils import login_user
from werkzeug.datastructures import MultiDict
from wtforms import BooleanField, Form, ValidationError
from wtforms.widgets import EmailInput, TelInput

from portal.accounts import people as services
from portal.accounts.addresses import NAMED, AddressView, billing_address, keep_billing_address
from portal.accounts.models import Account, CompanyState
from portal.accounts.people import Refusal
from portal.accounts.queries import find_account
from portal.billing.balances import balances
from portal.billing.holding import ahead, owing
from portal.catalogue.queries import formulas
from portal.farm import blueprint, staff
from portal.infra import clock
from portal.infra.orm import db
from portal.pickup.queries import points
from portal.planning.people import LONGEST, Standing, Wanted, find_people
from portal.rules.cutoffs import local_day
from portal.rules.permissions import Permission
from portal.shop.queries import find as find_order
from portal.shop.views import OrderView
from portal.web.forms import Typed, email, line, phone, postcode, whole
from portal.web.guards import needs
from portal.web.htmx import is_htmx
from portal.web.i18n import gettext as _
from portal.web.i18n import lazy_gettext as _l

ADDRESS = "/abonnes/<id:account_id>"
A_PAGE = 50
WEEKS = (2, 4, 8, 12)
"""For how long somebody has had no box, as it can be asked."""
BALANCES = {"doit": owing, "avance": ahead}
_read_number = whole(1, 999_999_999)

ADDRESS_TAKEN = _l("Adresse e-mail : quelqu'un d'autre a déjà cette adresse.")


class PersonForm(Form):
    """Who somebody is and how they are reached; the postal address whole or not at all."""

    first_name = Typed(_l("Prénom"), line(80))
    last_name = Typed(_l("Nom"), line(80))
    email = Typed(_l("Adresse e-mail"), lambda text: email(text).lower(), widget=EmailInput())
    phone = Typed(_l("Téléphone"), phone, needed=False, widget=TelInput())
    street = Typed(_l("Rue et numéro"), line(200), needed=False)
    postcode = Typed(_l("Code postal"), postcode, needed=False)
    town = Typed(_l("Commune"), line(80), needed=False)
    invited = BooleanField(_l("Lui envoyer un mail pour choisir un mot de passe"))

    def validate(self, *args: Any, **kwargs: Any) -> bool:
        sound = bool(super().validate(*args, **kwargs))
        place = (self.street, self.postcode, self.town)
        if any(field.data for field in place):
            for field in place:
                if not field.data and not field.errors:
                    field.errors = [field.says(_("à remplir, ou laissez toute l'adresse vide."))]
                    sound = False
        return sound

    def validate_email(self, field: Typed) -> None:
        if not field.errors and len(field.data) > 254:
            raise ValidationError(field.says(_("254 caractères au plus.")))

    @property
    def person(self) -> dict[str, Any]:
        return {name: self.data[name] for name in ("email", "first_name", "last_name", "phone")}

    @property
    def address(self) -> AddressView | None:
        if not self.street.data:
            return None
        name = f"{self.first_name.data} {self.last_name.data}"
        return AddressView(name[:NAMED], self.street.data, self.postcode.data, self.town.data)


@blueprint.get("/abonnes")
@needs(Permission.PEOPLE)
def people() -> ResponseReturnValue:
    """The list; as an answer to HTMX, what is left of it by what is being typed."""
    session, today = db.session(), local_day(clock.now())
    known = {"point": points(session), "formule": formulas(session)}
    wanted, page = _wanted(known), (_number("page") or 1) - 1
    found = find_people(session, wanted, today, page=page, size=A_PAGE)
    may_read = staff().may(Permission.READ_BILLS)
    return render_template(
        "farm/people/_list.html" if is_htmx() else "farm/people/list.html",
        found=found,
        wanted=wanted,
        asked={
            name: request.args[name]
            for name in ("q", "point", "formule", "etat", "pro", "sans", "solde")
            if request.args.get(name)
        },
        balances=balances(session, [line.id for line in found.lines]) if may_read else {},
        points=known["point"],
        formulas=known["formule"],
        weeks=WEEKS,
        page=page,
        pages=max(1, ceil(found.total / A_PAGE)),
        longest=LONGEST,
        htmx=is_htmx(),
        nav_current="farm.people",
    )


def wanted_people() -> Wanted:
    """Whom the list is narrowed down to."""
    session = db.session()
    return _wanted({"point": points(session), "formule": formulas(session)})


def _wanted(known: Mapping[str, Any]) -> Wanted:
    """What cannot be meant narrows nothing."""
    ids = {name: {row.id for row in rows} for name, rows in known.items()}
    point, formula, weeks = _number("point"), _number("formule"), _number("sans")
    balance = BALANCES.get(request.args.get("solde", "")) if staff().may(Permission.READ_BILLS) else None
    standing, pro = request.args.get("etat", ""), request.args.get("pro", "")
    return Wanted(
        text=" ".join(request.args.get("q", "").split())[:LONGEST],
        point_id=point if point in ids["point"] else None,
        formula_id=formula if formula in ids["formule"] else None,
        standing=Standing(standing) if standing in set(Standing) else None,
        company=CompanyState(pro) if pro in set(CompanyState) else None,
        weeks_without=weeks if weeks in WEEKS else None,
        among=balance(local_day(clock.now())) if balance else None,
    )


def _number(name: str) -> int | None:
    try:
        found = _read_number(request.args.get(name, ""))
    except ValueError:
        return None
    return int(found)


@blueprint.get("/abonnes/ajout")
@needs(Permission.PEOPLE)
def new_person() -> ResponseReturnValue:
    order = _of_order(request.args)
    return _form_page(PersonForm(invited=True, data=_known_of(order) if order else None), order=order)


@blueprint.post("/abonnes/ajout")
@needs(Permission.PEOPLE)
def add_person() -> ResponseReturnValue:
    form, order = PersonForm(request.form), _of_order(request.form)
    if not form.validate():
        return _form_page(form, 422, order=order)
    session, at, by = db.session(), clock.now(), staff().id
    account = services.add(session, form.person, at=at, by=by)
    if isinstance(account, Refusal):
        return _taken(form, order=order)
    if form.address:
        keep_billing_address(session, account.id, form.address, at=at, by=by)
    if form.invited.data:
        services.invite(session, account, at=at, by=by)
        flash(
            _("%(name)s est sur la liste, et un mail d'invitation part.", name=account.full_name), "success"
        )
    else:
        flash(_("%(name)s est sur la liste.", name=account.full_name), "success")
    if order:
        return redirect(url_for("farm.order", order_id=order.id, _anchor="compte"), 303)
    return redirect(url_for("farm.person", account_id=account.id), 303)


def _of_order(sent: MultiDict[str, str]) -> OrderView | None:
    """The guest's order from which an account is made."""
    order_id = sent.get("commande", type=int)
    return find_order(db.session(), order_id) if order_id and 0 < order_id < 2**31 else None


def _known_of(order: OrderView) -> dict[str, str]:
    first, _space, last = order.name.rpartition(" ")
    names = {"first_name": first, "last_name": last}
    return names | {name: getattr(order, name) for name in ("email", "phone", "street", "postcode", "town")}


@blueprint.get(f"{ADDRESS}/coordonnees")
@needs(Permission.PEOPLE)
def contact(account_id: int) -> ResponseReturnValue:
    account = editable_or_403(account_id)
    address = billing_address(db.session(), account_id)
    return _form_page(PersonForm(obj=account, data=asdict(address) if address else {}), account=account)


@blueprint.post(f"{ADDRESS}/coordonnees")
@needs(Permission.PEOPLE)
def save_contact(account_id: int) -> ResponseReturnValue:
    account = editable_or_403(account_id)
    form = PersonForm(request.form)
    if not form.validate():
        return _form_page(form, 422, account)
    session, at, by = db.session(), clock.now(), staff().id
    changed = services.change(session, account, form.person, at=at, by=by)
    if isinstance(changed, Refusal):
        return _taken(form, account)
    if "email" in changed and account.id == by:
        login_user(account)  # their own: its sessions have ended
    known, address = billing_address(session, account_id), form.address
    if known and address:  # a bill may be to a company, or to somebody else of the house
        address = replace(address, name=known.name)
    moved = keep_billing_address(session, account_id, address, at=at, by=by)
    flash(_("C'est enregistré.") if changed or moved else _("Rien n'a changé."), "success")
    return redirect(url_for("farm.person", account_id=account_id), 303)


def _taken(
    form: PersonForm, account: Account | None = None, order: OrderView | None = None
) -> ResponseReturnValue:
    """Staff may know whose it is."""
    form.email.errors = [str(ADDRESS_TAKEN)]
    return _form_page(form, 422, account, order=order, taken=find_account(db.session(), form.email.data))


def _form_page(
    form: PersonForm, status: int = 200, account: Account | None = None, **context: Any
) -> ResponseReturnValue:
    page = render_template(
        "farm/people/form.html", form=form, account=account, nav_current="farm.people", **context
    )
    return make_response(page, status)


def account_or_404(account_id: int) -> Account:
    return db.session.get(Account, account_id) or abort(404)


def editable_or_403(account_id: int) -> Account:
    account = account_or_404(account_id)
    if not is_editable(account):
        abort(403)
    return account


def is_editable(account: Account) -> bool:
    """Whoever could change a colleague's mail address could sign in as them: that takes the right to give roles.

    Who is erased stays so.
    """
    return account.erased_at is None and (not account.is_staff or staff().may(Permission.ROLES))
