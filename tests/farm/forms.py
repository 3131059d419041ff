"""What staff type into the forms of the farm itself, as it is right."""

NEW_TOUR = {
    "name": "Tournée du samedi",
    "slug": "samedi",
    "weekday": "5",
    "lead_days": "2",
    "lead_time": "12:00",
}
POINT = {
    "name": "Épicerie de l'Étoile",
    "address": "3 rue du Four",
    "postcode": "05300",
    "town": "Laragne",
    "latitude": "44,3452",
    "longitude": "5,7846",
    "opens": "16:30",
    "closes": "19:00",
    "access": "Derrière l'église.",
    "contact": "Mme Roux",
    "phone": "06 39 98 00 09",
    "driver_note": "La clé est sous le pot.",
    "capacity": "25",
    "offered": ["1", "2", "3"],
}
"""Of a point whose tour stays; a new one says its tour as well."""
CLOSING = {
    "first_day": "2026-06-16",
    "last_day": "2026-06-23",
    "substitute": "2",
    "reason": "Travaux",
}
"""Of the Halle; the station stands in."""
CLOSURE = {
    "first_day": "2026-06-15",
    "last_day": "2026-06-26",
    "reason": "Vacances",
    "tours": ["1", "2", "3"],
}
PROFILE = {
    "name": "Les Jardins du Test",
    "tagline": "Des légumes, tout près",
    "email": "ferme@example.org",
    "phone": "04 65 71 00 02",
    "phone_hours": "",
    "address": "12 chemin des Canaux",
    "postcode": "05700",
    "town": "Serres",
    "certifier": "",
    "certificate": "",
    "season_day": "1",
    "season_month": "4",
    "legal_name": "",
    "legal_form": "",
    "siret": "",
    "register": "",
    "vat_number": "",
    "director": "",
    "host": "",
    "mediator": "",
    "mediator_site": "",
    "partner": "",
    "inactive_years": "3",
    "accessibility": "none",
    "birthday_gift": "",
}
ARTICLE = {
    "name": "Miel de lavande",
    "category_id": "1",
    "supplier_id": "0",
    "product_id": "0",
    "description": "Du plateau.",
    "sale_unit": "jar",
    "content": "500",
    "measured": "g",
    "step": "",
    "origin": "France, Valensole",
    "variety": "",
    "label": "organic",
    "ingredients": "",
    "allergens": "",
    "stock_kind": "counted",
    "delivery_stock": "",
    "first_day": "15",
    "first_month": "6",
    "last_day": "30",
    "last_month": "9",
    "tours": ["1", "2", "3"],
    "lead_days": "",
    "lead_time": "",
}
NEW_ARTICLE = ARTICLE | {"price": "9,50", "vat": "550", "stock": "12"}
PRICE = {"price": "10,20", "vat": "550", "since": "2026-07-01"}
SHELF = {"name": "Crémerie", "drawing": "cheese"}
SUPPLIER = {"name": "Ferme des Aires", "email": "aires@example.org", "phone": "06 39 98 30 09"}
FORMULA_FORM = {
    "name": "Très grand panier",
    "short_name": "Très grand",
    "description": "Pour une grande tablée.",
    "serves": "6 personnes",
    "drawing": "box-large",
    "weight": "2",
    "per_crate": "4",
}
"""Of a formula whose kind stays; a new one says its kind as well."""
NEW_FORMULA = FORMULA_FORM | {"kind": "vegetables"}
FORMULA_PRICE = {
    "price": "20,50",
    "vat": "550",
    "since": "2026-09-01",
    "notice": "Les semences ont augmenté.",
}
VEGETABLE = {
    "name": "Carottes",
    "unit": "kg",
    "value": "2,80",
    "drawing": "carrot",
    "storage": "Au frais, sans fanes.",
    "parcel": "Serre 2",
    "tool": "fourche-bêche",
    "crate": "caisse verte",
    "kept_in": "chambre froide",
    "margin": "5",
}
VOUCHER = {
    "code": "merci-juin",
    "kind": "amount",
    "amount": "5",
    "share": "",
    "first_day": "2026-06-10",
    "last_day": "2026-07-10",
    "minimum": "20",
    "uses": "100",
    "per_person": "1",
    "note": "Pour la fête.",
}
CAMPAIGN = {
    "about": "boxes",
    "subject": "Bonjour {{prenom}}",
    "text": "Votre {{formule}} vous attend {{prochaine_livraison}}.",
    "delivery": "any",
    "balance": "any",
}
SHOP = {
    "accepts_at_once": "False",
    "guests_welcome": "True",
    "guest_minimum": "20,00",
    "payment_means": "espèces ou chèque",
}
CONDITIONS = {"text": "# Qui vend\n\nLa ferme.\n\n# Le prix\n\nToutes taxes comprises.", "act": "publish"}
NEWS = {"title": "La récolte commence", "text": "Bonjour !\n\nÀ mardi.", "day": "", "time": ""}
PERSON = {
    "first_name": "Noé",
    "last_name": "Lœwe",
    "email": "noe@example.org",
    "phone": "06 39 98 12 34",
    "street": "3 rue du Four",
    "postcode": "05300",
    "town": "Laragne",
}
BILLING = {
    "bills_from": "",
    "due_days": "15",
    "company_due_days": "45",
    "late_rate_basis_points": "12,5",
    "iban": "FR14 2004 1010 0505 0001 3M02 606",
    "bic": "",
    "cheques_to": "",
    "creditor_name": "Les Jardins du Test",
    "creditor_id": "FR72ZZZ123456",
    "collection_day": "10",
    "notice_days": "14",
    "reminds": "True",
}
TAX = {"since": "2026-07-01", "regime": "franchise", "mention": "", "on_debits": "False"}
GESTURE = {"line": "0", "amount": "5,00", "reason": "Salade abîmée."}
COMPANY_TERMS = {"due_days": "45", "purchase_reference": "Service achats"}

PAYMENT = {
    "key": "k1",
    "de": "C10001",
    "amount": "38,60",
    "means": "cheque",
    "day": "2026-06-10",
    "reference": "0012345",
}
PILE = {
    "key": "p1",
    "means": "cheque",
    "day": "2026-06-10",
    "total": "",
    "qui": "C10001",
    "montant": "20",
    "reference": "001",
}
REFUND = {
    "rendu-key": "r1",
    "rendu-amount": "10",
    "rendu-means": "transfer",
    "rendu-day": "2026-06-10",
    "rendu-reference": "",
    "rendu-reason": "Départ.",
}
WRITE_OFF = {
    "abandon-key": "a1",
    "abandon-amount": "5",
    "abandon-day": "2026-06-10",
    "abandon-reason": "Parti.",
}
STEPS = {
    "etape-1-days": "10",
    "etape-1-subject": "Un oubli ?",
    "etape-1-text": "Bonjour {{prenom}},\n\nIl reste {{montant}}.",
    "etape-2-days": "30",
    "etape-2-subject": "Toujours {{montant}}",
    "etape-2-text": "Appelez-nous.",
} | {f"etape-{n}-{name}": "" for n in (3, 4, 5) for name in ("days", "subject", "text")}
"""Of reminders: two, and three that are empty."""
