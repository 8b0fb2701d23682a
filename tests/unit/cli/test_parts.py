"""The commands that look at the machine, or change it: what they would do."""

import argparse
import json
import os
import re
import sys
from pathlib import Path

import pytest
from tests.support.cloud import free_port

from cloudstead.cli import masters, probes, resolver, setup
from cloudstead.cli.arguments import parser
from cloudstead.cli.doctor import doctor
from cloudstead.cli.problems import Problem
from cloudstead.cli.setup import PARTS, missing
from cloudstead.cli.ssh import Wanted, _identity, _login, _query, command
from cloudstead.cli.up import offer_setup
from cloudstead.core.settings import Settings, known

INSTANCE = {"InstanceId": "i-0abc", "KeyName": "mykey"}


def test_every_setting_has_a_flag_of_up():
    up = parser()._subparsers._group_actions[0].choices["up"]
    flags = {flag for action in up._actions for flag in action.option_strings}
    assert {setting.flag for setting in known()} <= flags


def test_a_flag_that_is_not_given_says_nothing():
    given = parser().parse_args(["up"])
    assert isinstance(given, argparse.Namespace)
    assert all(getattr(given, setting.name) is None for setting in known())
    assert parser().parse_args(["up", "--no-egress"]).egress is False


def test_ssh_needs_no_names_and_knows_hosts_by_instance(tmp_path):
    words = command(
        INSTANCE,
        address="198.18.0.5",
        login="admin",
        identity=Path("k.pem"),
        known_hosts=tmp_path / "known",
        words=("id",),
    )
    assert words[-4:] == ["-l", "admin", "i-0abc", "id"]
    assert "HostName=198.18.0.5" in words
    assert "Port=22" in words
    assert "HostKeyAlias=i-0abc" in words
    assert f"UserKnownHostsFile={tmp_path / 'known'}" in words
    assert words[1:3] == ["-i", "k.pem"]


@pytest.mark.parametrize(
    ("name", "query"),
    [
        ("i-0abc", {"InstanceIds": ["i-0abc"]}),
        ("198.18.0.5", {"Filters": [{"Name": "ip-address", "Values": ["198.18.0.5"]}]}),
        ("web", {"Filters": [{"Name": "tag:Name", "Values": ["web"]}]}),
        ("i-am-web", {"Filters": [{"Name": "tag:Name", "Values": ["i-am-web"]}]}),
        (
            "ip-10-0-0-4.ec2.internal",
            {"Filters": [{"Name": "private-dns-name", "Values": ["ip-10-0-0-4.ec2.internal"]}]},
        ),
    ],
)
def test_an_instance_is_found_by_what_people_call_it(name, query):
    assert _query(name) == query


