"""Clients that pip does not bring along: the AWS SDK for JavaScript, and Ansible. Where they are is told by the environment.

CLOUDSTEAD_TEST_NODE_MODULES is a node_modules folder with @aws-sdk/client-{ec2,iam,ssm,sts}; CLOUDSTEAD_TEST_ANSIBLE
an ansible-playbook that has the collection amazon.aws, and boto3.
"""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from tests.support.cloud import Cloud

MODULES = os.environ.get("CLOUDSTEAD_TEST_NODE_MODULES", "")
PLAYBOOK = os.environ.get("CLOUDSTEAD_TEST_ANSIBLE", "")


@pytest.fixture(scope="module")
def cloud(tmp_path_factory):
    cloud = Cloud(tmp_path_factory.mktemp("cloud"), machines="fake")
    cloud.up()
    try:
        yield cloud
    finally:
        cloud.down()


def said_by(cloud, *words, **environment):
    done = subprocess.run(
        words,
        env={**cloud.environment, **environment},
        cwd=cloud.folder,
        capture_output=True,
        text=True,
        timeout=110,
        stdin=subprocess.DEVNULL,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


# --- the AWS SDK for JavaScript

_JAVASCRIPT = """
const {EC2, waitUntilInstanceRunning, paginateDescribeInstanceTypes} = require('@aws-sdk/client-ec2');
const {IAM} = require('@aws-sdk/client-iam');
const {SSM} = require('@aws-sdk/client-ssm');
const {STS} = require('@aws-sdk/client-sts');
const once = {maxAttempts: 1};
const ec2 = new EC2(once), iam = new IAM(once), ssm = new SSM(once), sts = new STS(once);
const unknown = {...once, credentials: {accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey: 'x'}};
const refused = async (call) => {
    try { await call; } catch (e) { return [e.name, e.$metadata.httpStatusCode, e.constructor.name]; }
};
(async () => {
    const {Images} = await ec2.describeImages({Filters: [{Name: 'name', Values: ['cloudstead-tiny-*']}]});
    const launched = await ec2.runInstances({ImageId: Images[0].ImageId, InstanceType: 't3.nano', MinCount: 1, MaxCount: 1});
    const InstanceIds = [launched.Instances[0].InstanceId];
    const waited = await waitUntilInstanceRunning({client: ec2, maxWaitTime: 30, minDelay: 1, maxDelay: 1}, {InstanceIds});
    let types = 0;
    for await (const page of paginateDescribeInstanceTypes({client: ec2, pageSize: 50}, {})) types += page.InstanceTypes.length;
    await ec2.terminateInstances({InstanceIds});
    await iam.createUser({UserName: 'js'});
    const {User} = await iam.getUser({UserName: 'js'});
    await ssm.putParameter({Name: '/js', Value: '1', Type: 'String'});
    console.log(JSON.stringify({
        account: (await sts.getCallerIdentity({})).Account,
        waited: waited.state,
        launched: launched.Instances[0].LaunchTime instanceof Date,
        created: User.CreateDate.getMilliseconds(),
        types,
        read: (await ssm.getParameter({Name: '/js'})).Parameter.Value,
        refused: {
            vpc: await refused(ec2.deleteVpc({VpcId: 'vpc-0123456789abcdef0'})),
            dry: await refused(ec2.describeVpcs({DryRun: true})),
            unbuilt: await refused(ec2.describeFleets({})),
            ec2: await refused(new EC2(unknown).describeVpcs({})),
            user: await refused(iam.createUser({UserName: 'js'})),
            nobody: await refused(iam.getUser({UserName: 'nobody'})),
            policy: await refused(iam.createRole({RoleName: 'x', AssumeRolePolicyDocument: '{'})),
            iam: await refused(new IAM(unknown).listUsers({})),
            parameter: await refused(ssm.getParameter({Name: '/nothing'})),
            again: await refused(ssm.putParameter({Name: '/js', Value: '1', Type: 'String'})),
            ssm: await refused(new SSM(unknown).describeParameters({})),
            role: await refused(sts.assumeRole({RoleArn: 'arn:aws:iam::1:role/x', RoleSessionName: 'x'})),
        },
    }));
})();
"""


@pytest.mark.skipif(
    not MODULES or shutil.which("node") is None, reason="needs node and CLOUDSTEAD_TEST_NODE_MODULES"
)
def test_javascript_understands_what_is_answered_and_what_is_refused(cloud):
    said = said_by(
        cloud, "node", "-e", _JAVASCRIPT, NODE_PATH=str(Path(MODULES).absolute()), NODE_NO_WARNINGS="1"
    )
    told = json.loads(said.splitlines()[-1])
    types = cloud.client("ec2").get_paginator("describe_instance_types").paginate().build_full_result()
    assert told.pop("refused") == {
        "vpc": ["InvalidVpcID.NotFound", 400, "EC2ServiceException"],
        "dry": ["DryRunOperation", 412, "EC2ServiceException"],
        "unbuilt": ["NotImplemented", 501, "EC2ServiceException"],
        "ec2": ["AuthFailure", 401, "EC2ServiceException"],
        "user": ["EntityAlreadyExistsException", 409, "EntityAlreadyExistsException"],
        "nobody": ["NoSuchEntityException", 404, "NoSuchEntityException"],
        "policy": ["MalformedPolicyDocumentException", 400, "MalformedPolicyDocumentException"],
        "iam": ["InvalidClientTokenId", 403, "IAMServiceException"],
        "parameter": ["ParameterNotFound", 400, "ParameterNotFound"],
        "again": ["ParameterAlreadyExists", 400, "ParameterAlreadyExists"],
        "ssm": ["UnrecognizedClientException", 400, "SSMServiceException"],
        "role": ["ValidationError", 400, "STSServiceException"],
    }
    assert told == {
        "account": cloud.health()["account"],
        "waited": "SUCCESS",
        "launched": True,
        "created": 0,
        "types": len(types["InstanceTypes"]),
        "read": "1",
    }


# --- Ansible

_PLAY = """
- hosts: localhost
  connection: local
  gather_facts: false
  vars:
    trust: >-
      {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"},
      "Action": "sts:AssumeRole"}]}
  tasks:
    - amazon.aws.ec2_vpc_net: {name: play, cidr_block: 10.50.0.0/16}
      register: vpc
    - amazon.aws.ec2_vpc_igw: {vpc_id: "{{ vpc.vpc.id }}"}
      register: gateway
    - amazon.aws.ec2_vpc_subnet: {vpc_id: "{{ vpc.vpc.id }}", cidr: 10.50.1.0/24, az: us-east-1a, map_public: true}
      register: subnet
    - amazon.aws.ec2_vpc_route_table:
        vpc_id: "{{ vpc.vpc.id }}"
        subnets: ["{{ subnet.subnet.id }}"]
        tags: {Name: play}
        routes: [{dest: 0.0.0.0/0, gateway_id: "{{ gateway.gateway_id }}"}]
    - amazon.aws.ec2_security_group:
        name: play
        description: of the play
        vpc_id: "{{ vpc.vpc.id }}"
        rules:
          - {proto: tcp, ports: [22, 80], cidr_ip: 0.0.0.0/0, rule_desc: web}
          - {proto: all, group_name: play}
      register: group
    - amazon.aws.ec2_key: {name: play}
    - amazon.aws.iam_role:
        name: play
        assume_role_policy_document: "{{ trust }}"
        managed_policies: [arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess]
        tags: {stage: test}
    - amazon.aws.ec2_instance:
        name: play
        image_id: IMAGE
        instance_type: t3.micro
        vpc_subnet_id: "{{ subnet.subnet.id }}"
        security_group: "{{ group.group_id }}"
        key_name: play
        instance_role: play
        exact_count: 1
        filters: {"tag:Name": play, instance-state-name: [pending, running]}
        wait: true
"""


@pytest.mark.skipif(not PLAYBOOK, reason="needs CLOUDSTEAD_TEST_ANSIBLE")
def test_a_play_that_runs_again_changes_nothing(cloud):
    image = cloud.client("ec2").describe_images(Filters=[{"Name": "name", "Values": ["cloudstead-tiny-*"]}])
    play = _PLAY.replace("IMAGE", image["Images"][0]["ImageId"])
    (cloud.folder / "play.yml").write_text(play)
    told = {"ANSIBLE_NOCOLOR": "1", "ANSIBLE_PYTHON_INTERPRETER": str(Path(PLAYBOOK).with_name("python"))}
    first = said_by(cloud, PLAYBOOK, "play.yml", **told)
    assert "ok=8    changed=8 " in first
    again = said_by(cloud, PLAYBOOK, "play.yml", **told)
    assert "ok=8    changed=0 " in again
