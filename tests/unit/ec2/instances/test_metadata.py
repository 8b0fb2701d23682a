"""The tree an instance reads at 169.254.169.254."""

import base64
import json
from datetime import timedelta

import pytest
from tests.unit.ec2.instances.world import PROFILE, World

from cloudstead.services.ec2.instance_rows import Instance
from cloudstead.services.ec2.metadata import InstanceCredentials, RoleCredentials, find_guest
from cloudstead.services.ec2.network_rows import Vpc


class Machine:
    """A running instance with a guest's view of itself."""

    def __init__(self, **asked):
        self.world = World()
        self.world.create_key_pair(KeyName="mine", KeyType="ed25519")
        (self.id,) = self.world.run(
            KeyName="mine",
            UserData=base64.b64encode(b"#!/bin/sh\n").decode(),
            IamInstanceProfile={"Name": "web"},
            **asked,
        )
        self.world.settle()
        self.shown = self.world.instance(self.id)
        self.issued = 0
        credentials = InstanceCredentials(
            self.world.clock, lambda arn: "role" if arn == PROFILE.arn else None, self._issue
        )
        self._find = find_guest(self.world.store, credentials)

    def _issue(self, instance_id, profile_arn):
        self.issued += 1
        now = self.world.clock.now()
        return RoleCredentials(
            role="role",
            access_key_id=f"ASIA{self.issued}",
            secret_access_key="secret",
            token=f"for {instance_id}",
            issued_at=now,
            expires_at=now + timedelta(hours=6),
        )

    @property
    def guest(self):
        vpc = self.world.store.rows(Vpc)[0]
        return self._find(vpc.id, self.shown["PrivateIpAddress"])

    def read(self, path):
        found = self.guest.read(path)
        return found if found is None else found.decode()


@pytest.fixture
def machine():
    return Machine()


def test_the_usual_paths(machine):
    shown = machine.shown
    mac = shown["NetworkInterfaces"][0]["MacAddress"]
    here = f"meta-data/network/interfaces/macs/{mac}"
    wanted = {
        "meta-data/instance-id": machine.id,
        "meta-data/ami-id": shown["ImageId"],
        "meta-data/instance-type": "t3.micro",
        "meta-data/hostname": shown["PrivateDnsName"],
        "meta-data/local-hostname": shown["PrivateDnsName"],
        "meta-data/local-ipv4": shown["PrivateIpAddress"],
        "meta-data/public-ipv4": shown["PublicIpAddress"],
        "meta-data/public-hostname": shown["PublicDnsName"],
        "meta-data/mac": mac,
        "meta-data/placement/availability-zone": "us-east-1a",
        "meta-data/placement/availability-zone-id": "use1-az6",
        "meta-data/placement/region": "us-east-1",
        "meta-data/security-groups": "default",
        "meta-data/services/domain": "amazonaws.com",
        "meta-data/public-keys": "0=mine",
        "meta-data/public-keys/0": "openssh-key",
        "meta-data/network": "interfaces/",
        "meta-data/network/interfaces/macs/": f"{mac}/",
        f"{here}/vpc-ipv4-cidr-block": "172.31.0.0/16",
        f"{here}/subnet-ipv4-cidr-block": "172.31.0.0/20",
        f"{here}/ipv4-associations/{shown['PublicIpAddress']}": shown["PrivateIpAddress"],
        "dynamic": "instance-identity/",
        "user-data": "#!/bin/sh\n",
    }
    assert {path: machine.read(path) for path in wanted} == wanted
    assert machine.read("meta-data/public-keys/0/openssh-key").endswith(" mine\n")
    assert "iam/" in machine.read("meta-data").splitlines()


@pytest.mark.parametrize(
    "path",
    [
        "meta-data/spot/instance-action", "meta-data/tags/instance", "meta-data/nonsense", "meta-data/instance-id/more",
        "dynamic/instance-identity/pkcs7", "dynamic/instance-identity/signature", "meta-data/public-keys/1",
    ],
)  # fmt: skip
def test_what_is_absent_is_nothing(machine, path):
    assert machine.read(path) is None


def test_the_identity_document(machine):
    document = json.loads(machine.read("dynamic/instance-identity/document"))
    assert document["instanceId"] == machine.id
    assert (document["region"], document["architecture"], document["accountId"]) == (
        "us-east-1",
        "x86_64",
        "123456789012",
    )
    assert document["billingProducts"] is None


def test_role_keys_stay_until_shortly_before_they_end(machine):
    assert machine.read("meta-data/iam/security-credentials") == "role"
    keys = json.loads(machine.read("meta-data/iam/security-credentials/role"))
    assert (keys["Code"], keys["Type"], keys["AccessKeyId"]) == ("Success", "AWS-HMAC", "ASIA1")
    info = json.loads(machine.read("meta-data/iam/info"))
    assert (info["Code"], info["InstanceProfileArn"]) == ("Success", PROFILE.arn)
    assert machine.issued == 1
    machine.world.clock.advance(5.8 * 3600)
    assert json.loads(machine.read("meta-data/iam/security-credentials/role"))["AccessKeyId"] == "ASIA2"
    assert machine.read("meta-data/iam/security-credentials/other") is None


def test_nothing_of_iam_without_a_profile(machine):
    association = machine.world.describe_iam_instance_profile_associations()[
        "IamInstanceProfileAssociations"
    ][0]
    machine.world.disassociate_iam_instance_profile(AssociationId=association["AssociationId"])
    assert machine.read("meta-data/iam") is None


def test_tags_are_shown_only_where_it_is_allowed(machine):
    machine.world.create_tags(Resources=[machine.id], Tags=[{"Key": "Name", "Value": "web"}])
    machine.world.modify_instance_metadata_options(InstanceId=machine.id, InstanceMetadataTags="enabled")
    assert machine.read("meta-data/tags/instance") == "Name"
    assert machine.read("meta-data/tags/instance/Name") == "web"


def test_a_guest_has_its_own_options(machine):
    machine.world.modify_instance_metadata_options(
        InstanceId=machine.id, HttpTokens="required", HttpPutResponseHopLimit=2
    )
    guest = machine.guest
    assert (guest.id, guest.enabled, guest.tokens, guest.hop_limit) == (machine.id, True, "required", 2)


def test_an_address_that_is_nobodys_has_no_guest(machine):
    assert machine._find(machine.world.store.rows(Vpc)[0].id, "172.31.15.15") is None
    assert machine._find("vpc-0", machine.shown["PrivateIpAddress"]) is None


def test_a_changed_row_is_read_at_once(machine):
    row = machine.world.store.get(Instance, machine.id)
    machine.world.store.update(row, user_data="")
    assert machine.read("user-data") is None
