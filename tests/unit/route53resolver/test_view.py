"""From rows to what a VPC's resolver does."""

from cloudstead.dataplane.dns.zones import Origin, Target
from cloudstead.services.route53resolver.operations import Views
from cloudstead.services.route53resolver.rows import RuleAssociation, VpcSettings


def test_a_vpc_without_anything_does_nothing(world, vpc):
    found = Views(world.store).of(vpc.id)
    assert (found.rules, found.firewall, found.logged, found.autodefined_reverse) == ((), (), False, True)


def test_a_rule_s_questions_go_from_the_addresses_of_its_endpoint_wherever_it_is(world, api, vpc):
    hub = world.vpc("10.9.0.0/16")
    endpoint = world.endpoint(hub)
    rule = api.create_resolver_rule(
        CreatorRequestId="r",
        RuleType="FORWARD",
        DomainName="corp.example",
        TargetIps=[{"Ip": "192.0.2.53", "Port": 5353}],
        ResolverEndpointId=endpoint["Id"],
    )["ResolverRule"]
    system = api.create_resolver_rule(CreatorRequestId="s", RuleType="SYSTEM", DomainName="own.corp.example")
    for id in (rule["Id"], system["ResolverRule"]["Id"]):
        api.associate_resolver_rule(ResolverRuleId=id, VPCId=vpc.id)
    addresses = api.list_resolver_endpoint_ip_addresses(ResolverEndpointId=endpoint["Id"])["IpAddresses"]
    first, second = Views(world.store).of(vpc.id).rules
    assert first.domain == "corp.example."
    assert first.targets == (Target("192.0.2.53", 5353),)
    assert set(first.origins) == {Origin(hub.id, each["Ip"]) for each in addresses}
    assert (second.domain, second.targets) == ("own.corp.example.", ())
    assert Views(world.store).of(hub.id).rules == ()


def test_firewall_rules_stand_in_one_order_the_groups_first(world, api, vpc):
    listed = api.create_firewall_domain_list(CreatorRequestId="l", Name="l")["FirewallDomainList"]["Id"]
    api.update_firewall_domains(FirewallDomainListId=listed, Operation="ADD", Domains=["*", "a.example"])
    for name, priority, rules in (("late", 300, (1, 2)), ("early", 200, (5, 4))):
        group = api.create_firewall_rule_group(CreatorRequestId=name, Name=name)["FirewallRuleGroup"]["Id"]
        for number in rules:
            api.create_firewall_rule(
                CreatorRequestId=str(number),
                FirewallRuleGroupId=group,
                FirewallDomainListId=listed,
                Priority=number,
                Action="BLOCK",
                BlockResponse="NXDOMAIN",
                Name="r",
                Qtype=f"TYPE{number}",
                FirewallDomainRedirectionAction="TRUST_REDIRECTION_DOMAIN",
            )
        api.associate_firewall_rule_group(
            CreatorRequestId=name, FirewallRuleGroupId=group, VpcId=vpc.id, Priority=priority, Name=name
        )
    found = Views(world.store).of(vpc.id).firewall
    assert [each.type for each in found] == ["TYPE4", "TYPE5", "TYPE1", "TYPE2"]
    assert [each.priority for each in found] == [0, 1, 2, 3]
    assert {each.domains for each in found} == {("*", "a.example.")}
    assert all(each.trusts_redirection and each.block_response == "NXDOMAIN" for each in found)


def test_a_view_stays_the_very_same_while_nothing_of_it_changes(world, api, vpc):
    views = Views(world.store)
    api.update_resolver_config(ResourceId=vpc.id, AutodefinedReverseFlag="DISABLE")
    before = views.of(vpc.id)
    assert not before.autodefined_reverse
    world.vpc("10.8.0.0/16")
    assert views.of(vpc.id) is before


def test_what_was_of_a_vpc_goes_with_it_and_a_rule_is_free_again(world, api, vpc):
    other = world.vpc("10.8.0.0/16")
    rule = api.create_resolver_rule(CreatorRequestId="s", RuleType="SYSTEM", DomainName="own.example")
    id = rule["ResolverRule"]["Id"]
    for each in (vpc, other):
        api.associate_resolver_rule(ResolverRuleId=id, VPCId=each.id)
        api.update_resolver_config(ResourceId=each.id, AutodefinedReverseFlag="DISABLE")
    for subnet in vpc.subnets:
        world.ec2.delete_subnet(SubnetId=subnet)
    world.ec2.delete_security_group(GroupId=vpc.group)
    world.ec2.delete_vpc(VpcId=vpc.id)
    world.settle()
    assert [row.vpc_id for row in world.store.rows(RuleAssociation)] == [other.id]
    assert [row.id for row in world.store.rows(VpcSettings)] == [other.id]
