"""Every address of the site, who may enter, and the site itself in a state where every address has something to show.

A new route gets its lines in TABLE, one of the farm in FARM, a new permission in MAY; a new part of an address gets
its value in VALUES; a form what it is sent in FORMS.
"""

import re
from base64 import b64encode
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from io import BytesIO
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from itsdangerous import URLSafeSerializer
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from portal.accounts.addresses import AddressView, add_address
from portal.accounts.models import Account, LinkPurpose, MailedLink, Role
from portal.accounts.sessions import hash_token
from portal.billing.models import FileState, InvoiceFile
from portal.billing.payments import pay
from portal.boxes.models import Suspension
from portal.catalogue.models import Formula, Picture, PictureSize, Product
from portal.catalogue.queries import formulas
from portal.compositions.models import CompositionState
from portal.deliveries.models import Delivery
from portal.infra import outbox
from portal.infra.orm import db
from portal.infra.outbox import MailState
from portal.messages.models import ContactFile, ContactMessage, ContactState, Question, Subject
from portal.pickup.models import PickupPoint, PointClosing
from portal.pickup.queries import points
from portal.planning.corrections import Correction, Outcome, correct
from portal.planning.drafts import Choice
from portal.planning.ending import foresee
from portal.planning.joining import preview_joining
from portal.planning.models import CalendarFeed, ContractWithdrawal, JoiningDraft, Termination, Waiting
from portal.planning.previews import TermView
from portal.planning.taps import digest
from portal.rules.accounts import USUAL
from portal.rules.calendar import Rhythm, monday_of
from portal.rules.corrections import Wish
from portal.shop.checkout import summary
from portal.shop.drafts import OfAccount
from portal.shop.vouchers import Person
from portal.subscriptions.models import Contract, Subscription, Term
from tests.billing.banking import CSV, received
from tests.billing.books import invoiced
from tests.billing.debiting import shown as show_debits
from tests.billing.signing import MANDATE, signed
from tests.billing.writing import customer, paid
from tests.client import Browser
from tests.composing import SOMEBODY, delivery_on, put, show
from tests.conftest import SECRET, Farms
from tests.databases import SqliteDatabase
from tests.exchange.making import TABLE_OF_PEOPLE, send_tables
from tests.farm.forms import (
    ARTICLE,
    BILLING,
    CAMPAIGN,
    CLOSING,
    CLOSURE,
    COMPANY_TERMS,
    CONDITIONS,
    FORMULA_FORM,
    FORMULA_PRICE,
    GESTURE,
    NEW_ARTICLE,
    NEW_FORMULA,
    NEW_TOUR,
    NEWS,
    PAYMENT,
    PERSON,
    PILE,
    POINT,
    PRICE,
    PROFILE,
    REFUND,
    SHELF,
    SHOP,
    STEPS,
    SUPPLIER,
    TAX,
    VEGETABLE,
    VOUCHER,
    WRITE_OFF,
)
from tests.messages import campaigning
from tests.photographs import Photograph
from tests.shop.buying import CONTACT
from tests.stall import fill_cart, stock_the_shop, take_orders
from tests.world import CAMILLE, NOW, PASSPHRASE, TUESDAY, YACINE

MAY = """
           desk  growing  logistics  accounts  admin
look       yes   yes      yes        yes       yes
compose    -     yes      -          -         yes
pack       -     yes      yes        -         yes
calendar   yes   -        -          -         yes
rounds     yes   -        yes        -         yes
sell       yes   yes      -          -         yes
vouchers   yes   -        -          yes       yes
read_orders yes  -        yes        yes       yes
orders     yes   -        yes        -         yes
correct    yes   -        yes        -         yes
people     yes   -        -          yes       yes
act_for    yes   -        -          -         yes
prices     -     -        -          yes       yes
read_bills yes   -        -          yes       yes
bill       -     -        -          yes       yes
collect    -     -        -          yes       yes
figures    yes   yes      -          yes       yes
exchange   yes   -        -          -         yes
archive    -     -        -          -         yes
mail       yes   -        -          -         yes
messages   yes   -        -          -         yes
texts      yes   -        -          -         yes
settings   -     -        -          -         yes
journal    -     -        -          -         yes
roles      -     -        -          -         yes
"""
"""What each role of the farm may do, as the farm was told; the program has a table of its own."""

