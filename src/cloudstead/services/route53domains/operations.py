"""Route 53 Domains' operations, its controllers, and the registry as the rest of the cloud uses it."""

from collections.abc import Sequence
from typing import Any

from cloudstead.control.steps import Controller
from cloudstead.core.clock import Clock
from cloudstead.core.tools import Tools
from cloudstead.services.route53domains.applying import Applying, MakeHostedZone, elsewhere
from cloudstead.services.route53domains.availability import Availability
from cloudstead.services.route53domains.changing import Changing
from cloudstead.services.route53domains.delegations import (
    ROOT_VIEW,
    TLD_VIEW,
    Delegations,
    RegistryNames,
    Servers,
    delegated_to,
)
from cloudstead.services.route53domains.directory import Directory
from cloudstead.services.route53domains.heard import Heard
from cloudstead.services.route53domains.letters import Letters, MailBox, Reachability
from cloudstead.services.route53domains.published import Registry
from cloudstead.services.route53domains.rdap import Rdap
from cloudstead.services.route53domains.reading import Reading
from cloudstead.services.route53domains.reconcile import DomainLives, OperationRuns
from cloudstead.services.route53domains.registering import Registering
from cloudstead.services.route53domains.tags import Tags
from cloudstead.services.route53domains.transfers import Transfers
from cloudstead.store import Store

__all__ = [
    "ROOT_VIEW",
    "TLD_VIEW",
    "Delegations",
    "Heard",
    "MailBox",
    "MakeHostedZone",
    "Rdap",
    "Registry",
    "RegistryNames",
    "Servers",
    "controllers",
    "delegated_to",
    "mail_box",
    "parts",
    "registry",
    "transfer_away",
]


def parts(store: Store, tools: Tools) -> list[object]:
    """The classes whose public methods are the operations."""
    directory = Directory(store, tools)
    letters = Letters(directory)
    return [
        Availability(directory),
        Registering(directory),
        Changing(directory),
        Transfers(directory, letters),
        Reachability(directory, letters),
        Reading(directory, letters),
        Tags(directory),
    ]


def controllers(
    store: Store, tools: Tools, make_hosted_zone: MakeHostedZone
) -> Sequence[Controller[Any, Any]]:
    """What runs operations, and what follows the calendar."""
    directory = Directory(store, tools)
    letters = Letters(directory)
    return [OperationRuns(Applying(directory, letters, make_hosted_zone)), DomainLives(directory, letters)]


def mail_box(store: Store, tools: Tools) -> MailBox:
    return MailBox(Directory(store, tools))


def registry(store: Store, clock: Clock) -> Registry:
    return Registry(store, clock)


def transfer_away(store: Store, tools: Tools, name: str, auth_code: str, registrar: str) -> str:
    """Be another registrar that transfers a domain to itself; return why it may not, or nothing if it may.

    A registry does this for whoever has the code, unless the domain is locked or something is under way.
    """
    directory = Directory(store, tools)
    with store.transaction():
        domain = directory.registered(name)
        if domain is None or not domain.account or directory.phase(domain) != "registered":
            return "there is no such domain with this registrar"
        if domain.locked:
            return "the domain is locked"
        if directory.open_operation(name) is not None:
            return "another operation is in progress"
        if not domain.auth_code or domain.auth_code != auth_code:
            return "the authorization code is not valid"
        store.update(domain, updated_at=tools.this_second(), **elsewhere(registrar))
        directory.note(domain.account, name, "TRANSFER_OUT_DOMAIN")
    return ""
