"""Rules, firewall and endpoints of Route 53 Resolver, as a machine in the VPC meets them."""

import gzip
import json
import os
import signal
import socket
import struct
import threading
from contextlib import contextmanager

import dns.flags
import dns.message
import dns.rrset
import pytest
from tests.e2e.machines import instances, log_in
from tests.support.cloud import until

from cloudstead.dataplane.network import namespaces


class NameServer(threading.Thread):
    """Answers questions about `corp.example` inside a network namespace, over UDP with TC set for `big`, and over TCP."""

    def __init__(self, namespace):
        super().__init__(daemon=True)
        self.asked = []
        self._udp = namespaces.inside(namespace, lambda: self._bound(socket.SOCK_DGRAM))
        self._tcp = namespaces.inside(namespace, lambda: self._bound(socket.SOCK_STREAM))
        self._tcp.listen()
        self._over = threading.Event()

    @staticmethod
    def _bound(kind):
        sock = socket.socket(socket.AF_INET, kind)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(("0.0.0.0", 53))
        sock.settimeout(0.2)
        return sock

    def run(self):
        while not self._over.is_set():
            try:
                wire, peer = self._udp.recvfrom(4096)
                self._udp.sendto(self._answer(wire, peer, tcp=False), peer)
            except TimeoutError:
                pass
            try:
                self._tcp.settimeout(0.01)
                connection, peer = self._tcp.accept()
            except TimeoutError:
                continue
            with connection:
                connection.settimeout(2)
                (length,) = struct.unpack("!H", connection.recv(2))
                answer = self._answer(connection.recv(length), peer, tcp=True)
                connection.sendall(len(answer).to_bytes(2) + answer)

    def _answer(self, wire, peer, *, tcp):
        query = dns.message.from_wire(wire)
        name = query.question[0].name
        self.asked.append((name.to_text(), peer[0], tcp))
        answer = dns.message.make_response(query)
        if name.to_text().startswith("big.") and not tcp:
            answer.flags |= dns.flags.TC
        elif name.to_text().startswith("alias."):
            answer.answer.append(dns.rrset.from_text(name, 5, "IN", "CNAME", "evil.example."))
            answer.answer.append(dns.rrset.from_text("evil.example.", 5, "IN", "A", "203.0.113.66"))
        else:
            answer.answer.append(dns.rrset.from_text(name, 5, "IN", "A", "203.0.113.7"))
        return answer.to_wire()

    def close(self):
        self._over.set()
        self.join()
        self._udp.close()
        self._tcp.close()


@contextmanager
def name_server(cloud, instance):
    server = NameServer(cloud.data / "run" / "netns" / instance["InstanceId"])
    server.start()
    try:
        yield server
    finally:
        server.close()


@pytest.fixture
def resolver(cloud):
    return cloud.client("route53resolver")


@pytest.fixture
def open_group(cloud, group):
    """The group of the tests' machines, with everything let in from the VPC besides."""
    ec2 = cloud.client("ec2")
    vpc = ec2.describe_security_groups(GroupIds=[group])["SecurityGroups"][0]["VpcId"]
    made = ec2.create_security_group(GroupName="resolver", Description="all of the VPC", VpcId=vpc)["GroupId"]
    permission = {"IpProtocol": "-1", "IpRanges": [{"CidrIp": "172.31.0.0/16"}]}
    ec2.authorize_security_group_ingress(GroupId=made, IpPermissions=[permission])
    yield made
    ec2.delete_security_group(GroupId=made)


@contextmanager
def endpoint(resolver, group, subnet, direction):
    made = resolver.create_resolver_endpoint(
        CreatorRequestId=direction,
        Direction=direction,
        SecurityGroupIds=[group],
        IpAddresses=[{"SubnetId": subnet}] * 2,
    )["ResolverEndpoint"]["Id"]

    def shown():
        return resolver.get_resolver_endpoint(ResolverEndpointId=made)["ResolverEndpoint"]["Status"]

    try:
        until(lambda: shown() == "OPERATIONAL", 20)
        yield made
    finally:
        resolver.delete_resolver_endpoint(ResolverEndpointId=made)
        until(
            lambda: (
                made not in {each["Id"] for each in resolver.list_resolver_endpoints()["ResolverEndpoints"]}
            ),
            20,
        )


@contextmanager
def forwarded(resolver, endpoint_id, vpc, domain, target):
    rule = resolver.create_resolver_rule(
        CreatorRequestId=domain,
        RuleType="FORWARD",
        DomainName=domain,
        TargetIps=[{"Ip": target}],
        ResolverEndpointId=endpoint_id,
    )["ResolverRule"]["Id"]
    resolver.associate_resolver_rule(ResolverRuleId=rule, VPCId=vpc)
    try:
        yield
    finally:
        resolver.disassociate_resolver_rule(ResolverRuleId=rule, VPCId=vpc)
        resolver.delete_resolver_rule(ResolverRuleId=rule)