TABLE = """
                                                                            anonymous  subscriber  staff
GET   /                                                                     200        303         303
GET   /formules                                                             200        200         200
GET   /points-de-retrait                                                    200        200         200
GET   /points-de-retrait/carte/<digest>.js                                  200        200         200
GET   /boutique                                                             200        200         200
GET   /boutique/<article_slug>                                              200        200         200
GET   /photos/<digest>-<id:width>.webp                                      200        200         200
GET   /ma-commande                                                          200        200         200
POST  /ma-commande/produits                                                 303        303         303
GET   /ma-commande/retrait                                                  200        200         200
POST  /ma-commande/retrait                                                  303        303         303
POST  /ma-commande/bon                                                      303        303         303
GET   /ma-commande/validation                                               303        200         303
POST  /ma-commande/validation                                               422        303         422
GET   /abonnement/nouveau                                                   200        200         200
POST  /abonnement/nouveau                                                   303        303         303
GET   /abonnement/nouveau/point-de-retrait                                  303        200         303
POST  /abonnement/nouveau/point-de-retrait                                  303        303         303
GET   /abonnement/nouveau/livraisons                                        303        200         303
POST  /abonnement/nouveau/livraisons                                        303        303         303
GET   /abonnement/nouveau/compte                                            303        303         303
GET   /abonnement/nouveau/recapitulatif                                     303        200         303
POST  /abonnement/nouveau/recapitulatif                                     303        303         303
GET   /conditions                                                           200        200         200
GET   /conditions/<id:conditions_id>                                        200        200         200
GET   /calendrier/<token>.ics                                               200        200         200
GET   /contact                                                              200        200         200
POST  /contact                                                              303        303         303
GET   /questions                                                            200        200         200
GET   /mentions-legales                                                     200        200         200
GET   /confidentialite                                                      200        200         200
GET   /accessibilite                                                        200        200         200
GET   /robots.txt                                                           200        200         200
GET   /sante                                                                200        200         200
GET   /static/<path:name>                                                   200        200         200
GET   /retractation                                                         200        200         200
POST  /retractation                                                         303        303         303
GET   /retractation/<contract_token>                                        200        200         200
POST  /retractation/<contract_token>                                        303        303         303
GET   /resilier                                                             200        200         200
POST  /resilier                                                             200        200         200
POST  /resilier/notification                                                303        303         303
GET   /resilier/recu/<termination_token>                                    200        200         200
POST  /resilier/recu/<termination_token>/raison                             303        303         303
GET   /lien/resiliation/<termination_token>                                 200        200         200
POST  /lien/resiliation/<termination_token>                                 303        303         303
GET   /lien/panier/<tap_token>                                              200        200         200
POST  /lien/panier/<tap_token>                                              303        303         303
GET   /lien/lettres/<letters_token>                                         200        200         200
POST  /lien/lettres/<letters_token>                                         303        303         303
GET   /lien/commande/<order_token>                                          200        200         200
POST  /lien/commande/<order_token>/annulation                               303        303         303
GET   /lien/commande/<order_token>/modification                             200        200         200
POST  /lien/commande/<order_token>/modification                             303        303         303
POST  /lien/commande/<order_token>/reprise                                  303        303         303
GET   /lien/commande/<order_token>/retractation                             200        200         200
POST  /lien/commande/<order_token>/retractation                             303        303         303
GET   /lien/commande/<order_token>/impression                               200        200         200
GET   /lien/commande/<order_token>/commande.pdf                             200        200         200
GET   /lien/commande/<order_token>/factures/<invoice_number>                404        404         404
GET   /lien/commande/<order_token>/factures/<invoice_number>.pdf            404        404         404

GET   /connexion                                                            200        303         303
POST  /connexion                                                            303        303         303
POST  /connexion/cle/question                                               200        200         200
POST  /connexion/cle                                                        303        303         303
POST  /connexion/avec/<provider_name>                                       404        404         404
GET   /connexion/avec/<provider_name>/retour                                404        404         404
POST  /connexion/avec/<provider_name>/retour                                404        404         404
GET   /connexion/deux-etapes                                                303        303         303
POST  /connexion/deux-etapes                                                303        303         303
POST  /deconnexion                                                          303        303         303
GET   /connexion/code                                                       200        303         303
POST  /connexion/code                                                       303        303         303
GET   /connexion/code/saisie                                                303        303         303
POST  /connexion/code/saisie                                                303        303         303
POST  /connexion/code/renvoi                                                303        303         303
GET   /inscription                                                          200        303         303
POST  /inscription                                                          303        303         303
GET   /inscription/nom                                                      303        303         303
POST  /inscription/nom                                                      303        303         303
GET   /adresse-oubliee                                                      200        200         200
POST  /adresse-oubliee                                                      303        303         303
GET   /adresse-oubliee/envoye                                               200        200         200
GET   /mot-de-passe-oublie                                                  200        200         200
POST  /mot-de-passe-oublie                                                  303        303         303
GET   /mot-de-passe-oublie/envoye                                           200        200         200
GET   /lien/<token>                                                         200        200         200
POST  /lien/<token>                                                         303        303         303

GET   /espace                                                               sign-in    200         200
GET   /planning                                                             sign-in    200         200
GET   /planning/<date:week>                                                 sign-in    200         200
POST  /planning/<date:week>/report                                          sign-in    303         404
POST  /planning/<date:week>/report/annulation                               sign-in    303         404
POST  /planning/<date:week>/point                                           sign-in    303         404
POST  /planning/<date:week>/point/annulation                                sign-in    303         404
POST  /planning/<date:week>/panier                                          sign-in    303         404
POST  /planning/<date:week>/panier/annulation                               sign-in    303         404
GET   /planning/calendrier                                                  sign-in    200         200
POST  /planning/calendrier                                                  sign-in    303         303
POST  /planning/calendrier/suppression                                      sign-in    303         303
GET   /planning/suspension                                                  sign-in    200         200
POST  /planning/suspension                                                  sign-in    303         404
POST  /planning/suspension/fin                                              sign-in    303         404
POST  /planning/<date:week>/saut                                            sign-in    303         404
POST  /planning/<date:week>/reprise                                         sign-in    303         404
GET   /commandes                                                            sign-in    200         200
GET   /factures                                                             sign-in    200         200
GET   /factures/<invoice_number>                                            sign-in    200         404
GET   /factures/<invoice_number>.pdf                                        sign-in    200         404
GET   /factures/<invoice_number>.xml                                        sign-in    404         404
GET   /factures/<int:year>.zip                                              sign-in    200         404
GET   /paiements                                                            sign-in    200         200
POST  /paiements/prelevement                                                sign-in    303         303
GET   /commandes/rattachement                                               sign-in    303         303
POST  /commandes/rattachement                                               sign-in    422         422
POST  /commandes/rattachement/code                                          sign-in    303         303
GET   /commandes/<id:order_id>                                              sign-in    200         404
POST  /commandes/<id:order_id>/annulation                                   sign-in    303         404
GET   /commandes/<id:order_id>/modification                                 sign-in    200         404
POST  /commandes/<id:order_id>/modification                                 sign-in    303         404
POST  /commandes/<id:order_id>/facture                                      sign-in    422         404
POST  /commandes/<id:order_id>/reprise                                      sign-in    303         404
GET   /commandes/<id:order_id>/retractation                                 sign-in    200         404
POST  /commandes/<id:order_id>/retractation                                 sign-in    303         404
GET   /commandes/<id:order_id>/impression                                   sign-in    200         404
GET   /commandes/<id:order_id>.pdf                                          sign-in    200         404
GET   /points-de-retrait/<slug>/choisir                                     sign-in    200         200
GET   /envies                                                               sign-in    200         200
POST  /envies/<id:article_id>                                               sign-in    303         303
POST  /envies/commande                                                      sign-in    303         303
GET   /abonnements                                                          sign-in    200         200
GET   /abonnements/<id:subscription_id>/modifier                            sign-in    200         404
POST  /abonnements/<id:subscription_id>/modifier                            sign-in    303         404
POST  /abonnements/<id:subscription_id>/annulation                          sign-in    303         404
POST  /abonnements/<id:subscription_id>/reprise                             sign-in    404         404
GET   /liste-d-attente/<slug>                                               sign-in    200         200
POST  /liste-d-attente/<slug>                                               sign-in    303         303
POST  /liste-d-attente/<slug>/depart                                        sign-in    303         303
GET   /mon-compte/contrats                                                  sign-in    200         200
GET   /mon-compte/contrats/<id:contract_id>                                 sign-in    200         404
GET   /livraisons/<date:day>/<tour>                                         sign-in    200         200
POST  /livraisons/<date:day>/<tour>/<id:point_id>/remise                    sign-in    422         404
POST  /livraisons/<date:day>/<tour>/<id:point_id>/remise/annulation         sign-in    303         404
GET   /mon-compte                                                           sign-in    200         200
GET   /mon-compte/preuve                                                    sign-in    303         303
POST  /mon-compte/preuve                                                    sign-in    303         303
POST  /mon-compte/preuve/code                                               sign-in    303         303
GET   /mon-compte/securite                                                  sign-in    200         200
POST  /mon-compte/preuve/cle                                                sign-in    303         303
POST  /mon-compte/securite/cles/question                                    sign-in    200         200
GET   /mon-compte/securite/cles/ajout                                       sign-in    200         200
POST  /mon-compte/securite/cles/ajout                                       sign-in    422         422
POST  /mon-compte/securite/comptes/<provider_name>/suppression              sign-in    303         303
POST  /mon-compte/securite/cles/<id:passkey_id>/suppression                 sign-in    404         404
GET   /mon-compte/securite/entrees                                          sign-in    200         200
POST  /mon-compte/securite/entrees                                          sign-in    303         303
GET   /mon-compte/securite/deux-etapes                                      sign-in    200         200
POST  /mon-compte/securite/deux-etapes                                      sign-in    303         303
POST  /mon-compte/securite/deux-etapes/confirmation                         sign-in    422         422
POST  /mon-compte/securite/deux-etapes/codes                                sign-in    303         303
POST  /mon-compte/securite/deux-etapes/suppression                          sign-in    303         303
GET   /mon-compte/mot-de-passe                                              sign-in    200         200
GET   /mon-compte/informations                                              sign-in    200         200
POST  /mon-compte/informations                                              sign-in    303         303
GET   /mon-compte/adresse-mail                                              sign-in    200         200
POST  /mon-compte/adresse-mail                                              sign-in    303         303
POST  /mon-compte/adresse-mail/abandon                                      sign-in    303         303
GET   /mon-compte/adresses                                                  sign-in    200         200
GET   /mon-compte/adresses/ajout                                            sign-in    200         200
POST  /mon-compte/adresses/ajout                                            sign-in    303         303
GET   /mon-compte/adresses/<id:address_id>                                  sign-in    200         404
POST  /mon-compte/adresses/<id:address_id>                                  sign-in    303         404
POST  /mon-compte/adresses/<id:address_id>/archivage                        sign-in    303         404
GET   /mon-compte/coordonnees-bancaires                                     sign-in    200         200
GET   /mon-compte/coordonnees-bancaires/mandat                              sign-in    200         200
POST  /mon-compte/coordonnees-bancaires/mandat                              sign-in    303         303
GET   /mon-compte/coordonnees-bancaires/mandats/<id:mandate_id>             sign-in    200         404
POST  /mon-compte/coordonnees-bancaires/reglement                           sign-in    303         303
GET   /mon-compte/entreprise                                                sign-in    200         200
POST  /mon-compte/entreprise                                                sign-in    303         303
POST  /mon-compte/entreprise/reference                                      sign-in    303         303
POST  /mon-compte/entreprise/fin                                            sign-in    303         303
GET   /mon-compte/foyer                                                     sign-in    200         200
POST  /mon-compte/foyer                                                     sign-in    303         303
POST  /mon-compte/foyer/invitations/<id:link_id>/annulation                 sign-in    303         303
POST  /mon-compte/foyer/<id:account_id>/depart                              sign-in    303         404
POST  /mon-compte/mot-de-passe                                              sign-in    303         303
GET   /mon-compte/donnees                                                     sign-in    200         200
GET   /mon-compte/donnees/mes-donnees.zip                                     sign-in    200         200
GET   /mon-compte/fermeture                                                   sign-in    200         200
POST  /mon-compte/fermeture                                                   sign-in    422         303
GET   /mon-compte/fusion                                                      sign-in    200         200
POST  /mon-compte/fusion                                                      sign-in    303         303
GET   /mon-compte/fusion/code                                                 sign-in    303         303
POST  /mon-compte/fusion/code                                                 sign-in    303         303
GET   /mon-compte/fusion/confirmation                                         sign-in    303         303
POST  /mon-compte/fusion/confirmation                                         sign-in    303         303
GET   /mon-compte/lettres                                                   sign-in    200         200
POST  /mon-compte/lettres                                                   sign-in    303         303
POST  /mon-compte/appareils/deconnexion                                     sign-in    303         303
POST  /mon-compte/appareils/<id:session_id>/deconnexion                     sign-in    303         303
"""
FARM = """
GET   /ferme                                                                           look
GET   /ferme/livraisons                                                                look
GET   /ferme/livraisons/feries                                                         look
POST  /ferme/livraisons/feries                                                         calendar
GET   /ferme/livraisons/fermeture                                                      calendar
POST  /ferme/livraisons/fermeture                                                      calendar
POST  /ferme/livraisons/retablissement                                                 calendar
GET   /ferme/livraisons/saison                                                         look
GET   /ferme/livraisons/<date:day>/<tour>                                              look
GET   /ferme/livraisons/<date:day>/<tour>/annulation                                   calendar
POST  /ferme/livraisons/<date:day>/<tour>/annulation                                   calendar
GET   /ferme/livraisons/<date:day>/<tour>/deplacement                                  calendar
POST  /ferme/livraisons/<date:day>/<tour>/deplacement                                  calendar
GET   /ferme/livraisons/<date:day>/<tour>/retablissement                               calendar
POST  /ferme/livraisons/<date:day>/<tour>/retablissement                               calendar
GET   /ferme/livraisons/<date:day>/<tour>/changements                                  correct
POST  /ferme/livraisons/<date:day>/<tour>/changements/<kind>/<id:subscription_id>/<date:week>  correct
GET   /ferme/livraisons/<date:day>/<tour>/preparation                                  pack
POST  /ferme/livraisons/<date:day>/<tour>/preparation                                  pack
GET   /ferme/livraisons/<date:day>/<tour>/preparation/coches                           pack
POST  /ferme/livraisons/<date:day>/<tour>/etapes/<step>                                pack
GET   /ferme/livraisons/<date:day>/<tour>/corrections                                  correct
GET   /ferme/livraisons/<date:day>/<tour>/corrections/<id:subscription_id>             correct
POST  /ferme/livraisons/<date:day>/<tour>/corrections/<id:subscription_id>             correct
POST  /ferme/livraisons/<date:day>/<tour>/corrections/<of>/<id:correction_id>/annulation  correct
GET   /ferme/commandes/<id:order_id>/correction                                        correct
POST  /ferme/commandes/<id:order_id>/correction                                        correct   422
GET   /ferme/livraisons/<date:day>/<tour>/<paper:paper>                                look
GET   /ferme/livraisons/<date:day>/<tour>/<paper:paper>.pdf                            look
POST  /ferme/livraisons/<date:day>/<tour>/<paper:paper>/impression                     pack
GET   /ferme/livraisons/<date:day>/<tour>/nouveautes                                   look
GET   /ferme/livraisons/<date:day>/<tour>/nouveautes.pdf                               look
GET   /ferme/paniers/<date:day>/<tour>                                                 compose
POST  /ferme/paniers/<date:day>/<tour>                                                 compose
POST  /ferme/paniers/<date:day>/<tour>/<id:formula_id>/<id:product_id>                 compose
GET   /ferme/paniers/<date:day>/<tour>/semaines/<id:formula_id>                        compose
GET   /ferme/paniers/<date:day>/<tour>/manque/<id:product_id>                          compose|pack
POST  /ferme/paniers/<date:day>/<tour>/manque/<id:product_id>                          compose|pack
POST  /ferme/paniers/<date:day>/<tour>/points                                          compose
POST  /ferme/paniers/<date:day>/<tour>/points/<id:exclusion_id>/suppression            compose
POST  /ferme/paniers/<date:day>/<tour>/copie                                           compose
POST  /ferme/paniers/<date:day>/<tour>/etat                                            compose
GET   /ferme/formules                                                                  sell|prices
GET   /ferme/formules/ajout                                                            sell
POST  /ferme/formules/ajout                                                            sell
GET   /ferme/formules/<id:formula_id>                                                  sell|prices
POST  /ferme/formules/<id:formula_id>                                                  sell
POST  /ferme/formules/<id:formula_id>/place                                            sell
POST  /ferme/formules/<id:formula_id>/retrait                                          sell
POST  /ferme/formules/<id:formula_id>/retour                                           sell
POST  /ferme/formules/<id:formula_id>/prix                                             prices
POST  /ferme/formules/<id:formula_id>/prix/<date:since>/suppression                    prices
GET   /ferme/legumes                                                                   compose
GET   /ferme/legumes/ajout                                                             compose
POST  /ferme/legumes/ajout                                                             compose
GET   /ferme/legumes/<id:product_id>                                                   compose
POST  /ferme/legumes/<id:product_id>                                                   compose
POST  /ferme/legumes/<id:product_id>/retrait                                           compose
POST  /ferme/legumes/<id:product_id>/retour                                            compose
GET   /ferme/commandes                                                                 read_orders
GET   /ferme/commandes/<date:day>/<tour>                                               read_orders
POST  /ferme/commandes/<date:day>/<tour>/acceptation                                   orders
POST  /ferme/commandes/<date:day>/<tour>/preparation                                   orders
GET   /ferme/commandes/<date:day>/<tour>/pesee                                         orders
POST  /ferme/commandes/<date:day>/<tour>/pesee                                         orders
POST  /ferme/commandes/<date:day>/<tour>/pesee/<id:line_id>                            orders
GET   /ferme/commandes/<date:day>/<tour>/manque/<id:article_id>                        orders
POST  /ferme/commandes/<date:day>/<tour>/manque/<id:article_id>                        orders
GET   /ferme/commandes/<date:day>/<tour>/produits                                      look
GET   /ferme/commandes/<date:day>/<tour>/bordereaux                                    look
GET   /ferme/commandes/<date:day>/<tour>/points                                        look
GET   /ferme/commandes/<date:day>/<tour>/fournisseurs                                  look
GET   /ferme/commandes/<date:day>/<tour>/fournisseurs.txt                              look
GET   /ferme/commandes/<id:order_id>                                                   read_orders
POST  /ferme/commandes/<id:order_id>/acceptation                                       orders
POST  /ferme/commandes/<id:order_id>/refus                                             orders
POST  /ferme/commandes/<id:order_id>/annulation                                        orders
POST  /ferme/commandes/<id:order_id>/compte                                            people
POST  /ferme/commandes/<id:order_id>/preparation                                       orders
POST  /ferme/commandes/<id:order_id>/retractations/<id:withdrawal_id>                  orders
GET   /ferme/contact                                                                   messages
GET   /ferme/contact/<id:message_id>                                                   messages
POST  /ferme/contact/<id:message_id>/etat                                              messages
POST  /ferme/contact/<id:message_id>/reponse                                           messages
GET   /ferme/contact/<id:message_id>/pieces/<id:file_id>                               messages
GET   /ferme/questions                                                                 texts
POST  /ferme/questions                                                                 texts
GET   /ferme/questions/ajout                                                           texts
POST  /ferme/questions/ajout                                                           texts
GET   /ferme/questions/<id:question_id>                                                texts
POST  /ferme/questions/<id:question_id>                                                texts
POST  /ferme/questions/<id:question_id>/place                                          texts
POST  /ferme/questions/<id:question_id>/suppression                                    texts
GET   /ferme/messages                                                                  messages
GET   /ferme/messages/ajout                                                            messages
POST  /ferme/messages/ajout                                                            messages
GET   /ferme/messages/<id:campaign_id>                                                 messages
GET   /ferme/messages/<id:campaign_id>/modification                                    messages
POST  /ferme/messages/<id:campaign_id>/modification                                    messages
GET   /ferme/messages/<id:campaign_id>/apercu                                          messages
POST  /ferme/messages/<id:campaign_id>/essai                                           messages
POST  /ferme/messages/<id:campaign_id>/envoi                                           messages
POST  /ferme/messages/<id:campaign_id>/arret                                           messages
POST  /ferme/messages/<id:campaign_id>/suppression                                     messages
GET   /ferme/courrier                                                                  mail
GET   /ferme/courrier/avant/<id:before>                                                mail
GET   /ferme/courrier/<id:mail_id>                                                     mail
GET   /ferme/courrier/<id:mail_id>/apercu                                              mail
POST  /ferme/courrier/<id:mail_id>/envoi                                               mail
POST  /ferme/courrier/envoi                                                            mail
GET   /ferme/journal                                                                   journal
GET   /ferme/equipe                                                                    roles
GET   /ferme/equipe/ajout                                                              roles
POST  /ferme/equipe/ajout                                                              roles
GET   /ferme/equipe/<id:colleague_id>                                                  roles
POST  /ferme/equipe/<id:colleague_id>                                                  roles
POST  /ferme/equipe/<id:colleague_id>/depart                                           roles
GET   /ferme/sommaire                                                                  look
GET   /ferme/tournees                                                                  rounds
GET   /ferme/tournees/ajout                                                            rounds
POST  /ferme/tournees/ajout                                                            rounds
POST  /ferme/tournees/livraisons                                                       rounds
GET   /ferme/tournees/<id:tour_id>                                                     rounds
POST  /ferme/tournees/<id:tour_id>                                                     rounds
POST  /ferme/tournees/<id:tour_id>/arret                                               rounds      422
POST  /ferme/tournees/<id:tour_id>/reprise                                             rounds
GET   /ferme/points-de-retrait                                                         rounds
GET   /ferme/points-de-retrait/ajout                                                   rounds
POST  /ferme/points-de-retrait/ajout                                                   rounds
GET   /ferme/points-de-retrait/<id:point_id>                                           rounds
POST  /ferme/points-de-retrait/<id:point_id>                                           rounds
POST  /ferme/points-de-retrait/<id:point_id>/place                                     rounds
POST  /ferme/points-de-retrait/<id:point_id>/fermeture                                 rounds
GET   /ferme/points-de-retrait/<id:point_id>/fermetures                                rounds
POST  /ferme/points-de-retrait/<id:point_id>/fermetures                                rounds
GET   /ferme/points-de-retrait/<id:point_id>/attente                                   people
POST  /ferme/points-de-retrait/<id:point_id>/attente/<id:account_id>                   people
POST  /ferme/points-de-retrait/<id:point_id>/fermetures/<id:closing_id>/fin            rounds
POST  /ferme/points-de-retrait/<id:point_id>/reouverture                               rounds
POST  /ferme/points-de-retrait/export                                                  rounds      200
GET   /ferme/produits                                                                  sell
GET   /ferme/produits/ajout                                                            sell
POST  /ferme/produits/ajout                                                            sell
GET   /ferme/produits/<id:article_id>                                                  sell
POST  /ferme/produits/<id:article_id>                                                  sell
POST  /ferme/produits/<id:article_id>/photo                                            sell
POST  /ferme/produits/<id:article_id>/photo/suppression                                sell
POST  /ferme/produits/<id:article_id>/prix                                             sell
POST  /ferme/produits/<id:article_id>/prix/<date:since>/suppression                    sell
POST  /ferme/produits/<id:article_id>/stock                                            sell
POST  /ferme/produits/<id:article_id>/retrait                                          sell
POST  /ferme/produits/<id:article_id>/retour                                           sell
POST  /ferme/produits/export                                                           sell        200
GET   /ferme/produits/rayons                                                           sell
GET   /ferme/produits/rayons/ajout                                                     sell
POST  /ferme/produits/rayons/ajout                                                     sell
GET   /ferme/produits/rayons/<id:category_id>                                          sell
POST  /ferme/produits/rayons/<id:category_id>                                          sell
POST  /ferme/produits/rayons/<id:category_id>/place                                    sell
GET   /ferme/produits/fournisseurs                                                     sell
GET   /ferme/produits/fournisseurs/ajout                                               sell
POST  /ferme/produits/fournisseurs/ajout                                               sell
GET   /ferme/produits/fournisseurs/<id:supplier_id>                                    sell
POST  /ferme/produits/fournisseurs/<id:supplier_id>                                    sell
GET   /ferme/abonnes                                                                   people
GET   /ferme/abonnes/ajout                                                             people
POST  /ferme/abonnes/ajout                                                             people
GET   /ferme/abonnes/<id:account_id>                                                   people
GET   /ferme/abonnes/<id:account_id>/coordonnees                                       people
POST  /ferme/abonnes/<id:account_id>/coordonnees                                       people
POST  /ferme/abonnes/<id:account_id>/note                                              people
POST  /ferme/abonnes/<id:account_id>/invitation                                        people
POST  /ferme/abonnes/<id:account_id>/fermeture                                         people
POST  /ferme/abonnes/<id:account_id>/entreprise/accord                                     people
POST  /ferme/abonnes/<id:account_id>/entreprise/refus                                      people
POST  /ferme/abonnes/<id:account_id>/reouverture                                       people
GET   /ferme/abonnes/<id:account_id>/abonnements/ajout                                 people
POST  /ferme/abonnes/<id:account_id>/abonnements/ajout                                 people
GET   /ferme/abonnes/<id:account_id>/abonnements/<id:subscription_id>/fin              people
POST  /ferme/abonnes/<id:account_id>/abonnements/<id:subscription_id>/fin              people
POST  /ferme/abonnes/<id:account_id>/abonnements/<id:subscription_id>/suite            people
POST  /ferme/abonnes/<id:account_id>/voir-comme                                        act_for
GET   /ferme/resiliations                                                              people
POST  /ferme/resiliations/<id:termination_id>                                          people
POST  /ferme/resiliations/renonciations/<id:withdrawal_id>                             people
POST  /ferme/resiliations/export                                                       people      200
POST  /ferme/voir-comme/fin                                                            look
GET   /ferme/banque                                                                    bill
POST  /ferme/banque                                                                    bill
POST  /ferme/banque/colonnes                                                           bill
POST  /ferme/banque/certaines                                                          bill
GET   /ferme/banque/<id:line_id>                                                       bill
POST  /ferme/banque/<id:line_id>                                                       bill
POST  /ferme/banque/<id:line_id>/mise-de-cote                                          bill
POST  /ferme/banque/<id:line_id>/retour                                                bill
GET   /ferme/prelevements                                                              read_bills
GET   /ferme/prelevements/<date:day>                                                   read_bills
POST  /ferme/prelevements/<date:day>/fichier                                           collect
POST  /ferme/prelevements/<date:day>/report                                            collect     422
POST  /ferme/prelevements/fichiers/<id:batch_id>/telechargement                        collect     200
POST  /ferme/prelevements/fichiers/<id:batch_id>/depot                                 collect
POST  /ferme/prelevements/fichiers/<id:batch_id>/reprise                               collect
GET   /ferme/prelevements/<id:debit_id>                                                read_bills
POST  /ferme/prelevements/<id:debit_id>/retour                                         collect
POST  /ferme/prelevements/<id:debit_id>/retour/annulation                              collect
GET   /ferme/impayes                                                                   read_bills
GET   /ferme/impayes/relances                                                          bill
POST  /ferme/impayes/relances                                                          bill        422
GET   /ferme/impayes/relances/apercu                                                   bill        404
GET   /ferme/reglages/relances                                                         bill
POST  /ferme/reglages/relances                                                         bill
GET   /ferme/bons                                                                      vouchers
GET   /ferme/bons/ajout                                                                vouchers
POST  /ferme/bons/ajout                                                                vouchers
POST  /ferme/bons/<id:voucher_id>/retrait                                              vouchers
POST  /ferme/bons/<id:voucher_id>/retour                                               vouchers
POST  /ferme/bons/export                                                               vouchers    200
POST  /ferme/formules/export                                                           look        200
POST  /ferme/livraisons/export                                                         look        200
POST  /ferme/livraisons/<date:day>/<tour>/liste/export                                 look        200
POST  /ferme/commandes/export                                                          read_orders 200
POST  /ferme/commandes/<date:day>/<tour>/export                                        read_orders 200
POST  /ferme/courrier/export                                                           mail        200
POST  /ferme/abonnes/export                                                            exchange    200
POST  /ferme/abonnes/abonnements/export                                                exchange    200
POST  /ferme/legumes/export                                                            compose     200
POST  /ferme/livraisons/<date:day>/<tour>/recolte/export                               look        200
POST  /ferme/journal/export                                                            journal     200
GET   /ferme/imports                                                                   exchange
POST  /ferme/imports                                                                   exchange
GET   /ferme/imports/modeles/<subject>.<ending>                                        exchange
GET   /ferme/imports/<id:import_id>                                                    exchange
POST  /ferme/imports/<id:import_id>/colonnes                                           exchange
POST  /ferme/imports/<id:import_id>/ecriture                                           exchange
POST  /ferme/imports/<id:import_id>/abandon                                            exchange
POST  /ferme/imports/archives                                                          archive
POST  /ferme/imports/archives/<id:archive_id>                                          archive     200
GET   /ferme/factures                                                                  read_bills
POST  /ferme/factures/pdf/reprise                                                      bill
GET   /ferme/factures/<month:month>                                                    read_bills
GET   /ferme/factures/<month:month>/apercu                                             bill
POST  /ferme/factures/<month:month>/facturation                                        bill
POST  /ferme/factures/<month:month>/arret                                              bill
GET   /ferme/factures/<invoice_number>                                                 read_bills
GET   /ferme/factures/<invoice_number>.pdf                                             read_bills
GET   /ferme/factures/<invoice_number>.xml                                                 read_bills  404
GET   /ferme/factures/<invoice_number>/avoir                                           bill
POST  /ferme/factures/<invoice_number>/avoir                                           bill
GET   /ferme/factures/<invoice_number>/geste                                           bill
POST  /ferme/factures/<invoice_number>/geste                                           bill
GET   /ferme/abonnes/<id:account_id>/facturation                                       bill
POST  /ferme/abonnes/<id:account_id>/facturation                                       bill
POST  /ferme/abonnes/<id:account_id>/entreprise/reglement                              bill        404
GET   /ferme/reglements                                                                read_bills
GET   /ferme/reglements/ajout                                                          read_bills
POST  /ferme/reglements/ajout                                                          read_bills
GET   /ferme/reglements/pile                                                           read_bills
POST  /ferme/reglements/pile                                                           read_bills
GET   /ferme/reglements/<id:entry_number>                                              read_bills
POST  /ferme/reglements/<id:entry_number>/annulation                                   bill
GET   /ferme/reglements/compte/<payer>                                                 read_bills
POST  /ferme/reglements/compte/<payer>/remboursement                                   bill
POST  /ferme/reglements/compte/<payer>/abandon                                         bill
POST  /ferme/reglements/compte/<payer>/prelevement                                         collect
GET   /ferme/reglements/journal                                                        read_bills
POST  /ferme/reglements/journal/cloture                                                bill
POST  /ferme/reglements/journal/export                                                 bill        200
GET   /ferme/factures/comptabilite                                                     bill
GET   /ferme/factures/comptabilite/comptes                                             bill
POST  /ferme/factures/comptabilite/comptes                                             bill
POST  /ferme/factures/comptabilite/fec                                                 bill        422
POST  /ferme/factures/comptabilite/factures/export                                     bill        200
POST  /ferme/factures/comptabilite/jours/export                                        bill        200
GET   /ferme/chiffres                                                                  figures
POST  /ferme/chiffres/<figure>/export                                                  figures     200
GET   /ferme/reglages                                                                  settings
POST  /ferme/reglages                                                                  settings
GET   /ferme/reglages/nouvelles                                                        texts
GET   /ferme/reglages/nouvelles/ajout                                                  texts
POST  /ferme/reglages/nouvelles/ajout                                                  texts
GET   /ferme/reglages/nouvelles/<id:news_id>                                           texts
POST  /ferme/reglages/nouvelles/<id:news_id>                                           texts
POST  /ferme/reglages/nouvelles/<id:news_id>/suppression                               texts
GET   /ferme/reglages/boutique                                                         settings
POST  /ferme/reglages/boutique                                                         settings
GET   /ferme/reglages/facturation                                                      settings
POST  /ferme/reglages/facturation                                                      settings
POST  /ferme/reglages/facturation/tva                                                  settings
GET   /ferme/reglages/pages                                                            settings
GET   /ferme/reglages/pages/<page>                                                     settings
POST  /ferme/reglages/pages/<page>                                                     settings
GET   /ferme/reglages/conditions                                                       settings
GET   /ferme/reglages/conditions/ajout                                                 settings
POST  /ferme/reglages/conditions/ajout                                                 settings
GET   /ferme/reglages/conditions/<id:conditions_id>                                    settings
"""
"""What a route asks for (`compose|pack`: either), and its answer to those who may, if not 200 or, to a POST, 303."""
IN_DEVELOPMENT = {("GET", "/ferme/composants")}

