"""Ordering what has been chosen: the summary, who orders, the button that obliges to pay."""

from dataclasses import asdict, replace
from datetime import datetime, timedelta
from typing import Any, cast

from flask import flash, make_response, redirect, render_template, request, url_for
from flask import session as visit
from flask.typing import ResponseReturnValue
from flask_login import current_user
from wtforms import BooleanField, Form

from portal.accounts.addresses import KeptAddress, address_book, offered
from portal.accounts.limits import count_try
from portal.accounts.models import Account
from portal.infra import clock
from portal.infra.orm import db
from portal.infra.throttle import Limit
from portal.public import blueprint
from portal.public.buyers import buyer, other_orders, own_draft, own_keeper
from portal.shop import queries
from portal.shop.carts import fitted
from portal.shop.checkout import Contact, Outcome, Refusal, Summary, place, summary
from portal.shop.drafts import TYPED, new_key
from portal.shop.models import order_number
from portal.shop.tokens import order_token
from portal.web import forms
from portal.web.addresses import doubt
from portal.web.forms import Typed
from portal.web.i18n import gettext as _
from portal.web.i18n import lazy_gettext as _l
from portal.web.limits import client_address

GUEST_ORDERS_OF_CLIENT = Limit("guest orders of a client", 30, timedelta(hours=1))
GUEST_ORDERS_OF_ADDRESS = Limit("guest orders of an address", 12, timedelta(days=1))


class BuyerForm(Form):
    """Who orders; an account's address is known. Age is asked where there is alcohol, and not kept."""

    name = Typed(_l("Prénom et nom"), forms.line(160), name="nom")
    email = Typed(_l("Adresse e-mail"), lambda text: forms.email(text).lower())
    phone = Typed(_l("Téléphone"), forms.phone, name="telephone")
    street = Typed(_l("Adresse"), forms.line(200), name="adresse")
    postcode = Typed(_l("Code postal"), forms.postcode, name="code-postal")
    town = Typed(_l("Ville"), forms.line(80), name="ville")
    of_age = BooleanField(_l("J'ai 18 ans ou plus"), name="majeur")

    def __init__(self, *args: Any, account: Account | None, **options: Any) -> None:
        super().__init__(*args, **options)
        self._account = account
        if account:
            del self.email

    @property
    def contact(self) -> Contact:
        email = self._account.email if self._account else self.email.data
        typed = {**self.data, "email": email}
        del typed["of_age"]
        return Contact(**typed)

    @property
    def given(self) -> dict[str, str]:
        """What can be read of it."""
        return {name: value for name, value in self.data.items() if value and name != "of_age"}

    def doubt(self, sure: str) -> bool:
        """Whether a guest's address looks mistyped; an account's is known."""
        return self._account is None and doubt(self.email, sure)


@blueprint.route("/ma-commande/validation", methods=["GET", "POST"])
def checkout() -> ResponseReturnValue:
    """What is about to be ordered, for whom; the button orders just that."""
    account = _account()
    if request.method == "POST":
        return _adjust(account) if "ajuster" in request.form else _order(account)
    seen = summary(db.session(), own_draft(), buyer(), clock.now())
    if seen.refusal:  # the cart says what is in the way
        return redirect(url_for("public.cart"), 303)
    return _page(seen, BuyerForm(account=account, data=_known(account)))


def _account() -> Account | None:
    """To whom it is billed."""
    return cast(Account, current_user.holder) if current_user.is_authenticated else None


def _known(account: Account | None) -> dict[str, str | None]:
    """What was given before."""
    if account is None:
        return dict(visit.get(TYPED, {}))
    kept = offered(address_book(db.session(), account.id), request.args.get("adresse"))
    known = asdict(kept.address) if kept else {"name": account.full_name}
    return {**known, "phone": account.phone}


def _book() -> list[KeptAddress]:
    """Addresses to choose from."""
    account = _account()
    return address_book(db.session(), account.id) if account else []


def _page(seen: Summary, form: BuyerForm, status: int = 200, **context: Any) -> ResponseReturnValue:
    if seen.guest and request.method == "POST" and form.given:
        visit[TYPED] = form.given
    if status == 422 and seen.cart.alcohol and not form.of_age.data:
        form.of_age.errors = [_("Cochez cette case : l'alcool ne se vend pas aux mineurs.")]
    page = render_template(
        "public/cart/checkout.html",
        summary=seen,
        cart=seen.cart,
        form=form,
        shown=seen.conditions,
        others=other_orders(seen.cart.stop),
        book=_book(),
        **context,
    )
    return make_response(page, status)


def _order(account: Account | None) -> ResponseReturnValue:
    form, person, sent = BuyerForm(request.form, account=account), buyer(), request.form
    if not form.validate() or form.doubt(sent.get("sure", "")):
        return _page(summary(db.session(), own_draft(), person, clock.now()), form, 422)
    contact = form.contact
    if account is None:
        if _too_many(contact.email, now := clock.now()):
            return _page(summary(db.session(), own_draft(), person, now), form, 429, too_many=True)
        person = replace(person, email=contact.email)
    keeper = own_keeper()
    outcome = place(
        db.session(),
        keeper,
        person,
        contact,
        key=sent.get("commande", ""),
        shown=sent.get("vu", ""),
        of_age=form.of_age.data,
    )
    if outcome.refusal:
        return _refused(outcome, form)
    visit.pop(TYPED, None)
    return _placed(outcome)


def _too_many(email: str, now: datetime) -> bool:
    counts = count_try((GUEST_ORDERS_OF_CLIENT, client_address()), (GUEST_ORDERS_OF_ADDRESS, email), now=now)
    return any(count.exceeded for count in counts)


def _placed(outcome: Outcome) -> ResponseReturnValue:
    assert outcome.order_id is not None
    number = order_number(outcome.order_id)
    if outcome.again:
        flash(_("C'était déjà fait : votre commande %(number)s est passée.", number=number), "success")
    else:
        said = _("Merci ! Votre commande %(number)s est passée. Un mail vous la confirme.", number=number)
        flash(said, "success")
    return redirect(_way_to(outcome.order_id), 303)


def _way_to(order_id: int) -> str:
    if current_user.is_authenticated:
        return url_for("member.order", order_id=order_id)
    return url_for("public.guest_order", order_token=order_token(order_id))


def _refused(outcome: Outcome, form: BuyerForm) -> ResponseReturnValue:
    """The page as things stand now, with what was typed."""
    seen, made = outcome.summary, None
    assert seen is not None
    if outcome.refusal is Refusal.ORDERED_OTHERWISE and outcome.order_id:
        made = queries.find(db.session(), outcome.order_id)
        if seen.guest and seen.cart.lines:  # a cookie may be older than its order
            draft = replace(seen.cart.draft, key=new_key())
            own_keeper().save(draft, clock.now())
            seen = replace(seen, cart=replace(seen.cart, draft=draft))
    way = _way_to(made.id) if made else None
    return _page(seen, form, 422, refusal=outcome.refusal, made=made, way=way)


def _adjust(account: Account | None) -> ResponseReturnValue:
    """Order what there is, with the delivery that there is; what was typed stays."""
    session, person, keeper = db.session(), buyer(), own_keeper()
    draft = keeper.hold(clock.now())
    adjusted = fitted(summary(session, draft, person, now := clock.now()).cart)
    if adjusted != draft:
        keeper.save(adjusted, now)
    seen = summary(session, adjusted, person, now)
    if not seen.cart.lines:
        return redirect(url_for("public.cart"), 303)
    return _page(seen, BuyerForm(request.form, account=account))
