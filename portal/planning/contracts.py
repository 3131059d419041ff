"""Contracts: the paper of what was agreed, kept until ten years after its end."""

from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from portal.accounts.addresses import billing_address
from portal.accounts.models import Account
from portal.catalogue.models import Formula
from portal.infra import clock, pdf
from portal.infra.orm import View, own_transaction
from portal.infra.outbox import File
from portal.planning.joining import Joining
from portal.planning.models import ContractWithdrawal
from portal.profile.queries import Farm
from portal.rules.calendar import Rhythm
from portal.rules.cutoffs import local_day
from portal.rules.paying import PaymentMeans
from portal.subscriptions.models import Contract, Subscription, Term
from portal.web.filters import clock as hour
from portal.web.filters import day as day_words
from portal.web.filters import day_year, money, weekday_name
from portal.web.i18n import gettext as _
from portal.web.i18n import language
from portal.web.i18n import lazy_gettext as _l

FIRST_NUMBER = 10_000
KEPT = timedelta(days=3653)
"""Ten years after the end (Code de la consommation, L213-1 and D213-2)."""

MEANS = {
    PaymentMeans.DIRECT_DEBIT: _l("prélèvement automatique"),
    PaymentMeans.TRANSFER: _l("virement"),
    PaymentMeans.CHEQUE: _l("chèque"),
    PaymentMeans.CASH: _l("espèces"),
    PaymentMeans.CARD: _l("carte bancaire, à la ferme"),
}


def contract_number(subscription_id: int) -> str:
    """As papers name a subscription's contract."""
    return f"A{FIRST_NUMBER + subscription_id}"


def write(
    session: Session, account: Account, joining: Joining, ids: list[int], farm: Farm, *, at: datetime
) -> File:
    """Keep what was agreed, and answer its paper: one for all that began in the same act."""
    numbers = [contract_number(subscription_id) for subscription_id in ids]
    paper = pdf.render(
        "contract",
        language=language(),
        farm=asdict(farm),
        title=_("Contrat d'abonnement %(numbers)s", numbers=_(" et ").join(numbers)),
        buyer=_buyer(session, account),
        facts=_facts(account, joining, at),
        heads=[_("Contrat"), _("Formule"), _("Prix TTC par livraison")],
        lines=[
            [number, f"{part.wanted.label}\n{part.wanted.formula.description}", money(part.price)]
            for number, part in zip(numbers, joining.parts, strict=True)
        ],
        total=[_("Total TTC par livraison"), money(joining.total)],
        clauses=[
            {"heading": heading, "text": text}
            for heading, text in [*_clauses(joining, farm), _withdrawal_form(numbers, farm)]
        ],
    )
    conditions_id = joining.conditions.id if joining.conditions else None
    session.add_all(
        Contract(subscription_id=subscription_id, conditions_id=conditions_id, made_at=at, paper=paper)
        for subscription_id in ids
    )
    return _file(numbers[0], paper)


def _file(number: str, paper: bytes) -> File:
    return File(f"contrat-{number}.pdf", pdf.CONTENT_TYPE, paper)


def _buyer(session: Session, account: Account) -> list[str]:
    address = billing_address(session, account.id)
    place = [address.street, f"{address.postcode} {address.town}"] if address else []
    name = address.name if address else account.full_name
    return [name, *place, account.phone or "", account.email, account.customer_number]


def _facts(account: Account, joining: Joining, at: datetime) -> list[tuple[str, str]]:
    point, days = joining.wanted.point, [box.delivery.day for box in joining.boxes]
    weekly = joining.wanted.rhythm is Rhythm.WEEKLY
    means = MEANS.get(account.payment_means) if account.payment_means else None
    collected = _(
        "%(name)s, %(address)s, %(postcode)s %(town)s, le %(weekday)s de %(opens)s à %(closes)s",
        **{name: getattr(point, name) for name in ("name", "address", "postcode", "town")},
        weekday=weekday_name(point.weekday),
        opens=hour(point.opens),
        closes=hour(point.closes),
    )
    return [
        (_("Conclu le"), day_year(local_day(at))),
        (_("Rythme"), _("chaque semaine") if weekly else _("une semaine sur deux")),
        (_("Premier panier"), day_year(days[0])),
        *([(_("Puis"), ", ".join(map(day_words, days[1:])))] if days[1:] else []),
        (_("À retirer"), collected),
        (_("Durée"), _("indéterminée, sans engagement minimum")),
        *([(_("Règlement"), str(means))] if means else []),
    ]