WEEK = TUESDAY - timedelta(days=TUESDAY.weekday())
EARLIER = TUESDAY - timedelta(weeks=1)
LATER = WEEK + timedelta(weeks=3)
"""From when Camille has asked for two boxes."""
POSTAL_ADDRESS = {"name": "Camille Aubert", "street": "9 rue Basse", "postcode": "05300", "town": "Laragne"}
TOKEN = "a-link-as-long-as-those-that-are-mailed-out"
FORMULA, PRODUCT = 2, 1
"""The large box and its carrots; `prepare` looks."""

_ending = URLSafeSerializer(SECRET, salt="termination")
TAP = URLSafeSerializer(SECRET, salt="tap").dumps(
    [1, [1, 2], str(WEEK + timedelta(weeks=3)), True, digest(f"uniquifier-of-{CAMILLE}")]
)
"""Camille's link of a mail, that skips her boxes."""
VALUES: dict[str, str | int | date] = {
    "account_id": 1,
    "address_id": 1,
    "archive_id": 1,
    "article_id": 1,
    "article_slug": "miel",
    "batch_id": 1,
    "before": 2,
    "campaign_id": 1,
    "category_id": 1,
    "closing_id": 1,
    "colleague_id": 3,
    "conditions_id": 1,
    "contract_id": 1,
    "correction_id": 1,
    "day": TUESDAY,
    "debit_id": 2,
    "digest": "0" * 16,
    "ending": "csv",
    "exclusion_id": 1,
    "entry_number": 2,
    "figure": "paniers",
    "file_id": 1,
    "formula_id": FORMULA,
    "import_id": 1,
    "invoice_number": "F2026-00001",
    "kind": "skipped",
    "letters_token": URLSafeSerializer(SECRET, salt="letters").dumps([1, "letter"]),
    "line_id": 2,
    "link_id": 1,
    "mail_id": 1,
    "mandate_id": 1,
    "message_id": 1,
    "month": "2026-05",
    "name": "js/app.js",
    "news_id": 1,
    "of": "paniers",
    "order_id": 1,
    "page": "privacy",
    "paper": "liste",
    "payer": "C10001",
    "order_token": URLSafeSerializer(SECRET, salt="order").dumps(2),
    "passkey_id": 1,
    "point_id": 1,
    "product_id": PRODUCT,
    "provider_name": "ailleurs",
    "question_id": 1,
    "session_id": 1,
    "step": "emballage",
    "since": date(2026, 9, 1),
    "slug": "gare",
    "subscription_id": 1,
    "subject": "abonnes",
    "supplier_id": 1,
    "termination_id": 1,
    "tap_token": TAP,
    "termination_token": _ending.dumps([2, True]),
    "contract_token": URLSafeSerializer(SECRET, salt="contract").dumps(2),
    "token": TOKEN,
    "tour": "mardi",
    "tour_id": 1,
    "voucher_id": 1,
    "week": WEEK,
    "width": 160,
    "year": 2026,
    "withdrawal_id": 1,
}
_PACKING = "/ferme/livraisons/<date:day>/<tour>/preparation"
_CORRECTIONS = "/ferme/livraisons/<date:day>/<tour>/corrections"
CLOSED: dict[str, dict[str, Any]] = {
    rule: {"day": EARLIER}
    for rule in (
        "/ferme/commandes/<date:day>/<tour>/preparation",
        _CORRECTIONS,
        f"{_CORRECTIONS}/<id:subscription_id>",
        f"{_CORRECTIONS}/<of>/<id:correction_id>/annulation",
        _PACKING,
        "/ferme/livraisons/<date:day>/<tour>/etapes/<step>",
    )
}
CLOSED["/ferme/reglements/compte/<payer>/remboursement"] = {"payer": "C10002"}
CLOSED["/lien/resiliation/<termination_token>"] = {"termination_token": _ending.dumps([1, True])}
"""What waits for the cutoff, for somebody who is ahead, or to be confirmed."""
CELL = f"cell-{FORMULA}-{PRODUCT}"
NEW_PASSWORD = "sept mots choisis dans un grand potager fleuri"

