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
    "capacity": "25",
    "offered": ["1", "2", "3"],
}
"""Of a point whose tour stays; a new one says its tour as well."""
PROFILE = {
    "name": "Les Jardins du Test",
    "tagline": "Des légumes, tout près",
    "email": "ferme@example.org",
    "phone": "04 65 71 00 02",
    "phone_hours": "",
    "address": "12 chemin des Canaux",
    "postcode": "05700",
    "town": "Serres",
}
NEWS = {"title": "La récolte commence", "text": "Bonjour !\n\nÀ mardi.", "day": "", "time": ""}
