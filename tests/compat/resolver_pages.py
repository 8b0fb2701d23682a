"""More than a page of all that Route 53 Resolver lists."""


def fill(resolver, ec2, tags):
    """Six VPCs, with settings of each, and three of all else; gives what to ask for where one must be told."""
    vpcs = [ec2.create_vpc(CidrBlock=f"10.{n}.0.0/16")["Vpc"]["VpcId"] for n in range(50, 56)]
    subnet = ec2.create_subnet(VpcId=vpcs[0], CidrBlock="10.50.0.0/24")["Subnet"]["SubnetId"]
    group = ec2.create_security_group(GroupName="dns", Description="dns", VpcId=vpcs[0])["GroupId"]
    for name, vpc in zip("abc", vpcs, strict=False):
        token = {"CreatorRequestId": name}
        endpoint = resolver.create_resolver_endpoint(
            **token,
            Direction="OUTBOUND",
            SecurityGroupIds=[group],
            IpAddresses=[{"SubnetId": subnet}] * 3,
            Tags=tags,
        )["ResolverEndpoint"]
        rule = resolver.create_resolver_rule(**token, RuleType="SYSTEM", DomainName=f"{name}.example")
        resolver.associate_resolver_rule(ResolverRuleId=rule["ResolverRule"]["Id"], VPCId=vpc)
        log = resolver.create_resolver_query_log_config(**token, Name=name, DestinationArn="arn:aws:s3:::it")
        resolver.associate_resolver_query_log_config(
            ResolverQueryLogConfigId=log["ResolverQueryLogConfig"]["Id"], ResourceId=vpc
        )
        resolver.update_resolver_dnssec_config(ResourceId=vpc, Validation="DISABLE")
        group_id, list_id = _firewall(resolver, name, vpc)
    return {
        "ListFirewallDomains": {"FirewallDomainListId": list_id},
        "ListFirewallRules": {"FirewallRuleGroupId": group_id},
        "ListResolverEndpointIpAddresses": {"ResolverEndpointId": endpoint["Id"]},
        "ListTagsForResource": {"ResourceArn": endpoint["Arn"]},
    }


def _firewall(resolver, name, vpc):
    token = {"CreatorRequestId": name, "Name": name}
    group = resolver.create_firewall_rule_group(**token)["FirewallRuleGroup"]["Id"]
    listed = resolver.create_firewall_domain_list(**token)["FirewallDomainList"]["Id"]
    names = ["a.example", "b.example", "c.example"]
    resolver.update_firewall_domains(FirewallDomainListId=listed, Operation="ADD", Domains=names)
    for priority, type in enumerate(("A", "AAAA", "TXT")):
        resolver.create_firewall_rule(
            CreatorRequestId=type,
            FirewallRuleGroupId=group,
            FirewallDomainListId=listed,
            Priority=priority,
            Action="ALLOW",
            Name=type,
            Qtype=type,
        )
    resolver.associate_firewall_rule_group(**token, FirewallRuleGroupId=group, VpcId=vpc, Priority=200)
    return group, listed