Form = dict[str, Any]
CONTACT_FORM = {
    "sujet": "box",
    "nom": "Camille Aubert",
    "email": CAMILLE,
    "telephone": "",
    "message": "Deux courgettes étaient abîmées.",
}
QUESTION = {"heading": "Le retrait", "asked": "Où ?", "answer": "À la Halle."}
NOTIFIED = {"nom": "Camille Aubert", "adresse": CAMILLE, "contrat": "mon panier", "jour": "2027-05-01"}
RENOUNCED = {"nom": "Camille Aubert", "email": CAMILLE}


def on_week(session: Session, **fields: object) -> Form:
    """A form of a week's page for somebody's first subscription."""
    return {"abonnement": str(box_of(session, CAMILLE)), "vue": "semaine"} | {
        name: str(value) for name, value in fields.items()
    }


def terms_of(session: Session, quantite: int) -> Form:
    """A form of a subscription's terms."""
    point = point_of(session, "halle")
    return {"formule": str(FORMULA), "quantite": str(quantite), "rythme": "weekly", "point": str(point)}


def notified_by_camille(session: Session) -> Form:
    """The end of her eggs, in a year."""
    eggs = box_of(session, CAMILLE) + 1
    return NOTIFIED | {"abonnement": str(eggs), f"fin-{eggs}": NOTIFIED["jour"]}


