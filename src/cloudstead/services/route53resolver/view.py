"""From rows to what a VPC's resolver does: firewall rules in order, forwarding rules, whether it is logged."""

from collections.abc import Iterator

from cloudstead.dataplane.dns.zones import FirewallRule, Network, Origin, Rule, Target
from cloudstead.services.route53resolver import rows
from cloudstead.services.route53resolver.rows import (
    DomainList,
    Endpoint,
    EndpointAddress,
    GroupAssociation,
    QueryLogAssociation,
    RuleAssociation,
    RuleGroup,
    VpcSettings,
)
from cloudstead.store import Store


def view(store: Store, vpc_id: str) -> Network:
    """What follows for a VPC from the rows as they are."""
    settings = store.get(VpcSettings, vpc_id)
    return Network(
        id=vpc_id,
        rules=tuple(_rules(store, vpc_id)),
        firewall=tuple(_firewall(store, vpc_id)),
        logged=bool(store.rows(QueryLogAssociation, vpc_id=vpc_id)),
        autodefined_reverse=settings is None or settings.autodefined_reverse,
    )


class Views:
    """Views that are worked out again only after something changed."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._moment = -1
        self._views: dict[str, Network] = {}

    def of(self, vpc_id: str) -> Network:
        """The view of a VPC; the very same one as long as it is equal."""
        moment = self._store.moment()
        if moment != self._moment:
            self._moment, known = moment, self._views
            with self._store.reading():
                self._views = {id: _same_or(known[id], view(self._store, id)) for id in known}
        found = self._views.get(vpc_id)
        if found is None:
            with self._store.reading():
                found = self._views[vpc_id] = view(self._store, vpc_id)
        return found


def _same_or(old: Network, new: Network) -> Network:
    return old if old == new else new


def _rules(store: Store, vpc_id: str) -> Iterator[Rule]:
    for association in store.rows(RuleAssociation, vpc_id=vpc_id):
        rule = store.get(rows.Rule, association.rule_id)
        if rule is None:
            continue
        targets = tuple(Target(address=each.ip or each.ipv6, port=each.port) for each in rule.targets)
        yield Rule(domain=rule.domain, targets=targets, origins=tuple(_origins(store, rule.endpoint_id)))


def _origins(store: Store, endpoint_id: str) -> Iterator[Origin]:
    """Where an endpoint asks from."""
    endpoint = store.get(Endpoint, endpoint_id)
    if endpoint is None or endpoint.want == "absent":
        return
    for each in store.rows(EndpointAddress, endpoint_id=endpoint_id, want="present"):
        for address in (each.ip, each.ipv6):
            if address:
                yield Origin(network=endpoint.vpc_id, address=address)


def _firewall(store: Store, vpc_id: str) -> Iterator[FirewallRule]:
    """The rules of all groups as one list: by the groups' priority, then by the rules'."""
    number = 0
    for association in sorted(store.rows(GroupAssociation, vpc_id=vpc_id), key=lambda row: row.priority):
        group = store.get(RuleGroup, association.group_id)
        for rule in group.rules if group is not None else ():
            listed = store.get(DomainList, rule.list_id)
            yield FirewallRule(
                priority=number,
                domains=_domains(listed) if listed is not None else (),
                action=rule.action,
                block_response=rule.block_response or "NODATA",
                override_domain=rule.override_domain,
                override_ttl_s=rule.override_ttl_s or 0,
                type=rule.qtype,
                trusts_redirection=rule.redirection == "TRUST_REDIRECTION_DOMAIN",
                group=association.group_id,
                list=rule.list_id,
            )
            number += 1


def _domains(listed: DomainList) -> tuple[str, ...]:
    """What a list holds; of its sorted names the one for all is the first."""
    return ("*", *listed.domains[1:]) if listed.domains[:1] == ("*.",) else listed.domains