def test_the_key_is_the_one_told_or_the_one_named_as_the_key_pair(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert _identity(None, INSTANCE) is None
    (tmp_path / "mykey.pem").touch()
    assert _identity(None, INSTANCE) == Path("mykey.pem")
    assert _identity(None, {"KeyName": "../mykey"}) is None
    with pytest.raises(Problem, match="no such key file"):
        _identity("other.pem", INSTANCE)
    assert Wanted("i-0abc", None, None, None, ()).words == ()


@pytest.mark.parametrize(
    ("image", "login"),
    [
        ({"Name": "ubuntu/images/noble"}, "ubuntu"),
        ({"Name": "debian-12-amd64"}, "admin"),
        ({"Name": "al2023-ami"}, "ec2-user"),
        ({"Name": "mine", "Tags": [{"Key": "cloudstead:login", "Value": "me"}]}, "me"),
    ],
)
def test_the_login_name_is_the_images(image, login):
    class Ec2:
        def describe_images(self, ImageIds):  # noqa: N803 - boto3's
            return {"Images": [image] if ImageIds == ["ami-1"] else []}

    assert _login(Ec2(), "ami-1") == login


def test_doctor_has_a_line_for_each_capability_and_a_command_for_what_is_missing(tmp_path, capsys):
    settings = Settings(data=tmp_path, port=free_port(), dns_port=free_port(), machines="none")
    status = doctor(settings, as_json=True)
    found = json.loads(capsys.readouterr().out)
    assert {"python", "root", "namespaces", "cgroups", "overlayfs", "runc", "nft", "docker engine", "endpoint port",
            "resolver", "disk"} <= {one["name"] for one in found}  # fmt: skip
    for one in found:
        assert one["state"] in ("ok", "degraded", "missing")
        assert one["why"]
        assert one["mend"] or one["state"] == "ok" or one["name"] == "cgroups"
    assert status == (1 if any(one["needed"] and one["state"] == "missing" for one in found) else 0)
    doctor(settings, as_json=False)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == len(found)
    assert all(re.match(r"(ok|degraded|missing) +\S", line) for line in lines)


def test_doctor_fails_only_for_what_is_asked_for(tmp_path):
    asked = probes.examine(Settings(data=tmp_path, port=free_port(), dns_port=0, machines="docker"))
    assert [one.name for one in asked if one.needed] == ["python", "docker engine", "endpoint port"]


def test_a_taken_port_is_seen(tmp_path):
    import socket

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        found = probes.examine(
            Settings(data=tmp_path, port=taken.getsockname()[1], dns_port=0, machines="none")
        )
    port = next(one for one in found if one.name == "endpoint port")
    assert (port.state, port.needed) == ("missing", True)
    assert "in use" in port.why


def test_masters_that_are_away_are_named_and_without_any_the_cloud_does_not_start(tmp_path):
    away = [f"127.0.0.1:{free_port()}" for _ in range(2)]
    settings = Settings(
        data=tmp_path, dns_port=0, object_bytes="seaweedfs", seaweedfs_masters=", ".join(away)
    )
    found = [one for one in probes.examine(settings) if one.name == "seaweedfs"]
    assert [(one.state, one.needed) for one in found] == [("missing", True)] * 2
    assert f"the master at {away[0]} does not answer: " in found[0].why
    with pytest.raises(
        Problem, match=f"No SeaweedFS master answers .{away[0]}: .*; {away[1]}: .*--object-bytes here"
    ):
        masters.require(settings)
    masters.require(Settings(data=tmp_path, seaweedfs_masters=away[0]))  # which new objects do not need


def test_setup_asks_only_for_what_is_missing():
    assert {part.extra for part in missing([])} <= {""}
    assert all(part.why and part.package for part in PARTS)


def test_only_the_cloud_s_own_domains_go_to_it(tmp_path):
    resolved = resolver.files_for("linux", "127.0.0.1", 5300, resolved=True)
    [(path, text)] = resolved.items()
    assert path == "etc/systemd/resolved.conf.d/cloudstead.conf"
    assert "DNS=127.0.0.1:5300\n" in text
    assert "~compute-1.amazonaws.com ~" in text
    assert " ~eu-west-1.compute.amazonaws.com" in text
    assert "~amazonaws.com" not in text
    mac = resolver.files_for("darwin", "127.0.0.1", 5300, resolved=False)
    assert mac["etc/resolver/compute-1.amazonaws.com"].endswith("nameserver 127.0.0.1\nport 5300\n")
    assert resolver.files_for("linux", "127.0.0.1", 5300, resolved=False) == {}


def test_installing_and_uninstalling_leaves_what_was_there(tmp_path, capsys):
    settings = Settings(data=tmp_path / "data")
    assert resolver.install(settings, tmp_path) == 1
    assert "dnsmasq" in capsys.readouterr().out
    (tmp_path / "run/systemd/resolve").mkdir(parents=True)
    (tmp_path / "run/systemd/resolve/stub-resolv.conf").touch()
    assert resolver.install(settings, tmp_path) == 0
    assert resolver.install(settings, tmp_path) == 0
    [path] = resolver.installed(tmp_path)
    assert resolver.uninstall(tmp_path) == 0
    assert resolver.installed(tmp_path) == []
    path.write_text("somebody's own\n")
    with pytest.raises(Problem, match="not ours"):
        resolver.install(settings, tmp_path)
    assert resolver.uninstall(tmp_path) == 0
    assert path.exists()


def test_up_says_before_it_starts_what_real_instances_lack(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(setup, "PARTS", (setup.Part("no-such-program", "no-such-package", "runs instances"),))
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(sys, "platform", "linux")
    offer_setup(Settings(data=tmp_path, machines="fake"))
    assert capsys.readouterr().out == ""
    offer_setup(Settings(data=tmp_path))
    said = capsys.readouterr().out
    assert "no-such-program" in said
    assert "cloudstead setup" in said
    monkeypatch.setattr(setup, "PARTS", ())
    offer_setup(Settings(data=tmp_path))
    assert capsys.readouterr().out == ""