def confirmed_by_yacine(session: Session) -> Form:
    yacine = session.scalars(select(Account.id).where(Account.email == YACINE)).one()
    [(number, leave)] = foresee(session, yacine, NOW.date(), NOW).items()
    return {"abonnement": str(number), f"fin-{number}": leave.last_day.isoformat()}


def leave(session: Session) -> None:
    """Yacine has still to confirm, Camille's end is long past; contracts that are and may be renounced."""
    yacine = session.scalars(select(Account.id).where(Account.email == YACINE)).one()
    said: dict[str, Any] = {
        "name": "Yacine Benali",
        "contact": YACINE,
        "reference": "jeudi",
        "notified_at": NOW,
    }
    mine = {"account_id": yacine, "searched_at": NOW}
    session.add(Termination(**said, **mine, ended={}))
    session.flush()
    session.add(Termination(**said, **mine, ended={"subscriptions": {}}, confirmed_at=NOW))
    eggs = box_of(session, CAMILLE) + 1
    contracts = [Contract(subscription_id=n, made_at=NOW, paper=b"%PDF-") for n in (eggs + 1, eggs)]
    for contract in contracts:
        session.add(contract)
        session.flush()
    contracts[1].withdrawn_at = NOW
    session.add(ContractWithdrawal(contract_id=contracts[1].id, name="Camille", email=CAMILLE, made_at=NOW))


