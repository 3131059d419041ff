"""What the readable paper says of somebody's data: its sections, their columns, the words for states."""

from collections.abc import Mapping
from dataclasses import dataclass

from flask_babel import LazyString

from portal.web.i18n import lazy_gettext as _l


@dataclass(frozen=True, slots=True)
class Section:
    title: LazyString
    columns: Mapping[str, LazyString]


SECTIONS: Mapping[str, Section] = {
    "account": Section(
        _l("Votre compte"),
        {
            "id": _l("N° client"),
            "first_name": _l("Prénom"),
            "last_name": _l("Nom"),
            "email": _l("E-mail"),
            "phone": _l("Téléphone"),
            "note": _l("Note de la ferme"),
            "created_at": _l("Créé"),
        },
    ),
    "company": Section(
        _l("Votre entreprise"),
        {"name": _l("Nom"), "siren": _l("SIREN"), "vat_number": _l("N° de TVA"), "state": _l("État")},
    ),
    "address": Section(
        _l("Vos adresses"),
        {"name": _l("Nom"), "street": _l("Rue"), "postcode": _l("Code postal"), "town": _l("Commune")},
    ),
    "consent": Section(
        _l("Ce que vous avez accepté de recevoir"),
        {"wording": _l("Ce que vous avez lu"), "given": _l("Accepté"), "at": _l("Le")},
    ),
    "subscription": Section(
        _l("Vos abonnements"), {"id": _l("N°"), "created_at": _l("Créé"), "last_day": _l("Dernier jour")}
    ),
    "term": Section(
        _l("Leurs réglages"),
        {
            "subscription_id": _l("Abonnement"),
            "monday": _l("Depuis"),
            "formula": _l("Formule"),
            "quantity": _l("Nombre"),
            "rhythm": _l("Rythme"),
            "pickup_point": _l("Point de retrait"),
        },
    ),
    "suspension": Section(
        _l("Vos suspensions"),
        {"first_day": _l("Du"), "last_day": _l("Au"), "ended_at": _l("Terminée avant")},
    ),
    "basket": Section(
        _l("Vos paniers"),
        {
            "delivery": _l("Livraison"),
            "formula": _l("Formule"),
            "quantity": _l("Nombre"),
            "pickup_point": _l("Point de retrait"),
            "unit_price": _l("Prix TTC"),
        },
    ),
    "shop_order": Section(
        _l("Vos commandes"),
        {
            "id": _l("N°"),
            "placed_at": _l("Passée"),
            "delivery": _l("Livraison"),
            "pickup_point": _l("Point de retrait"),
            "state": _l("État"),
        },
    ),
    "order_line": Section(
        _l("Ce qu'elles contiennent"),
        {
            "order_id": _l("Commande"),
            "name": _l("Produit"),
            "unit_price": _l("Prix TTC"),
        },
    ),
    "wish": Section(_l("Vos envies"), {"article": _l("Produit"), "made_at": _l("Depuis")}),
    "voucher": Section(
        _l("Vos bons"),
        {"code": _l("Code"), "amount": _l("Montant"), "first_day": _l("Du"), "last_day": _l("Au")},
    ),
    "waiting": Section(
        _l("Où vous attendez une place"),
        {"pickup_point": _l("Point de retrait"), "formula": _l("Formule"), "asked_at": _l("Depuis")},
    ),
    "invoice": Section(
        _l("Vos factures"),
        {
            "number": _l("N°"),
            "issued_on": _l("Du"),
            "due_on": _l("À payer avant le"),
            "total": _l("Total TTC"),
        },
    ),
    "ledger_entry": Section(
        _l("Ce que vous avez dû et réglé"),
        {"day": _l("Le"), "kind": _l("Quoi"), "amount": _l("Montant"), "means": _l("Moyen")},
    ),
    "mandate": Section(
        _l("Vos mandats de prélèvement"),
        {
            "reference": _l("Référence"),
            "bank": _l("Banque"),
            "last_four": _l("Fin du compte"),
            "signed_at": _l("Signé"),
            "ended_at": _l("Terminé"),
        },
    ),
    "contact_message": Section(
        _l("Vos messages"), {"sent_at": _l("Envoyé"), "text": _l("Message"), "state": _l("État")}
    ),
    "contact_answer": Section(_l("Nos réponses"), {"at": _l("Envoyée"), "text": _l("Réponse")}),
    "termination": Section(
        _l("Vos résiliations"),
        {"notified_at": _l("Notifiée"), "reference": _l("Contrat"), "reason": _l("Raison")},
    ),
    "mail": Section(_l("Nos mails"), {"created_at": _l("Écrit"), "subject": _l("Sujet")}),
    "sign_in_session": Section(
        _l("Où vous vous êtes connecté·e"), {"created_at": _l("Depuis"), "seen_at": _l("Vu")}
    ),
}

VALUES: Mapping[str, LazyString] = {
    "weekly": _l("chaque semaine"),
    "fortnight_a": _l("une semaine sur deux"),
    "fortnight_b": _l("une semaine sur deux"),
    "placed": _l("envoyée"),
    "accepted": _l("acceptée"),
    "refused": _l("refusée"),
    "prepared": _l("prête"),
    "delivered": _l("livrée"),
    "cancelled": _l("annulée"),
    "asked": _l("demandé"),
    "approved": _l("accepté"),
    "new": _l("reçu"),
    "taken": _l("pris en charge"),
    "done": _l("clos"),
    "invoice": _l("facture"),
    "credit_note": _l("avoir"),
    "payment": _l("règlement"),
    "reversal": _l("règlement annulé"),
    "refund": _l("remboursement"),
    "write_off": _l("somme abandonnée"),
    "direct_debit": _l("prélèvement"),
    "transfer": _l("virement"),
    "cheque": _l("chèque"),
    "cash": _l("espèces"),
    "card": _l("carte bancaire"),
}
