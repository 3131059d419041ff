"""A provider of identities on loopback: OpenID Connect with keys of its own, and OAuth 2 with a page that tells."""

import base64
import hashlib
import json
import secrets
import time
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import RSAKey
from werkzeug.serving import WSGIRequestHandler, make_server
from werkzeug.wrappers import Request, Response

from portal.settings import Provider

CLIENT, SECRET = "the-farm", "a secret"


class Quiet(WSGIRequestHandler):
    def log(self, type: str, message: str, *args: Any) -> None:
        """Nothing."""


class LoopbackProvider:
    """Says who somebody is as `profile` has it; `claims` makes its tokens wrong, `broken` its answers."""

    def __init__(self) -> None:
        self.key, self.other_key = RSAKey.generate_key(2048), RSAKey.generate_key(2048)
        self.server = make_server("127.0.0.1", 0, self.answer, threaded=True, request_handler=Quiet)
        self.site = f"http://127.0.0.1:{self.server.port}"
        self.thread = Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05})
        self.thread.start()
        self.reset()

    def reset(self) -> None:
        self.profile: dict[str, Any] = {"sub": "s-1", "email": "jeanne@example.net", "email_verified": True}
        self.claims: dict[str, Any] = {}
        self.codes: dict[str, dict[str, str]] = {}
        self.broken, self.foreign_key, self.issuer = False, False, self.site

    def stop(self) -> None:
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()

    @property
    def settings(self) -> dict[str, Provider]:
        usual = {"client_id": CLIENT, "client_secret": SECRET}
        asked = {part: f"{self.site}/{part}" for part in ("authorize", "token", "profile")}
        return {
            "oidc": Provider(name="oidc", label="Loopback", scope="openid email", issuer=self.site, **usual),
            "oauth": Provider(name="oauth", label="Livre", scope="email", **asked, **usual),
        }

    def agree(self, address: str) -> dict[str, str]:
        """What somebody who agrees brings back, as their browser would."""
        asked = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
        assert asked["response_type"] == "code" and asked["code_challenge_method"] == "S256"
        code = secrets.token_urlsafe(16)
        self.codes[code] = asked
        return {"code": code, "state": asked["state"]}

    def answer(self, environ: Any, start: Any) -> Any:
        request = Request(environ)
        view = getattr(self, "_" + request.path.rpartition("/")[2].replace("-", "_"))
        response = Response("<h1>", 500) if self.broken else view(request)
        return response(environ, start)

    def _openid_configuration(self, _request: Request) -> Response:
        names = {"authorization_endpoint": "authorize", "token_endpoint": "token", "jwks_uri": "jwks"}
        ends = {name: f"{self.site}/{path}" for name, path in names.items()}
        return said({"issuer": self.issuer, **ends})

    def _authorize(self, request: Request) -> Response:
        brought = self.agree(request.url)
        return Response("", 302, {"Location": f"{request.args['redirect_uri']}?{urlencode(brought)}"})

    def _jwks(self, _request: Request) -> Response:
        return said({"keys": [self.key.as_dict(private=False)]})

    def _token(self, request: Request) -> Response:
        asked = self.codes.pop(request.form["code"], None)
        challenge = hashlib.sha256(request.form["code_verifier"].encode()).digest()
        good = asked is not None and (
            asked["code_challenge"] == base64.urlsafe_b64encode(challenge).decode().rstrip("=")
            and asked["redirect_uri"] == request.form["redirect_uri"]
            and (request.authorization is not None or request.form.get("client_secret") == SECRET)
        )
        if not good or asked is None:
            return said({"error": "invalid_grant"}, 400)
        now = int(time.time())
        claims = {"iss": self.site, "aud": CLIENT, "iat": now, "exp": now + 60, "nonce": asked.get("nonce")}
        claims = {**claims, **self.profile, **self.claims}
        key = self.other_key if self.foreign_key else self.key
        token = jwt.encode({"alg": "RS256"}, {name: c for name, c in claims.items() if c is not None}, key)
        return said({"access_token": "told", "token_type": "Bearer", "id_token": token})

    def _profile(self, request: Request) -> Response:
        assert request.headers["Authorization"] == "Bearer told"
        return said({"id": self.profile["sub"], "email": self.profile["email"]})


def said(what: dict[str, Any], status: int = 200) -> Response:
    return Response(json.dumps(what), status, mimetype="application/json")