def checkout_of_camille(session: Session) -> Form:
    """The form that orders what is in her cart."""
    camille = session.scalars(select(Account.id).where(Account.email == CAMILLE)).one()
    draft = OfAccount(session, camille).read()
    seen = summary(session, draft, Person(camille, CAMILLE), NOW)
    return {**CONTACT, "commande": draft.key, "vu": seen.digest}


def seen_of(session: Session, slug: str) -> str:
    """What tells that a page has shown a weekly box there, and what it comes to."""
    formula = next(one for one in formulas(session) if one.id == FORMULA)
    point = next(one for one in points(session) if one.slug == slug)
    joining = preview_joining(session, TermView(formula, 1, Rhythm.WEEKLY, point), NOW, by_farm=True).joining
    assert joining
    return joining.digest


def joining_of_camille(session: Session) -> Form:
    """The form that orders what she has begun to choose."""
    return {**CONTACT, "reglement": "transfer", "vu": seen_of(session, "gare")}


FORMS: dict[str, Callable[[Session], Form]] = {
    "/connexion": lambda _: {"email": CAMILLE, "password": PASSPHRASE},
    "/mot-de-passe-oublie": lambda _: {"email": CAMILLE},
    "/connexion/code": lambda _: {"email": CAMILLE},
    "/inscription": lambda _: {"email": CAMILLE},
    "/adresse-oubliee": lambda _: {"numero": "C10001"},
    "/lien/commande/<order_token>/modification": lambda _: {"quantite-2": "750", "total": "180"},
    "/lien/commande/<order_token>/retractation": lambda _: RENOUNCED | {"ligne": "2"},
    "/commandes/<id:order_id>/modification": lambda _: {"quantite-1": "3", "total": "1950"},
    "/commandes/<id:order_id>/retractation": lambda _: RENOUNCED | {"ligne": "1"},
    "/contact": lambda _: CONTACT_FORM,
    "/ferme/contact/<id:message_id>/etat": lambda _: {"etat": "taken"},
    "/ferme/contact/<id:message_id>/reponse": lambda _: {"reponse": "Oui.", "ensuite": "clore"},
    "/ferme/questions/ajout": lambda _: QUESTION,
    "/ferme/questions/<id:question_id>": lambda _: QUESTION,
    "/ferme/questions/<id:question_id>/place": lambda _: {"place": "2"},
    "/ferme/reglages/pages/<page>": lambda _: {"text": "# Vos données"},
    "/retractation": lambda _: {"numero": "B10001", "email": CAMILLE},
    "/retractation/<contract_token>": lambda _: RENOUNCED,
    "/resilier": notified_by_camille,
    "/resilier/notification": notified_by_camille,
    "/resilier/recu/<termination_token>/raison": lambda _: {"raison": "Je déménage."},
    "/lien/resiliation/<termination_token>": confirmed_by_yacine,
    "/livraisons/<date:day>/<tour>/<id:point_id>/remise": lambda _: {"nom": "Louise Roux", "email": ""},
    "/ferme/resiliations/<id:termination_id>": lambda _: {"suite": "Appelée, c'est réglé."},
    "/ma-commande/produits": lambda _: {"article": "1", "quantity": "2"},
    "/ma-commande/retrait": lambda session: {"retrait": f"{delivery_on(session, TUESDAY).id}-1"},
    "/ma-commande/bon": lambda _: {"bon": "BIENVENUE"},
    "/ma-commande/validation": checkout_of_camille,
    "/lien/<token>": lambda _: {"new_password": NEW_PASSWORD},
    "/mon-compte/preuve": lambda _: {"password": PASSPHRASE},
    "/mon-compte/informations": lambda _: {
        "first_name": "Camille",
        "last_name": "R",
        "phone": "",
        "birthday": "",
    },
    "/mon-compte/adresse-mail": lambda _: {"email": "camille@example.net"},
    "/mon-compte/adresses/ajout": lambda _: POSTAL_ADDRESS,
    "/mon-compte/adresses/<id:address_id>": lambda _: POSTAL_ADDRESS,
    "/mon-compte/coordonnees-bancaires/mandat": lambda _: MANDATE,
    "/mon-compte/coordonnees-bancaires/reglement": lambda _: {"reglement": "cheque"},
    "/mon-compte/entreprise/reference": lambda _: {"reference": "BC 17"},
    "/mon-compte/entreprise": lambda _: {
        "name": "Crèche Les Lutins",
        "vat_number": "FR40303265045",
        "siren": "",
    },
    "/mon-compte/fermeture": lambda _: {"comment": "dormir", "raison": ""},
    "/mon-compte/foyer": lambda _: {"email": "sacha@example.org", "prenom": "Sacha"},
    "/mon-compte/fusion": lambda _: {"email": "yacine@example.org"},
    "/mon-compte/mot-de-passe": lambda _: {"password": PASSPHRASE, "new_password": NEW_PASSWORD},
    "/planning/<date:week>/saut": lambda session: {
        "abonnement": str(box_of(session, CAMILLE)),
        "vue": "planning",
    },
    "/planning/<date:week>/reprise": lambda session: {
        "abonnement": str(box_of(session, CAMILLE)),
        "vue": "espace",
    },
    "/planning/<date:week>/report": lambda session: on_week(session, vers=TUESDAY + timedelta(weeks=1)),
    "/planning/<date:week>/report/annulation": on_week,
    "/planning/<date:week>/point": lambda session: on_week(session, point=point_of(session, "gare")),
    "/planning/<date:week>/point/annulation": on_week,
    "/planning/<date:week>/panier": lambda session: on_week(session, formule=FORMULA, quantite=2),
    "/planning/<date:week>/panier/annulation": on_week,
    "/planning/suspension": lambda session: on_week(session, du="2026-06-15", au="2026-06-25"),
    "/planning/suspension/fin": lambda _: {"suspension": "1"},
    "/envies/<id:article_id>": lambda _: {"voulu": "oui"},
    "/abonnement/nouveau": lambda _: {"formule": str(FORMULA), "quantite": "1", "avec": "0"},
    "/abonnement/nouveau/point-de-retrait": lambda session: {"point": str(point_of(session, "gare"))},
    "/abonnement/nouveau/livraisons": lambda _: {"rythme": "weekly", "debut": "0"},
    "/abonnement/nouveau/recapitulatif": joining_of_camille,
    "/liste-d-attente/<slug>": lambda _: {"formule": str(FORMULA), "quantite": "1"},
    "/abonnements/<id:subscription_id>/modifier": lambda session: {
        **terms_of(session, quantite=3),
        "des-1": WEEK.isoformat(),
    },
    "/abonnements/<id:subscription_id>/annulation": lambda _: {"lundi": LATER.isoformat()},
    "/ferme/livraisons/feries": lambda session: {
        "livraison": str(delivery_on(session, date(2026, 7, 14)).id)
    },
    "/ferme/livraisons/fermeture": lambda _: CLOSURE,
    "/ferme/livraisons/<date:day>/<tour>/annulation": lambda _: {"reason": "Neige."},
    "/ferme/livraisons/<date:day>/<tour>/deplacement": lambda _: {"jour": "2026-06-17"},
    f"{_CORRECTIONS}/<id:subscription_id>": lambda _: {
        "semaine": "2026-06-08",
        "vu": "2-2-1-1950-550-1",
        "formula_id": "2",
        "quantity": "0",
        "point_id": "1",
        "farm_fault": "0",
        "reason": "Absente.",
    },
    _PACKING: lambda _: {"coche": f"f{FORMULA}-p{PRODUCT}-500x2:oui"},
    "/ferme/livraisons/<date:day>/<tour>/etapes/<step>": lambda _: {"fait": "oui"},
    "/ferme/commandes/<id:order_id>/correction": lambda _: {"act": "cancel", "reason": "Absente."},
    "/ferme/paniers/<date:day>/<tour>": lambda _: {
        CELL: "0,75",
        "was-" + CELL.removeprefix("cell-"): "",
        "avec": "2",
    },
    "/ferme/paniers/<date:day>/<tour>/<id:formula_id>/<id:product_id>": lambda _: {CELL: "0,75"},
    "/ferme/paniers/<date:day>/<tour>/copie": lambda session: {
        "source": str(delivery_on(session, EARLIER).id),
        "replace": "yes",
    },
    "/ferme/paniers/<date:day>/<tour>/manque/<id:product_id>": lambda _: {
        "formule": str(FORMULA),
        "point": ["1", "2"],
        "remplacement": "3",
        f"quantite-3-{FORMULA}": "2",
        "pourquoi": "",
    },
    "/ferme/paniers/<date:day>/<tour>/points": lambda _: {
        "point": "2",
        "formula": str(FORMULA),
        "product": str(PRODUCT),
        "instead": "0",
        "amount": "",
    },
    "/ferme/paniers/<date:day>/<tour>/etat": lambda _: {"state": "confirmed", "formula": str(FORMULA)},
    "/ferme/commandes/<date:day>/<tour>/pesee": lambda _: {"poids-2": "0,480", "etait-2": ""},
    "/ferme/commandes/<date:day>/<tour>/pesee/<id:line_id>": lambda _: {"poids-2": "0,480"},
    "/ferme/commandes/<date:day>/<tour>/manque/<id:article_id>": lambda _: {
        "ligne-1": "1",
        "reason": "Une ruche est vide.",
    },
    "/ferme/commandes/<id:order_id>/refus": lambda _: {"reason": "Trop tard pour ce pain."},
    "/ferme/commandes/<id:order_id>/annulation": lambda _: {"reason": "Vous nous l'avez demandé."},
    "/ferme/commandes/<id:order_id>/preparation": lambda _: {"prete": "non"},
    "/ferme/tournees/ajout": lambda _: NEW_TOUR,
    "/ferme/tournees/<id:tour_id>": lambda _: {
        "name": "Mardi",
        "weekday": "1",
        "lead_days": "3",
        "lead_time": "20:00",
    },
    "/ferme/points-de-retrait/ajout": lambda _: POINT | {"tour_id": "3"},
    "/ferme/points-de-retrait/<id:point_id>": lambda _: POINT,
    "/ferme/points-de-retrait/<id:point_id>/place": lambda _: {"place": "2"},
    "/ferme/points-de-retrait/<id:point_id>/fermetures": lambda _: CLOSING,
    "/ferme/produits/ajout": lambda _: NEW_ARTICLE,
    "/ferme/produits/<id:article_id>": lambda _: ARTICLE,
    "/ferme/produits/<id:article_id>/photo": lambda _: {"photo": (Photograph(), "photo.png")},
    "/ferme/produits/<id:article_id>/prix": lambda _: PRICE,
    "/ferme/produits/<id:article_id>/stock": lambda _: {
        "quantity": "5",
        "seen": "12",
        "livraison": "",
        "act": "add",
    },
    "/ferme/produits/rayons/ajout": lambda _: SHELF,
    "/ferme/produits/rayons/<id:category_id>": lambda _: SHELF,
    "/ferme/produits/rayons/<id:category_id>/place": lambda _: {"place": "2"},
    "/ferme/produits/fournisseurs/ajout": lambda _: SUPPLIER,
    "/ferme/produits/fournisseurs/<id:supplier_id>": lambda _: SUPPLIER,
    "/ferme/equipe/ajout": lambda _: PERSON | {"roles": "desk"},
    "/ferme/equipe/<id:colleague_id>": lambda _: {"roles": "desk"},
    "/ferme/abonnes/ajout": lambda _: PERSON,
    "/ferme/abonnes/<id:account_id>/coordonnees": lambda _: PERSON,
    "/ferme/abonnes/<id:account_id>/note": lambda _: {"note": "Sonner deux fois."},
    "/ferme/abonnes/<id:account_id>/abonnements/ajout": lambda session: {
        **terms_of(session, quantite=1),
        "vu": seen_of(session, "halle"),
    },
    "/ferme/abonnes/<id:account_id>/abonnements/<id:subscription_id>/fin": lambda _: {
        "jour": "2026-12-01",
        "dernier": "2026-12-01",
    },
    "/ferme/bons/ajout": lambda _: VOUCHER,
    "/ferme/messages/ajout": lambda _: CAMPAIGN,
    "/ferme/messages/<id:campaign_id>/modification": lambda _: CAMPAIGN,
    "/ferme/messages/<id:campaign_id>/envoi": lambda _: {"day": "", "time": ""},
    "/ferme/reglages/relances": lambda _: STEPS,
    "/ferme/banque": lambda _: {"fichier": (BytesIO(CSV), "releve.csv")},
    "/ferme/banque/colonnes": lambda _: {
        "donnees": b64encode(CSV).decode(),
        "nom": "releve.csv",
        "day": "Date",
        "label": "Libellé",
        "credit": "Crédit euros",
    },
    "/ferme/banque/<id:line_id>": lambda _: {"paye-par": "1"},
    "/ferme/prelevements/<id:debit_id>/retour": lambda _: {"code": "AM04", "day": "2026-06-10"},
    "/ferme/imports": lambda _: {"subject": "people", "fichier": (BytesIO(TABLE_OF_PEOPLE), "liste.csv")},
    "/ferme/imports/<id:import_id>/colonnes": lambda _: {"colonne-3": "note"},
    "/ferme/formules/ajout": lambda _: NEW_FORMULA,
    "/ferme/formules/<id:formula_id>": lambda _: FORMULA_FORM,
    "/ferme/formules/<id:formula_id>/place": lambda _: {"place": "1"},
    "/ferme/formules/<id:formula_id>/prix": lambda _: FORMULA_PRICE,
    "/ferme/legumes/ajout": lambda _: VEGETABLE,
    "/ferme/legumes/<id:product_id>": lambda _: VEGETABLE,
    "/ferme/reglages": lambda _: PROFILE,
    "/ferme/reglages/boutique": lambda _: SHOP,
    "/ferme/reglages/facturation": lambda _: BILLING,
    "/ferme/reglages/facturation/tva": lambda _: TAX,
    "/ferme/factures/<invoice_number>/avoir": lambda _: {"rebill": "True", "reason": "Adresse fausse."},
    "/ferme/factures/<invoice_number>/geste": lambda _: GESTURE | {"act": "issue"},
    "/ferme/abonnes/<id:account_id>/entreprise/reglement": lambda _: COMPANY_TERMS,
    "/ferme/reglements/ajout": lambda _: PAYMENT,
    "/ferme/reglements/pile": lambda _: PILE,
    "/ferme/reglements/<id:entry_number>/annulation": lambda _: {"day": "2026-06-10", "reason": "Erreur."},
    "/ferme/reglements/compte/<payer>/remboursement": lambda _: REFUND,
    "/ferme/reglements/compte/<payer>/abandon": lambda _: WRITE_OFF,
    "/ferme/reglements/journal/cloture": lambda _: {"mois": "2026-05"},
    "/ferme/factures/comptabilite/comptes": lambda _: {**USUAL},
    "/ferme/reglages/conditions/ajout": lambda _: CONDITIONS,
    "/ferme/reglages/nouvelles/ajout": lambda _: NEWS,
    "/ferme/reglages/nouvelles/<id:news_id>": lambda _: NEWS,
}
FORMS |= dict.fromkeys(re.findall(r"(/ferme\S*/export) ", FARM), lambda _: {"format": "csv"})


