"""The headers that every answer carries."""

from flask import Flask, Response, g, request


def content_security_policy(*, images: str = "'self'") -> str:
    """Nothing but our own; a page that shows pictures of another site names that site in `images`."""
    return "; ".join(
        (
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            f"img-src {images}",
            "connect-src 'self'",
            "manifest-src 'self'",
            "form-action 'self'",
            "base-uri 'none'",
            "frame-ancestors 'none'",
        )
    )


HEADERS = {
    "Content-Security-Policy": content_security_policy(),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    # behind https Flask-WTF checks the Referer of a form: never "no-referrer"
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), payment=(), usb=()",
}
TWO_YEARS = 63_072_000


def init_app(app: Flask, *, https: bool) -> None:
    headers = dict(HEADERS)
    if https:
        headers["Strict-Transport-Security"] = f"max-age={TWO_YEARS}; includeSubDomains"

    @app.after_request
    def add(response: Response) -> Response:
        for name, value in headers.items():
            response.headers.setdefault(name, value)
        # unsaid, or as `send_file` says it
        if response.headers.get("Cache-Control", "no-cache") == "no-cache":
            response.headers["Cache-Control"] = "no-store" if _personal() else "no-cache"
        if response.mimetype == "text/html":
            response.vary.update(("HX-Request", "Cookie"))
        return response


def _personal() -> bool:
    """Whether somebody is signed in, as far as this request has found out: no query for a header."""
    account = g.get("_login_user")
    return request.method != "GET" or (account is not None and not account.is_anonymous)