@contextmanager
def private_zone(cloud, vpc, domain, **records):
    route53 = cloud.client("route53")
    zone = route53.create_hosted_zone(
        Name=domain, CallerReference=domain, VPC={"VPCRegion": "us-east-1", "VPCId": vpc}
    )["HostedZone"]["Id"]
    sets = [
        {"Name": f"{name}.{domain}", "Type": "A", "TTL": 5, "ResourceRecords": [{"Value": value}]}
        for name, value in records.items()
    ]

    def change(action):
        changes = [{"Action": action, "ResourceRecordSet": one} for one in sets]
        id = route53.change_resource_record_sets(HostedZoneId=zone, ChangeBatch={"Changes": changes})
        return id["ChangeInfo"]["Id"]

    made = change("CREATE")
    until(lambda: route53.get_change(Id=made)["ChangeInfo"]["Status"] == "INSYNC", 10)
    try:
        yield
    finally:
        change("DELETE")
        route53.delete_hosted_zone(Id=zone)


@contextmanager
def firewall(resolver, vpc, domains, **what):
    token = {"CreatorRequestId": "block", "Name": "block"}
    listed = resolver.create_firewall_domain_list(**token)["FirewallDomainList"]["Id"]
    resolver.update_firewall_domains(FirewallDomainListId=listed, Operation="ADD", Domains=domains)
    group = resolver.create_firewall_rule_group(**token)["FirewallRuleGroup"]["Id"]
    key = {"FirewallRuleGroupId": group, "FirewallDomainListId": listed}
    resolver.create_firewall_rule(**token, **key, Priority=1, **what)
    associated = resolver.associate_firewall_rule_group(
        **token, FirewallRuleGroupId=group, VpcId=vpc, Priority=101
    )["FirewallRuleGroupAssociation"]["Id"]
    try:
        yield
    finally:
        resolver.disassociate_firewall_rule_group(FirewallRuleGroupAssociationId=associated)
        resolver.delete_firewall_rule(**key)
        resolver.delete_firewall_rule_group(FirewallRuleGroupId=group)
        resolver.delete_firewall_domain_list(FirewallDomainListId=listed)


def looked_up(cloud, key, instance, name, server=""):
    return log_in(cloud, key, instance, f"nslookup -type=a {name} {server} 2>&1 || true")


def test_a_guest_s_questions_are_forwarded_blocked_and_let_in(cloud, resolver, key, tiny, group, open_group):
    with instances(cloud, tiny, count=2, key=key, SecurityGroupIds=[group, open_group]) as (guest, far):
        vpc, subnet = guest["VpcId"], guest["SubnetId"]
        with (
            name_server(cloud, far) as server,
            endpoint(resolver, open_group, subnet, "OUTBOUND") as outbound,
            forwarded(resolver, outbound, vpc, "corp.example", far["PrivateIpAddress"]),
        ):
            ips = resolver.list_resolver_endpoint_ip_addresses(ResolverEndpointId=outbound)["IpAddresses"]
            assert "203.0.113.7" in looked_up(cloud, key, guest, "www.corp.example")
            assert server.asked[-1][0] == "www.corp.example."
            assert server.asked[-1][1] in {each["Ip"] for each in ips}
            assert "203.0.113.7" in looked_up(cloud, key, guest, "big.corp.example")
            assert server.asked[-1][2], "what does not fit is asked again over TCP"
            own = guest["PrivateDnsName"]
            assert guest["PrivateIpAddress"] in looked_up(cloud, key, guest, own)

            with firewall(
                resolver,
                vpc,
                ["bad.corp.example", "*.worse.corp.example", "evil.example"],
                Action="BLOCK",
                BlockResponse="NXDOMAIN",
            ):
                asked = len(server.asked)
                for name in ("bad.corp.example", "a.b.worse.corp.example"):
                    said = looked_up(cloud, key, guest, name)
                    assert "203.0.113.7" not in said
                    assert "NXDOMAIN" in said or "can't resolve" in said, said
                assert len(server.asked) == asked, "nobody was asked"
                assert "203.0.113.66" not in looked_up(cloud, key, guest, "alias.corp.example")
                assert "203.0.113.7" in looked_up(cloud, key, guest, "www.corp.example")
            assert "203.0.113.7" in looked_up(cloud, key, guest, "bad.corp.example")

            with endpoint(resolver, open_group, subnet, "INBOUND") as inbound:
                at = resolver.list_resolver_endpoint_ip_addresses(ResolverEndpointId=inbound)["IpAddresses"]
                assert guest["PrivateIpAddress"] in looked_up(cloud, key, far, own, at[0]["Ip"])
                assert "203.0.113.7" in looked_up(cloud, key, guest, "www.corp.example", at[1]["Ip"])
        assert "203.0.113.7" not in looked_up(cloud, key, guest, "www.corp.example")