@dataclass(frozen=True)
class Line:
    """What a method on an address answers to each role: a status, or `sign-in`."""

    method: str
    rule: str
    answers: dict[str, str]

    @cached_property
    def path(self) -> str:
        return fill_in(self.rule, VALUES | CLOSED.get(self.rule, {}))

    def may_enter(self, role: str) -> bool:
        return self.answers[role] not in {"sign-in", "403"}


def fill_in(rule: str, values: dict[str, Any]) -> str:
    return re.sub(r"<(?:\w+:)?(\w+)>", lambda part: str(values[part[1]]), rule)


def rows_of(table: str) -> list[list[str]]:
    return [row.split() for row in table.splitlines() if row.strip()]


[WORKERS, *GRANTED] = rows_of(MAY)
GRANTS = {permission: dict(zip(WORKERS, granted, strict=True)) for permission, *granted in GRANTED}
ROLES = {"anonymous": None, "subscriber": CAMILLE} | {role: f"{role}@ferme.example" for role in WORKERS}
"""Who goes over the site; of the farm's people, each with one role."""
WALKERS = ("anonymous", "subscriber", "admin")
"""Those who between them see everything."""


def read_table() -> Iterator[Line]:
    for method, rule, anonymous, subscriber, staff in rows_of(TABLE)[1:]:
        yield Line(
            method, rule, dict.fromkeys(WORKERS, staff) | {"anonymous": anonymous, "subscriber": subscriber}
        )
    for method, rule, asked, *said in rows_of(FARM):
        [inside] = said or ["200" if method == "GET" else "303"]
        granted = [GRANTS[permission] for permission in asked.split("|")]
        answers = {role: inside if any(of[role] == "yes" for of in granted) else "403" for role in WORKERS}
        yield Line(method, rule, {"anonymous": "sign-in", "subscriber": "403"} | answers)


