"""The shop's papers: PDF files to download and to enclose with a mail."""

from dataclasses import asdict
from functools import lru_cache

from portal.accounts.companies import Identity
from portal.infra import pdf
from portal.infra.outbox import File
from portal.profile.queries import ConditionsView, Farm
from portal.rules.orders import OrderState
from portal.rules.selling import SaleUnit
from portal.shop.views import OrderLineView, OrderView
from portal.web.filters import amount, clock, day_year, money, percent
from portal.web.i18n import gettext as _
from portal.web.i18n import language
from portal.web.i18n import lazy_gettext as _l


def conditions_file(conditions: ConditionsView, farm: Farm) -> File:
    """The conditions of sale, to be enclosed with what is ordered under them (L221-13)."""
    return _conditions_file(conditions, farm, language())


@lru_cache(maxsize=8)
def _conditions_file(conditions: ConditionsView, farm: Farm, spoken: str) -> File:
    """Goes with every order, which holds its locks meanwhile: set once in a language."""
    data = pdf.render(
        "conditions",
        language=spoken,
        farm=asdict(farm),
        title=_("Conditions générales de vente"),
        in_force=_("En vigueur depuis le %(day)s", day=day_year(conditions.day)),
        sections=[{"heading": heading, "text": text} for heading, text in conditions.sections],
    )
    return File(f"conditions-{conditions.day}.pdf", pdf.CONTENT_TYPE, data)


def order_file(order: OrderView, farm: Farm, company: Identity | None) -> File:
    """An order with its prices, as it now stands; it names the company that the account is."""
    data = pdf.render(
        "order",
        language=language(),
        farm=asdict(farm),
        title=_("Commande %(number)s", number=order.number),
        buyer=[
            *(company_lines(company) if company else ()),
            order.name,
            order.street,
            f"{order.postcode} {order.town}".strip(),
            order.phone,
        ],
        facts=_facts(order),
        heads=[_("Produit"), _("Quantité"), _("Prix TTC"), _("Montant TTC")],
        lines=[_cells(line) for line in order.lines],
        sums=_sums(order),
        total=_total(order),
        vat=_vat(order),
        close=_("Ce document n'est pas une facture."),
    )
    return File(f"commande-{order.number}.pdf", pdf.CONTENT_TYPE, data)


def company_lines(company: Identity) -> list[str]:
    """Its name and its number."""
    number = (
        _("TVA %(number)s", number=company.vat_number)
        if company.vat_number
        else _("SIREN %(number)s", number=company.siren)
    )
    return [company.name, number]


STATES = {
    OrderState.PLACED: _l("envoyée, en attente de l'accord de la ferme"),
    OrderState.ACCEPTED: _l("acceptée"),
    OrderState.REFUSED: _l("refusée"),
    OrderState.PREPARED: _l("prête"),
    OrderState.DELIVERED: _l("livrée"),
    OrderState.CANCELLED: _l("annulée"),
}


def _facts(order: OrderView) -> list[tuple[str, str]]:
    point = order.point
    return [
        (_("Commandée"), _("le %(day)s", day=day_year(order.placed_day))),
        (_("État"), str(STATES[order.state])),
        (_("Livraison"), _("le %(day)s", day=day_year(order.delivery.day))),
        (
            _("Retrait"),
            _(
                "%(point)s, %(address)s, %(postcode)s %(town)s, de %(opens)s à %(closes)s",
                point=point.name,
                address=point.address,
                postcode=point.postcode,
                town=point.town,
                opens=clock(point.opens),
                closes=clock(point.closes),
            ),
        ),
        (
            _("Règlement"),
            _paying(order),
        ),
    ]


def _paying(order: OrderView) -> str:
    if not order.live:
        return _("rien à payer")
    return _("sur la facture du mois") if order.account_id else _("au point de retrait")


def _cells(line: OrderLineView) -> tuple[str, str, str, str]:
    weighed = line.sale_unit is SaleUnit.WEIGHT
    price = money(line.unit_price)
    return (
        line.name,
        amount(line.paid, "g") if weighed else str(line.paid),
        _("%(price)s le kilo", price=price) if weighed else price,
        money(line.amount),
    )


def _sums(order: OrderView) -> list[tuple[str, str]]:
    if not order.live or not order.taken_off.cents:
        return []
    name = _("Bon d'achat %(code)s", code=order.voucher) if order.voucher else _("Bon d'achat")
    return [(_("Produits"), money(order.subtotal)), (name, f"−{money(order.taken_off)}")]


def _total(order: OrderView) -> list[tuple[str, str]]:
    if not order.live:
        return []
    estimated = _("Total TTC estimé, avant la pesée")
    return [(estimated if order.estimated else _("Total TTC"), money(order.total))]


def _vat(order: OrderView) -> list[str]:
    return [
        _("dont TVA à %(rate)s : %(vat)s", rate=percent(part.basis_points), vat=money(part.vat))
        for part in order.vat
        if order.live and part.total.cents
    ]
