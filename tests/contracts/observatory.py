"""What the HTTP Observatory gives for an answer over https, by its public table of scores.

What hangs on the machine in front of the application, it gives nothing for: the way from http to https, and lists that
browsers bring along. Nor for integrity, where all scripts are the site's own.
"""

import re

from werkzeug.test import TestResponse

PRIVATE = {"no-referrer", "same-origin", "strict-origin", "strict-origin-when-cross-origin"}
UNSAFE = {"'unsafe-inline'", "'unsafe-eval'", "data:", "blob:", "http:", "https:", "*"}
SIX_MONTHS = 15_768_000
BONUS_FROM = 90
Policy = dict[str, list[str]]


def score(answer: TestResponse) -> int:
    policy = {
        words[0]: words[1:] for words in map(str.split, answer.headers["Content-Security-Policy"].split(";"))
    }
    marks = [
        _policy(policy),
        _cookies(answer.headers.getlist("Set-Cookie")),
        -50 if answer.headers.get("Access-Control-Allow-Origin") else 0,
        5 if answer.headers.get("Referrer-Policy") in PRIVATE else -5,
        _scripts(answer),
        _transport(answer.headers.get("Strict-Transport-Security", "")),
        0 if answer.headers.get("X-Content-Type-Options") == "nosniff" else -5,
        _frames(policy, answer.headers.get("X-Frame-Options", "")),
    ]
    kept = 100 + sum(mark for mark in marks if mark < 0)
    return kept + sum(mark for mark in marks if mark > 0) if kept >= BONUS_FROM else kept


def _policy(policy: Policy) -> int:
    def sources(name: str) -> set[str]:
        return set(policy.get(name, policy.get("default-src", ["*"])))

    if (sources("script-src") | sources("object-src")) & UNSAFE:
        return -20
    if any("http:" in source for kept in policy.values() for source in kept):
        return -20
    if sources("style-src") & UNSAFE:
        return 0
    return 10 if policy["default-src"] == ["'none'"] else 5


def _cookies(cookies: list[str]) -> int:
    said = [set(cookie.split("; ")[1:]) for cookie in cookies]
    if not all({"Secure", "HttpOnly"} <= attributes for attributes in said):
        return -40
    return 5 if said and all(attributes & {"SameSite=Lax", "SameSite=Strict"} for attributes in said) else 0


def _scripts(answer: TestResponse) -> int:
    elsewhere = answer.mimetype == "text/html" and re.search(r'<script[^>]+src="(?!/[^/])', answer.text)
    return -50 if elsewhere else 0


def _transport(said: str) -> int:
    age = re.search(r"max-age=([0-9]+)", said)
    return -20 if not age else -10 if int(age[1]) < SIX_MONTHS else 0


def _frames(policy: Policy, said: str) -> int:
    if policy.get("frame-ancestors") in (["'none'"], ["'self'"]):
        return 5
    return 0 if said in {"DENY", "SAMEORIGIN"} else -20