def _clauses(joining: Joining, farm: Farm) -> list[tuple[str, str]]:
    clauses = [
        (
            _("Ce qui est livré et payé"),
            _(
                "Le contenu des paniers suit la récolte, à valeur égale. Seuls les paniers livrés sont facturés, "
                "au prix du jour de la livraison ; une hausse est annoncée au moins trente jours avant. "
                "Il n'y a ni frais d'adhésion ni frais de livraison."
            ),
        ),
        (
            _("Changer, suspendre, arrêter"),
            _(
                "Chaque panier peut être sauté, reporté ou suspendu en ligne jusqu'à la clôture de sa livraison. "
                "L'abonnement se résilie à tout moment, sans frais ni motif, par « Résilier votre contrat » "
                "au bas de chaque page du site."
            ),
        ),
        (
            _("Droit de rétractation"),
            _(
                "Vous avez quatorze jours à partir de la conclusion du contrat pour y renoncer, sans motif, par "
                "« Renoncer au contrat ici » au bas de chaque page du site ou par toute déclaration claire. "
                "Les paniers déjà livrés, denrées périssables, restent dus."
            ),
        ),
    ]
    if farm.mediator:
        said = "\n".join(filter(None, (farm.mediator, farm.mediator_site)))
        clauses.append((_("Médiateur de la consommation"), said))
    if joining.conditions:
        day = day_year(joining.conditions.day)
        text = _("Celles du %(day)s s'appliquent ; elles sont jointes au mail de confirmation.", day=day)
        clauses.append((_("Conditions générales de vente"), text))
    return clauses


def _withdrawal_form(numbers: list[str], farm: Farm) -> tuple[str, str]:
    """Without the law's own model the period is twelve months longer (Code de la consommation, R221-1, L221-20)."""
    lines = [
        _("(À compléter et à nous renvoyer seulement si vous souhaitez vous rétracter du contrat.)"),
        _(
            "À l'attention de %(name)s, %(address)s, %(postcode)s %(town)s, %(email)s :",
            name=farm.legal_name or farm.name,
            **{key: getattr(farm, key) for key in ("address", "postcode", "town", "email")},
        ),
        _(
            "Je vous notifie par la présente ma rétractation du contrat d'abonnement %(numbers)s.",
            numbers=_(" et ").join(numbers),
        ),
        _("Conclu le :"),
        _("Nom :"),
        _("Adresse :"),
        _("Date, et signature si ce formulaire est envoyé sur papier :"),
    ]
    return _("Modèle de formulaire de rétractation"), "\n\n".join(lines)


@dataclass(frozen=True, slots=True)
class ContractView:
    """A contract as its list shows it."""

    id: int
    subscription_id: int
    formula: str
    """The one that was agreed; it may have changed since."""
    made_at: datetime
    last_day: date | None
    conditions_id: int | None
    withdrawn_at: datetime | None

    @property
    def number(self) -> str:
        return contract_number(self.subscription_id)

    @property
    def day(self) -> date:
        return local_day(self.made_at)


_AGREED = (
    select(Formula.name)
    .join(Term, Term.formula_id == Formula.id)
    .where(Term.subscription_id == Contract.subscription_id)
    .order_by(Term.monday)
    .limit(1)
    .scalar_subquery()
)
_CONTRACTS = (
    select(
        View(
            ContractView,
            id=Contract.id,
            subscription_id=Contract.subscription_id,
            formula=_AGREED,
            made_at=Contract.made_at,
            last_day=Subscription.last_day,
            conditions_id=Contract.conditions_id,
            withdrawn_at=Contract.withdrawn_at,
        )
    )
    .join(Subscription, Subscription.id == Contract.subscription_id)
    .order_by(Contract.id.desc())
)


def of_account(session: Session, account_id: int) -> list[ContractView]:
    """All contracts of an account, those too that have ended, the newest first."""
    return list(session.scalars(_CONTRACTS.where(Subscription.account_id == account_id)))


def paper(session: Session, account_id: int, contract_id: int) -> File | None:
    """A contract's paper as it was mailed; None where it is not the account's."""
    found = session.execute(
        select(Contract.subscription_id, Contract.paper)
        .join(Subscription, Subscription.id == Contract.subscription_id)
        .where(Contract.id == contract_id, Subscription.account_id == account_id)
    ).one_or_none()
    return _file(contract_number(found.subscription_id), found.paper) if found else None


def forget_old() -> None:
    """Remove what has been kept for as long as the law asks."""
    with own_transaction() as session:
        old = (
            select(Contract.id)
            .join(Subscription)
            .where(Subscription.last_day < local_day(clock.now()) - KEPT)
        )
        ids = session.scalars(old).all()
        session.execute(delete(ContractWithdrawal).where(ContractWithdrawal.contract_id.in_(ids)))
        session.execute(delete(Contract).where(Contract.id.in_(ids)))