LINES = list(read_table())
PAGES = [line for line in LINES if line.method == "GET"]
ACTS = [line for line in LINES if line.method == "POST"]


def box_of(session: Session, email: str) -> int:
    """The id of somebody's first subscription."""
    ids = select(Subscription.id).join(Account).where(Account.email == email).order_by(Subscription.id)
    return session.scalars(ids).first() or 0


def point_of(session: Session, slug: str) -> int:
    return session.scalars(select(PickupPoint.id).where(PickupPoint.slug == slug)).one()


def employ(session: Session) -> None:
    """Somebody for each role, who has no other."""
    roles = {role.name: role for role in session.scalars(select(Role))}
    password = session.scalar(select(Account.password))
    session.add_all(
        Account(
            email=ROLES[name],
            password=password,
            fs_uniquifier=name,
            first_name="Dominique",
            last_name="Petit",
            created_at=NOW,
            roles=[roles[name]],
        )
        for name in WORKERS
    )


def prepare(session: Session) -> None:
    """Something for every address: composed boxes, a week off, a pause, terms to come, a failed mail, a link."""
    employ(session)
    send_tables(session)
    honey = stock_the_shop(session)
    take_orders(session, honey)
    fill_cart(session, honey)
    photograph = Picture(digest=VALUES["digest"], width=160, height=120)
    session.add(photograph)
    session.flush()
    session.add(PictureSize(picture_id=photograph.id, width=photograph.width, data=b"RIFF"))
    assert session.get_one(Formula, FORMULA).slug == "grand"
    assert session.get_one(Product, PRODUCT).slug == "carottes"
    for day, state in ((EARLIER, CompositionState.CONFIRMED), (TUESDAY, CompositionState.FORECAST)):
        delivery, at = delivery_on(session, day), NOW - timedelta(weeks=1)
        for product, amount in (("carottes", 500), ("salade", 1)):
            assert put(session, delivery, "grand", product, amount, at=at) is None
        assert show(session, delivery, state, at=at) is None
    two = Correction(monday_of(EARLIER), Wish(FORMULA, 2, 1), "2-1-1-1950-550-1", "Mal noté.")
    done = correct(session, delivery_on(session, EARLIER).id, box_of(session, CAMILLE), two, by=SOMEBODY)
    assert done == Outcome(changed=True)
    campaigning.draft(session)
    cancelled = session.get_one(Delivery, delivery_on(session, TUESDAY + timedelta(weeks=2)).id)
    cancelled.cancelled_at, cancelled.cancel_reason = NOW, "Fermeture de la ferme"
    session.add(
        Suspension(
            subscription_id=box_of(session, CAMILLE),
            first_day=date(2026, 8, 3),
            last_day=date(2026, 8, 16),
            made_at=NOW,
        )
    )
    session.add(
        PointClosing(
            pickup_point_id=point_of(session, "halle"),
            substitute_id=point_of(session, "gare"),
            first_day=date(2026, 8, 11),
            last_day=date(2026, 8, 14),
            reason="Foire",
            made_at=NOW,
        )
    )
    term = session.scalars(select(Term).where(Term.subscription_id == box_of(session, CAMILLE))).one()
    term.until = LATER
    session.add(
        Term(
            subscription_id=term.subscription_id,
            monday=LATER,
            formula_id=term.formula_id,
            quantity=2,
            rhythm=term.rhythm,
            pickup_point_id=term.pickup_point_id,
        )
    )
    session.add_all(Question(heading="Le retrait", asked="Où ?", answer="Là.", position=n) for n in range(2))
    session.add(
        ContactMessage(
            subject=Subject.BOX,
            name="Camille Aubert",
            email=CAMILLE,
            text="Bonjour",
            sent_at=NOW,
            state=ContactState.NEW,
            files=[ContactFile(name="piece-1.pdf", content_type="application/pdf", data=b"%PDF-")],
        )
    )
    mail = outbox.post(
        session, to=CAMILLE, subject="Votre panier", text="Bonjour", html="<p>Bonjour</p>", at=NOW
    )
    mail.state, mail.closed_at, mail.last_error, mail.attempts = MailState.FAILED, NOW, "SMTPDataError 550", 1
    camille = session.scalars(select(Account).where(Account.email == CAMILLE)).one()
    begun = Choice(FORMULA, point_id=point_of(session, "gare"), rhythm=Rhythm.WEEKLY)
    session.add(JoiningDraft(account_id=camille.id, chosen=begun.kept, changed_at=NOW))
    session.add(Contract(subscription_id=box_of(session, CAMILLE), made_at=NOW, paper=b"%PDF-"))
    session.flush()
    leave(session)
    wish = {"pickup_point_id": point_of(session, "cafe"), "formula_id": FORMULA, "quantity": 1}
    session.add(Waiting(account_id=camille.id, asked_at=NOW, **wish))
    session.add(CalendarFeed(account_id=camille.id, version=1, token_hash=hash_token(TOKEN), made_at=NOW))
    at_home = AddressView("Camille Aubert", "4 rue du Four", "05700", "Serres")
    add_address(session, camille.id, at_home, billing=True, delivery=True, at=NOW, by=camille.id)
    signed(session)
    bill = session.get_one(InvoiceFile, invoiced(session).id)
    bill.state, bill.data = FileState.MADE, b"%PDF-"
    pay(session, paid(2000, customer(session, YACINE)), at=NOW, by=None)
    show_debits(session)
    received(session)
    session.add(
        MailedLink(
            token_hash=hash_token(TOKEN),
            purpose=LinkPurpose.RESET_PASSWORD,
            account_id=camille.id,
            created_at=NOW,
            expires_at=NOW + timedelta(hours=48),
        )
    )


def send(client: Browser, method: str, path: str, data: Form | None = None, **more: Any) -> TestResponse:
    """A request whose answer is not read as a page: the same error page again and again.

    Its data is a copy: a request closes the files that it sends, and a form is sent more than once.
    """
    return FlaskClient.open(client, path, method=method, data=deepcopy(data), **more)


class Site:
    """The whole application with its people, set back by `begin`."""

    def __init__(self, farms: Farms, backend: str) -> None:
        self._farms, self._backend = farms, backend
        self.begin()

    def begin(self) -> None:
        self.app: Flask = self._farms.fresh(self._backend)
        self._clients: dict[str, Browser] = {}
        database, _ = self._farms.made[self._backend]
        if isinstance(database, SqliteDatabase) and database.kept("site").exists():
            database.reset("site")
        else:
            with self.app.app_context():
                prepare(db.session())
                db.session.commit()
                db.session.remove()
                db.engine.dispose()
            if isinstance(database, SqliteDatabase):
                database.keep("site")
        if not hasattr(self, "_forms"):  # as it begins, so it begins again
            with self.app.app_context():
                self._forms = {rule: make(db.session()) for rule, make in FORMS.items()}
        self._reader = database.reader()

    def client(self, role: str) -> Browser:
        """Somebody of that role, with a page of theirs open; who signs in first has the session with the id 1."""
        if role not in self._clients:
            self._clients[role] = self.new_client(role)
        return self._clients[role]

    def new_client(self, role: str) -> Browser:
        client: Browser = self.app.test_client()  # type: ignore[assignment]
        if email := ROLES[role]:
            client.sign_in(email)
        client.get("/mon-compte" if email else "/connexion")
        assert client.token
        return client

    def form(self, line: Line) -> Form:
        return dict(self._forms.get(line.rule, {}))

    def rows(self, spared: str | None = None) -> dict[str, Any]:
        """What tells everything that the database holds from anything else, but for a table that is spared."""
        return {name: rows for name, rows in self._reader().items() if name != spared}
