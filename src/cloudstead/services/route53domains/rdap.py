"""The registry over RDAP: paths of RFC 9082, JSON of RFC 9083. A contact that is hidden says so in a remark.

/rdap/domain/NAME    a registration          /rdap/help    what this is
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

import msgspec

from cloudstead.dataplane.http import HttpRequest, HttpResponse
from cloudstead.services.route53domains import registrar
from cloudstead.services.route53domains.published import REDACTED, Registry, contact_of
from cloudstead.services.route53domains.rows import Domain
from cloudstead.services.route53domains.work import ROLES, Contact, NameServer, Role

_CONFORMANCE = ["rdap_level_0"]
_PREFIX = "/rdap/"
_ROLES: Mapping[Role, str] = {
    "registrant": "registrant",
    "admin": "administrative",
    "tech": "technical",
    "billing": "billing",
}
#: RFC 8056: EPP's words in RDAP's.
_STATUS = {
    "ok": "active",
    "inactive": "inactive",
    "clientTransferProhibited": "client transfer prohibited",
    "clientHold": "client hold",
    "autoRenewPeriod": "auto renew period",
    "pendingDelete": "pending delete",
    "redemptionPeriod": "redemption period",
}


class Rdap:
    """An HTTP handler."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.method not in ("GET", "HEAD"):
            return _answer(405, _error(405, "Method Not Allowed", "Only GET and HEAD are answered."))
        kind, _, name = unquote(request.path).removeprefix(_PREFIX).partition("/")
        if not request.path.startswith(_PREFIX) or (kind, bool(name)) not in (
            ("domain", True),
            ("help", False),
        ):
            return _answer(400, _error(400, "Bad Request", "Ask for /rdap/domain/NAME or /rdap/help."))
        if kind == "help":
            return _answer(200, {"rdapConformance": _CONFORMANCE, "notices": [_HELP]})
        with self._registry.store.reading():
            domain = self._registry.find(name)
            if domain is None:
                return _answer(404, _error(404, "Not Found", f"{name} is not registered."))
            return _answer(200, self._domain(domain, request))

    def _domain(self, domain: Domain, request: HttpRequest) -> dict[str, Any]:
        href = f"{request.scheme}://{request.headers.get('host', request.local)}{_PREFIX}domain/{domain.id}"
        return {
            "rdapConformance": _CONFORMANCE,
            "objectClassName": "domain",
            "handle": domain.registry_id,
            "ldhName": domain.id,
            "links": [{"value": href, "rel": "self", "href": href, "type": "application/rdap+json"}],
            "status": [_STATUS[code] for code in self._registry.statuses(domain)],
            "entities": [_registrar(domain), *(_entity(domain, role) for role in ROLES)],
            "events": [
                {"eventAction": "registration", "eventDate": _text(domain.created_at)},
                {"eventAction": "expiration", "eventDate": _text(domain.expires_at)},
                {"eventAction": "last changed", "eventDate": _text(domain.updated_at)},
            ],
            "nameservers": [_server(server) for server in domain.name_servers],
            "secureDNS": _secure(domain),
        }


_HELP = {"title": "Help", "description": ["The local registry of a Cloudstead cloud, over RDAP."]}


def _registrar(domain: Domain) -> dict[str, Any]:
    ours = not domain.registrar
    entity: dict[str, Any] = {
        "objectClassName": "entity",
        "roles": ["registrar"],
        "vcardArray": _vcard([["fn", {}, "text", domain.registrar or registrar.NAME]]),
    }
    if ours:
        entity["handle"] = registrar.IANA_ID
        entity["publicIds"] = [{"type": "IANA Registrar ID", "identifier": registrar.IANA_ID}]
        abuse = [
            ["fn", {}, "text", "Abuse"],
            ["tel", {"type": "voice"}, "uri", f"tel:{registrar.ABUSE_PHONE}"],
            ["email", {}, "text", registrar.ABUSE_EMAIL],
        ]
        entity["entities"] = [{"objectClassName": "entity", "roles": ["abuse"], "vcardArray": _vcard(abuse)}]
    return entity


def _entity(domain: Domain, role: Role) -> dict[str, Any]:
    contact = contact_of(domain, role)
    entity: dict[str, Any] = {"objectClassName": "entity", "roles": [_ROLES[role]]}
    if contact is not None:
        return {**entity, "vcardArray": _vcard(_properties(contact))}
    hidden = {"title": REDACTED, "type": "object redacted due to authorization", "description": [REDACTED]}
    return {**entity, "vcardArray": _vcard([["fn", {}, "text", ""]]), "remarks": [hidden]}


def _properties(contact: Contact) -> list[list[Any]]:
    street = (
        [contact.address_line1, contact.address_line2] if contact.address_line2 else contact.address_line1
    )
    address = ["", "", street, contact.city, contact.state, contact.zip_code, ""]
    found: list[list[Any]] = [["fn", {}, "text", contact.name()]]
    if contact.organization_name:
        found.append(["org", {}, "text", contact.organization_name])
    found += [
        ["adr", {"cc": contact.country_code}, "text", address],
        ["tel", {"type": "voice"}, "uri", f"tel:{contact.phone_number}"],
        ["email", {}, "text", contact.email],
    ]
    return found


def _vcard(properties: list[list[Any]]) -> list[Any]:
    return ["vcard", [["version", {}, "text", "4.0"], *properties]]


def _server(server: NameServer) -> dict[str, Any]:
    shown: dict[str, Any] = {"objectClassName": "nameserver", "ldhName": server.name}
    v6 = [address for address in server.glue if ":" in address]
    v4 = [address for address in server.glue if ":" not in address]
    addresses = {name: found for name, found in (("v4", v4), ("v6", v6)) if found}
    return {**shown, "ipAddresses": addresses} if addresses else shown


def _secure(domain: Domain) -> dict[str, Any]:
    if not domain.keys:
        return {"delegationSigned": False}
    return {
        "delegationSigned": True,
        "dsData": [
            {
                "keyTag": key.tag,
                "algorithm": key.algorithm,
                "digestType": key.digest_type,
                "digest": key.digest,
            }
            for key in domain.keys
        ],
    }


def _error(status: int, title: str, text: str) -> dict[str, Any]:
    return {"rdapConformance": _CONFORMANCE, "errorCode": status, "title": title, "description": [text]}


def _answer(status: int, body: Mapping[str, Any]) -> HttpResponse:
    headers = [("content-type", "application/rdap+json"), ("access-control-allow-origin", "*")]
    return HttpResponse(status, headers, msgspec.json.encode(body))


def _text(moment: Any) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"
