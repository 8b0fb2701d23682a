"""The local registry of domains as the machine meets it: name servers for its root and TLDs, WHOIS, RDAP.

All in a process of its own, which reads the rows and writes nothing. Beside it what the endpoint says under
`/_cloudstead/` of letters and of other registrars, for which there is no AWS API.
"""

import asyncio
import socket
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import parse_qs

import msgspec

from cloudstead.core.settings import Settings
from cloudstead.core.tools import Tools
from cloudstead.dataplane import dns, http, whois
from cloudstead.services.route53domains.operations import (
    ROOT_VIEW,
    TLD_VIEW,
    Delegations,
    Rdap,
    Servers,
    mail_box,
    registry,
    transfer_away,
)
from cloudstead.store import Store

_STOP_WITHIN_S = 1.0
_ANYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - told apart, not bound


@dataclass(frozen=True, kw_only=True)
class Sockets:
    """Where it listens; what is empty is switched off."""

    root: Sequence[socket.socket] = ()
    tld: Sequence[socket.socket] = ()
    whois: Sequence[socket.socket] = ()
    rdap: Sequence[socket.socket] = ()

    def __bool__(self) -> bool:
        return any((self.root, self.tld, self.whois, self.rdap))


def servers(settings: Settings) -> Servers:
    """Where the registry's name servers are, and those of hosted zones."""
    root, _, tld = settings.registry_dns.partition(",")
    hosted = _ANYWHERE.get(settings.dns_host, settings.dns_host)
    return Servers(root=[root.strip()] if root else [], tld=[tld.strip()] if tld else [], hosted=[hosted])


async def serve(store: Store, tools: Tools, settings: Settings, sockets: Sockets) -> None:
    """Answer until cancelled."""
    public = registry(store, tools.clock)
    image = dns.Image()
    follower = dns.Follower(Delegations(store, servers(settings)), image, dns.Acknowledgements(1), 0)
    health = dns.Health()
    servers_: list[dns.Server] = []
    for view, listening in ((ROOT_VIEW, sockets.root), (TLD_VIEW, sockets.tld)):
        zones = dns.Responder(image, health, view=view, random=tools.random)
        servers_.append(await dns.serve(_KeptUp(follower), listening, view=view, zones=zones))
    answering = await whois.serve(sockets.whois, public.whois)
    described = await http.serve(sockets.rdap, Rdap(public))
    try:
        await asyncio.Event().wait()
    finally:
        for each in servers_:
            await each.stop()
        await answering.stop()
        await described.stop(_STOP_WITHIN_S)


@dataclass(frozen=True)
class _KeptUp:
    """`dns.Answers` that knows nothing, and looks for what is new before each batch of questions."""

    follower: dns.Follower = field()

    def serves(self, _view: str | None) -> bool:
        while self.follower.catch_up():
            pass
        return True

    def lookup(self, _view: str | None, _name: str, _type: str) -> None:
        return None


@dataclass(frozen=True)
class EitherNames:
    """`dns.Answers` of the first that knows a name."""

    first: dns.Answers
    second: dns.Answers

    def serves(self, view: str | None) -> bool:
        return self.first.serves(view)

    def lookup(self, view: str | None, name: str, type: str) -> dns.Found | None:
        return self.first.lookup(view, name, type) or self.second.lookup(view, name, type)


# --- under /_cloudstead/


def internal_paths(
    store: Store, tools: Tools
) -> Mapping[str, Callable[[http.HttpRequest], http.HttpResponse]]:
    box = mail_box(store, tools)

    def mail(request: http.HttpRequest) -> http.HttpResponse:
        """`GET …/mail` shows all letters, `POST …/mail/ID` follows the link of one."""
        id = request.path.partition("/mail")[2].strip("/")
        if request.method == "GET" and not id:
            return _json(200, {"letters": box.letters()})
        if request.method != "POST" or not id:
            return _json(405, {"message": "GET shows all letters; POST with a letter's id follows its link."})
        done = box.follow(id)
        return _json(200, {"message": done}) if done else _json(404, {"message": "There is no such letter."})

    def registrar(request: http.HttpRequest) -> http.HttpResponse:
        """`POST …/registrar/transfer?domain=&code=&registrar=` takes a domain to another registrar."""
        if request.method != "POST" or not request.path.endswith("/registrar/transfer"):
            return _json(405, {"message": "Only POST /_cloudstead/registrar/transfer is answered."})
        asked = {name: values[0] for name, values in parse_qs(request.query).items()}
        if not all(asked.get(name) for name in ("domain", "code", "registrar")):
            return _json(400, {"message": "domain, code and registrar must be given."})
        why_not = transfer_away(
            store, tools, asked["domain"].lower(), asked["code"], asked["registrar"][:255]
        )
        return _json(409, {"message": why_not}) if why_not else _json(200, {"message": "transferred"})

    return {"mail": mail, "registrar": registrar}


def _json(status: int, body: Mapping[str, object]) -> http.HttpResponse:
    return http.HttpResponse(status, [("content-type", "application/json")], msgspec.json.encode(body))
