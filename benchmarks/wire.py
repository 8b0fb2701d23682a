"""What the wire costs: DescribeInstances of 1, 100 and 1000 instances, PutMetricData of 20 in three protocols.

    python benchmarks/wire.py

Medians of repeated runs, one process, no network. `again` is an answer whose elements were written before.
"""

import datetime as dt
import json
import statistics
import time
from collections.abc import Callable
from urllib.parse import urlencode

import cbor2

from cloudstead.core.cached import Cached
from cloudstead.gateway.wire import WireRequest, load, parse, serialize
from cloudstead.gateway.wire.model import Match

STARTED = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)


def median_us(work: Callable[[], object], rounds: int) -> float:
    work()
    taken = []
    for _ in range(rounds):
        start = time.perf_counter()
        work()
        taken.append(time.perf_counter() - start)
    return statistics.median(taken) * 1e6


def instance(number: int) -> dict[str, object]:
    id = f"{number:017x}"
    group = {"GroupId": f"sg-{id}", "GroupName": "default"}
    return {
        "ReservationId": f"r-{id}",
        "OwnerId": "123456789012",
        "Groups": [],
        "Instances": [
            {
                "InstanceId": f"i-{id}",
                "ImageId": f"ami-{id}",
                "State": {"Code": 16, "Name": "running"},
                "PrivateDnsName": f"ip-10-0-0-{number % 250}.ec2.internal",
                "PublicDnsName": "",
                "StateTransitionReason": "",
                "KeyName": "key",
                "AmiLaunchIndex": 0,
                "ProductCodes": [],
                "InstanceType": "t3.micro",
                "LaunchTime": STARTED,
                "Placement": {"AvailabilityZone": "us-east-1a", "GroupName": "", "Tenancy": "default"},
                "Monitoring": {"State": "disabled"},
                "SubnetId": f"subnet-{id}",
                "VpcId": f"vpc-{id}",
                "PrivateIpAddress": f"10.0.0.{number % 250}",
                "Architecture": "x86_64",
                "RootDeviceType": "ebs",
                "RootDeviceName": "/dev/xvda",
                "BlockDeviceMappings": [
                    {
                        "DeviceName": "/dev/xvda",
                        "Ebs": {
                            "AttachTime": STARTED,
                            "DeleteOnTermination": True,
                            "Status": "attached",
                            "VolumeId": f"vol-{id}",
                        },
                    }
                ],
                "VirtualizationType": "hvm",
                "ClientToken": id,
                "Tags": [{"Key": "Name", "Value": f"web & {number}"}, {"Key": "team", "Value": "blue"}],
                "SecurityGroups": [group],
                "SourceDestCheck": True,
                "Hypervisor": "xen",
                "NetworkInterfaces": [
                    {
                        "NetworkInterfaceId": f"eni-{id}",
                        "SubnetId": f"subnet-{id}",
                        "VpcId": f"vpc-{id}",
                        "Description": "",
                        "OwnerId": "123456789012",
                        "Status": "in-use",
                        "MacAddress": "02:00:00:00:00:01",
                        "PrivateIpAddress": f"10.0.0.{number % 250}",
                        "SourceDestCheck": True,
                        "Groups": [group],
                        "Attachment": {
                            "AttachmentId": f"eni-attach-{id}",
                            "DeviceIndex": 0,
                            "Status": "attached",
                            "AttachTime": STARTED,
                            "DeleteOnTermination": True,
                        },
                        "PrivateIpAddresses": [{"PrivateIpAddress": "10.0.0.1", "Primary": True}],
                    }
                ],
                "EbsOptimized": False,
                "EnaSupport": True,
                "CpuOptions": {"CoreCount": 1, "ThreadsPerCore": 2},
                "CapacityReservationSpecification": {"CapacityReservationPreference": "open"},
                "HibernationOptions": {"Configured": False},
                "MetadataOptions": {
                    "State": "applied",
                    "HttpTokens": "optional",
                    "HttpPutResponseHopLimit": 1,
                    "HttpEndpoint": "enabled",
                },
                "EnclaveOptions": {"Enabled": False},
            }
        ],
    }


def asked(service: str, request: WireRequest) -> Match:
    return load(service).match(request)


def describe_instances() -> None:
    request = WireRequest("POST", "/", body=b"Action=DescribeInstances&Version=2016-11-15&InstanceId.1=i-1")
    match = asked("ec2", request)
    print(
        f"parse DescribeInstances of one id   {median_us(lambda: parse(asked('ec2', request), request), 2000):10.1f} us"
    )
    for count in (1, 100, 1000):
        plain = [instance(number) for number in range(count)]
        cached = [Cached((count, number, 1), value) for number, value in enumerate(plain)]
        first = median_us(
            lambda plain=plain: serialize(match, {"Reservations": plain}, "id"), 2000 // count + 5
        )
        again = median_us(
            lambda cached=cached: serialize(match, {"Reservations": cached}, "id"), 2000 // count + 5
        )
        size = len(serialize(match, {"Reservations": plain}, "id").body)
        print(f"serialize {count:5} instances ({size:9} B)  {first:10.1f} us   again {again:10.1f} us")


def put_metric_data() -> None:
    data = [
        {
            "MetricName": f"m{number}",
            "Value": number * 1.5,
            "Unit": "Count",
            "Timestamp": STARTED,
            "Dimensions": [{"Name": "InstanceId", "Value": f"i-{number}"}, {"Name": "host", "Value": "a b"}],
        }
        for number in range(20)
    ]
    form = {"Action": "PutMetricData", "Version": "2010-08-01", "Namespace": "app"}
    for number, one in enumerate(data, 1):
        start = f"MetricData.member.{number}"
        form |= {f"{start}.{name}": str(one[name]) for name in ("MetricName", "Value", "Unit")}
        form[f"{start}.Timestamp"] = "2026-01-01T00:00:00Z"
        for place, dimension in enumerate(one["Dimensions"], 1):  # type: ignore[arg-type]
            form |= {f"{start}.Dimensions.member.{place}.{name}": text for name, text in dimension.items()}
    params = {"Namespace": "app", "MetricData": data}
    prefix = load("cloudwatch").metadata.target_prefix
    requests = {
        "query": WireRequest("POST", "/", body=urlencode(form).encode()),
        "json": WireRequest(
            "POST",
            "/",
            headers={"x-amz-target": f"{prefix}.PutMetricData"},
            body=json.dumps(params, default=lambda moment: moment.timestamp()).encode(),
        ),
        "cbor": WireRequest(
            "POST",
            f"/service/{prefix}/operation/PutMetricData",
            headers={"smithy-protocol": "rpc-v2-cbor"},
            body=cbor2.dumps(params, datetime_as_timestamp=True),
        ),
    }
    for name, request in requests.items():
        taken = median_us(lambda request=request: parse(asked("cloudwatch", request), request), 500)
        print(f"parse PutMetricData, 20 data, {name:6} ({len(request.body):5} B) {taken:8.1f} us")


if __name__ == "__main__":
    started = time.perf_counter()
    load("ec2")
    print(f"load EC2's description              {(time.perf_counter() - started) * 1e3:10.1f} ms")
    describe_instances()
    put_metric_data()