def test_private_zones_yield_to_rules_of_the_same_domain_and_to_the_firewall(
    cloud, resolver, key, tiny, group, open_group
):
    with instances(cloud, tiny, count=2, key=key, SecurityGroupIds=[group, open_group]) as (guest, far):
        vpc = guest["VpcId"]
        with private_zone(cloud, vpc, "corp.example", www="10.9.9.9"):
            assert "10.9.9.9" in looked_up(cloud, key, guest, "www.corp.example")
            with (
                name_server(cloud, far),
                endpoint(resolver, open_group, guest["SubnetId"], "OUTBOUND") as outbound,
            ):
                with forwarded(resolver, outbound, vpc, "corp.example", far["PrivateIpAddress"]):
                    assert "203.0.113.7" in looked_up(cloud, key, guest, "www.corp.example")
                with forwarded(resolver, outbound, vpc, "example", far["PrivateIpAddress"]):
                    assert "10.9.9.9" in looked_up(cloud, key, guest, "www.corp.example")
                    assert "203.0.113.7" in looked_up(cloud, key, guest, "www.other.example")
            with firewall(resolver, vpc, ["*.corp.example"], Action="BLOCK", BlockResponse="NODATA"):
                assert "10.9.9.9" not in looked_up(cloud, key, guest, "www.corp.example")
            assert "10.9.9.9" in looked_up(cloud, key, guest, "www.corp.example")


def test_what_a_vpc_asks_is_logged_into_a_bucket_also_when_the_controller_ends(
    cloud, resolver, key, tiny, group
):
    s3, bucket = cloud.client("s3"), "dns-query-logs"
    s3.create_bucket(Bucket=bucket)
    config = resolver.create_resolver_query_log_config(
        Name="log", DestinationArn=f"arn:aws:s3:::{bucket}", CreatorRequestId="log"
    )["ResolverQueryLogConfig"]["Id"]
    with instances(cloud, tiny, key=key, SecurityGroupIds=[group]) as (guest,):
        associated = {"ResolverQueryLogConfigId": config, "ResourceId": guest["VpcId"]}
        resolver.associate_resolver_query_log_config(**associated)
        looked_up(cloud, key, guest, guest["PrivateDnsName"])
        os.kill(cloud.processes()["controller"], signal.SIGTERM)
        until(lambda: s3.list_objects_v2(Bucket=bucket)["KeyCount"], 20)
        resolver.disassociate_resolver_query_log_config(**associated)
    lines = []
    for each in s3.list_objects_v2(Bucket=bucket)["Contents"]:
        body = s3.get_object(Bucket=bucket, Key=each["Key"])["Body"].read()
        lines += map(json.loads, gzip.decompress(body).splitlines())
        s3.delete_object(Bucket=bucket, Key=each["Key"])
    (line,) = [one for one in lines if one["query_name"] == guest["PrivateDnsName"] + "." and one["answers"]]
    assert line["answers"][0]["Rdata"] == guest["PrivateIpAddress"]
    assert line["srcids"] == {"instance": guest["InstanceId"]}
    assert (line["vpc_id"], line["srcaddr"]) == (guest["VpcId"], guest["PrivateIpAddress"])
    resolver.delete_resolver_query_log_config(ResolverQueryLogConfigId=config)


def test_a_list_of_domains_is_imported_from_a_bucket(cloud, resolver):
    s3, bucket = cloud.client("s3"), "dns-lists"
    s3.create_bucket(Bucket=bucket)
    names = [f"host-{n}.example." for n in range(20_000)]
    s3.put_object(Bucket=bucket, Key="many", Body="\n".join(names).encode())
    listed = resolver.create_firewall_domain_list(CreatorRequestId="i", Name="i")["FirewallDomainList"]["Id"]
    answer = resolver.import_firewall_domains(
        FirewallDomainListId=listed, Operation="REPLACE", DomainFileUrl=f"s3://{bucket}/many"
    )
    assert answer["Status"] == "COMPLETE"
    pages = resolver.get_paginator("list_firewall_domains").paginate(FirewallDomainListId=listed)
    assert sorted(name for page in pages for name in page["Domains"]) == sorted(names)
    resolver.delete_firewall_domain_list(FirewallDomainListId=listed)
    s3.delete_object(Bucket=bucket, Key="many")
    s3.delete_bucket(Bucket=bucket)
