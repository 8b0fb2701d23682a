"""A server that falls and comes back, as Route 53's checkers and its name server tell of it.

AWS's intervals are real here: a look every ten seconds from each of three regions.
"""

import contextlib
import os
import signal
import time
from functools import partial
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import dns.message
import dns.query
import pytest
from tests.e2e.machines import instances
from tests.support.cloud import Cloud, free_port, until

REGIONS = ["us-east-1", "eu-west-1", "ap-northeast-1"]
WITHIN_S = 25


class Page(BaseHTTPRequestHandler):
    agents = []

    def do_GET(self):
        self.agents.append(self.headers["User-Agent"])
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_):
        pass


@contextlib.contextmanager
def serving(port):
    server = HTTPServer(("127.0.0.1", port), Page)
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()


@pytest.fixture
def fake_cloud(tmp_path):
    cloud = Cloud(tmp_path, machines="fake")
    cloud.up()
    yield cloud
    cloud.down()


def record(role, value, check=None):
    return {
        "Name": "www.example.test",
        "Type": "A",
        "TTL": 5,
        "SetIdentifier": role,
        "Failover": role,
        "ResourceRecords": [{"Value": value}],
        **({"HealthCheckId": check} if check else {}),
    }


def answered(cloud):
    answer = dns.query.udp(
        dns.message.make_query("www.example.test", "A"), "127.0.0.1", port=cloud.dns_port, timeout=5
    )
    return [each.to_text() for rrset in answer.answer for each in rrset]


def test_answers_fail_over_and_come_back_with_the_endpoint(fake_cloud):
    cloud = fake_cloud
    route53, port = cloud.client("route53"), free_port()
    endpoint = {"IPAddress": "127.0.0.1", "Port": port, "RequestInterval": 10, "FailureThreshold": 1}
    check = route53.create_health_check(
        CallerReference="1", HealthCheckConfig={"Type": "HTTP", "Regions": REGIONS, **endpoint}
    )["HealthCheck"]["Id"]
    zone = route53.create_hosted_zone(Name="example.test", CallerReference="1")["HostedZone"]["Id"]
    sets = [record("PRIMARY", "192.0.2.1", check), record("SECONDARY", "192.0.2.2")]
    changes = [{"Action": "CREATE", "ResourceRecordSet": each} for each in sets]
    route53.change_resource_record_sets(HostedZoneId=zone, ChangeBatch={"Changes": changes})
    until(lambda: answered(cloud) == ["192.0.2.1"])  # it is new, and so healthy; nobody listens there

    until(lambda: answered(cloud) == ["192.0.2.2"], WITHIN_S)
    until(lambda: texts(route53.get_health_check_status, check) == {"Failure: Connection refused."})
    os.kill(cloud.processes()["checks"], signal.SIGKILL)
    with serving(port):
        until(lambda: answered(cloud) == ["192.0.2.1"], WITHIN_S)
        ok = {"Success: HTTP Status Code 200, OK"}
        until(lambda: texts(route53.get_health_check_status, check) == ok, WITHIN_S)
    assert texts(route53.get_health_check_last_failure_reason, check) == {"Failure: Connection refused."}
    assert set(Page.agents) == {
        f"Amazon-Route53-Health-Check-Service (ref {check}; report http://amzn.to/1vsZADi)"
    }

    flip = partial(route53.update_health_check, HealthCheckId=check)
    for inverted, value in ((True, "192.0.2.2"), (False, "192.0.2.1")):
        flip(Inverted=inverted)
        called = time.monotonic()
        until(lambda value=value: answered(cloud) == [value], every_s=0.001)
        assert time.monotonic() - called < 1


def texts(operation, check):
    observed = operation(HealthCheckId=check)["HealthCheckObservations"]
    return {each["StatusReport"]["Status"] for each in observed}


def test_an_instance_is_found_by_its_name_and_hears_the_address_that_is_told(cloud, tiny):
    ec2, route53 = cloud.client("ec2"), cloud.client("route53")
    vpc = ec2.describe_vpcs(Filters=[{"Name": "is-default", "Values": ["true"]}])["Vpcs"][0]["VpcId"]
    group = ec2.create_security_group(GroupName="checked", Description="checked", VpcId=vpc)["GroupId"]
    checkers = route53.get_checker_ip_ranges()["CheckerIpRanges"][0]
    ec2.authorize_security_group_ingress(
        GroupId=group, IpProtocol="tcp", FromPort=22, ToPort=22, CidrIp=checkers
    )
    with instances(cloud, tiny, SecurityGroupIds=[group]) as (instance,):
        endpoint = {"FullyQualifiedDomainName": instance["PublicDnsName"], "Port": 22}
        config = {"Type": "TCP", "Regions": REGIONS, "RequestInterval": 10, **endpoint}
        check = route53.create_health_check(CallerReference="i", HealthCheckConfig=config)["HealthCheck"][
            "Id"
        ]
        text = f"Success: Resolved IP: {instance['PublicIpAddress']}. The TCP connection was established."
        until(lambda: text in texts(route53.get_health_check_status, check), WITHIN_S)
        told = route53.get_health_check_status(HealthCheckId=check)["HealthCheckObservations"]
        assert {each["IPAddress"] for each in told if each["StatusReport"]["Status"] == text} == {
            checkers.removesuffix("/32")
        }
        route53.delete_health_check(HealthCheckId=check)
    ec2.delete_security_group(GroupId=group)
