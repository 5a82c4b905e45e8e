"""What browsers keep: the session, and that somebody signed in on this device before."""

from flask import Response, jsonify, make_response, request
from werkzeug.wrappers import Response as AnyResponse

from tenants.http.course import House
from tenants.identity.recognition import csrf_token
from tenants.identity.signing_in.devices import LASTS_SECONDS


def signed_in_answer(house: House, token: str, status: int, **more: object) -> Response:
    """The answer to whoever got a session, or another secret for theirs."""
    response: Response = make_response(jsonify(csrf_token=csrf_token(token), **more), status)
    set_cookie(house, response, token)
    return response


def set_cookie(house: House, response: Response, token: str | None) -> None:
    """Give the browser its session, or take it away."""
    keep(house, response, house.guard.cookie, token, house.settings.session_days * 86400)


def remember_device(house: House, response: Response, device: str) -> None:
    """Let the browser show next time that somebody signed in on it before."""
    keep(house, response, cookie_named(house, "device"), device, LASTS_SECONDS)


def shown_device(house: House) -> str | None:
    """What the browser at hand shows of itself."""
    return request.cookies.get(cookie_named(house, "device"))


def cookie_named(house: House, word: str) -> str:
    """The name of a cookie of ours, with the prefix that browsers hold to where cookies are secure."""
    return house.guard.cookie.replace("session", word)


def keep(house: House, response: AnyResponse, name: str, value: str | None, seconds: int) -> None:
    """Give the browser a cookie for a while, or take it away: no script reads it, and no other site's form sends it."""
    secure = house.settings.secure_cookies
    if value is None:
        response.delete_cookie(name, secure=secure, httponly=True, samesite="Lax", path="/")
    else:
        response.set_cookie(
            name, value, max_age=seconds, secure=secure, httponly=True, samesite="Lax", path="/"
        )
