"""Who somebody is at another site: OpenID Connect, or OAuth 2 and a page that tells (as Facebook has it).

Every address but the issuer's own is asked of the provider, each time: there is nothing to keep, nothing to go stale.
"""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import requests
from authlib.common.errors import AuthlibBaseError
from authlib.common.security import generate_token
from authlib.integrations.requests_client import OAuth2Session
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from portal.infra import clock
from portal.settings import Provider

TIMEOUT = 5  # seconds
LEEWAY = 60
ALGORITHMS = ["RS256", "PS256", "ES256", "EdDSA"]
DISCOVERY = "/.well-known/openid-configuration"


class ProviderError(Exception):
    """It is not there, or what it says does not hold; the message is for the log and holds nothing of anybody."""


@dataclass(frozen=True, slots=True)
class Somebody:
    """Who it says that they are. Only the subject stays the same; the address is theirs if it is verified."""

    subject: str
    email: str
    verified: bool


def begin(provider: Provider, back: str) -> tuple[str, dict[str, str]]:
    """Where to send somebody, and what to keep until they are `back`; raises ProviderError."""
    kept = {"verifier": generate_token(64), "nonce": generate_token(32)}
    authorize = _endpoints(provider)["authorization_endpoint"]
    asked = {"nonce": kept["nonce"]} if provider.issuer else {}
    address, state = _client(provider, back).create_authorization_url(
        authorize, code_verifier=kept["verifier"], **asked
    )
    return address, {**kept, "state": state}


def finish(provider: Provider, back: str, kept: Mapping[str, str], answer: Mapping[str, str]) -> Somebody:
    """Who has come back with this answer; raises ProviderError."""
    if not hmac.compare_digest(answer.get("state", "").encode(), kept["state"].encode()):
        raise ProviderError("wrong state")
    if provider.issuer and answer.get("iss", provider.issuer) != provider.issuer:
        raise ProviderError("wrong issuer in the answer")  # RFC 9207
    endpoints = _endpoints(provider)
    try:
        with _client(provider, back) as client:
            token = client.fetch_token(
                endpoints["token_endpoint"], code=answer.get("code", ""), code_verifier=kept["verifier"]
            )
            if provider.issuer:
                keys = _get_json(endpoints["jwks_uri"])
                return _somebody(_claims(provider, token["id_token"], keys, kept["nonce"]), "sub")
            told = client.get(provider.profile, allow_redirects=False)
            told.raise_for_status()
            return _somebody(told.json(), "id")
    except (AuthlibBaseError, JoseError, requests.RequestException, ValueError, KeyError, TypeError) as error:
        raise ProviderError(f"{type(error).__name__} at the token") from error


def _claims(provider: Provider, token: str, keys: Any, nonce: str) -> Mapping[str, Any]:
    claims = jwt.decode(token, KeySet.import_key_set(keys), algorithms=ALGORITHMS).claims
    wanted: dict[str, Any] = {
        "sub": {"essential": True},
        "exp": {"essential": True},
        "iat": {"essential": True},
    }
    for name, value in {"iss": provider.issuer, "aud": provider.client_id, "nonce": nonce}.items():
        wanted[name] = {"essential": True, "value": value}
    now = int(clock.now().timestamp())
    jwt.JWTClaimsRegistry(now=now, leeway=LEEWAY, **wanted).validate(claims)
    if claims.get("azp", provider.client_id) != provider.client_id:
        raise ValueError("made for another")
    return claims


def _somebody(told: Mapping[str, Any], key: str) -> Somebody:
    subject, email = str(told[key]), told.get("email")
    if not 0 < len(subject) <= 255:
        raise ValueError("no subject")
    email = email.strip().lower() if isinstance(email, str) else ""
    return Somebody(subject, email, bool(email) and told.get("email_verified") is True)


def _endpoints(provider: Provider) -> Mapping[str, str]:
    if not provider.issuer:
        return {"authorization_endpoint": provider.authorize, "token_endpoint": provider.token}
    said = _get_json(provider.issuer.rstrip("/") + DISCOVERY)
    wanted = ("authorization_endpoint", "token_endpoint", "jwks_uri")
    if not isinstance(said, dict) or said.get("issuer") != provider.issuer:
        raise ProviderError("it names another issuer")
    if not all(isinstance(said.get(name), str) for name in wanted):
        raise ProviderError("it does not say where it is asked")
    return {name: said[name] for name in wanted}


def _get_json(address: str) -> Any:
    try:
        response = requests.get(address, timeout=TIMEOUT, allow_redirects=False)
        response.raise_for_status()
        return response.json()
    except (requests.RequestException, ValueError) as error:
        raise ProviderError(f"{type(error).__name__} at discovery") from error


def _client(provider: Provider, back: str) -> OAuth2Session:
    return OAuth2Session(
        provider.client_id,
        provider.client_secret,
        token_endpoint_auth_method="client_secret_basic" if provider.issuer else "client_secret_post",
        scope=provider.scope,
        redirect_uri=back,
        code_challenge_method="S256",
        default_timeout=TIMEOUT,
    )
