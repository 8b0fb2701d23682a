"""Where a setting's value comes from, and what is refused."""

from pathlib import Path

import pytest

from cloudstead.core.settings import Settings, SettingsError, known, load

DATA = Path("/data")


def settings(flags=None, environment=None, file=None):
    return load(flags or {}, environment or {}, file or {}, data=DATA)


def test_without_anything_the_defaults_hold():
    assert settings() == Settings(data=DATA)


def test_a_flag_goes_before_the_environment_and_that_before_the_file():
    everywhere = {"port": 1}, {"CLOUDSTEAD_PORT": "2"}, {"port": 3}
    assert settings(*everywhere).port == 1
    assert settings({"port": None}, *everywhere[1:]).port == 2
    assert settings(None, None, everywhere[2]).port == 3


def test_every_setting_can_be_set_in_all_three_ways():
    other = {
        "data": "/other", "images": "/img", "host": "::1", "port": 5000, "workers": 2, "region": "eu-west-1",
        "profile": "two", "auth": "open", "machines": "fake", "public_pool": "198.18.0.0/16", "open_ssh": False, "egress": False,
        "dns_host": "127.0.0.2", "dns_port": 53, "dns_upstream": "192.0.2.1, 192.0.2.2", "allow_reset": True,
        "bucket_defaults": "before-2023", "object_bytes": "seaweedfs", "seaweedfs_masters": "10.0.0.1:9333, [::1]:9333",
        "seaweedfs_collection": "two", "seaweedfs_replication": "001", "seaweedfs_timeout_s": 2.5,
        "registry_dns": "127.0.53.1,127.0.53.2", "rdap_port": 8080, "whois_port": 4343, "stop_grace_s": 1.5, "log_level": "debug",
    }  # fmt: skip
    assert set(other) == {setting.name for setting in known()}
    expected = Settings(**{**other, "data": Path("/other"), "images": Path("/img")})
    assert settings(other) == expected
    assert settings(file=other) == expected
    in_words = {f"CLOUDSTEAD_{name.upper()}": str(value) for name, value in other.items()}
    assert settings(environment=in_words) == expected


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ({"environment": {"CLOUDSTEAD_PROT": "1"}}, "CLOUDSTEAD_PROT is set in the environment, but there is no such"),
        ({"file": {"prot": 1}}, "cloudstead.toml: there is no setting 'prot'"),
        ({"file": {"port": "many"}}, "cloudstead.toml: port: 'many' is not a whole number"),
        ({"file": {"port": True}}, "cloudstead.toml: port: True is not a whole number"),
        ({"file": {"port": 4566.5}}, "cloudstead.toml: port: 4566.5 is not a whole number"),
        ({"file": {"host": 1}}, "cloudstead.toml: host: 1 is not text"),
        ({"file": {"data": 1}}, "cloudstead.toml: data: 1 is not a path"),
        ({"environment": {"CLOUDSTEAD_PORT": "0"}}, "CLOUDSTEAD_PORT: '0' is not between 1 and 65535"),
        ({"environment": {"CLOUDSTEAD_EGRESS": "maybe"}}, "CLOUDSTEAD_EGRESS: 'maybe' is not true or false"),
        ({"environment": {"CLOUDSTEAD_STOP_GRACE_S": "nan"}}, "CLOUDSTEAD_STOP_GRACE_S: 'nan' is not between 0 and 600"),
        ({"flags": {"machines": "vm"}}, "--machines: 'vm' is none of auto, oci, docker, fake, none"),
        ({"flags": {"host": "here"}}, "--host: 'here' is not an IP address"),
        ({"flags": {"region": "Mars"}}, "--region: 'Mars' is not the name of a region"),
        ({"flags": {"object_bytes": "seaweedfs"}}, "--object-bytes: 'seaweedfs' needs a master"),
        ({"flags": {"seaweedfs_masters": "10.0.0.1"}}, "--seaweedfs-masters: '10.0.0.1' is not HOST:PORT"),
        ({"flags": {"seaweedfs_masters": "a:1,b:99999"}}, "--seaweedfs-masters: 'b:99999' is not HOST:PORT"),
        ({"flags": {"seaweedfs_collection": "a/b"}}, "--seaweedfs-collection: 'a/b' has other characters"),
        ({"flags": {"seaweedfs_replication": "30"}}, "--seaweedfs-replication: '30' is not three digits"),
        ({"flags": {"seaweedfs_timeout_s": "0"}}, "--seaweedfs-timeout-s: '0' is not between 0.1 and 60"),
        ({"flags": {"public_pool": "198.18.0.1/15"}}, "--public-pool: '198.18.0.1/15' is not an IPv4 range"),
        ({"flags": {"public_pool": "198.18.0.0/30"}}, "--public-pool: '198.18.0.0/30' is not between"),
        ({"flags": {"public_pool": "198.18.0.0/20"}}, "--public-pool: '198.18.0.0/20' is not between /8 and /19"),
        ({"flags": {"dns_upstream": "them"}}, "--dns-upstream: 'them' is not an IP address"),
        ({"flags": {"profile": "a]"}}, "--profile: 'a]' has other characters"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused_by_name(source, said):
    with pytest.raises(SettingsError) as refused:
        settings(**source)
    assert str(refused.value).startswith(said)


def test_an_empty_variable_is_one_that_is_not_set():
    assert settings(environment={"CLOUDSTEAD_PORT": ""}).port == 4566


def test_names_that_are_no_settings_are_let_be():
    assert (
        settings(environment={"CLOUDSTEAD_CONFIG": "/x", "CLOUDSTEAD_TEST_APART": "1", "HOME": "/"})
        == settings()
    )


@pytest.mark.parametrize(
    ("host", "endpoint"),
    [
        ("0.0.0.0", "http://127.0.0.1:4566"),
        ("::1", "http://[::1]:4566"),
        ("192.0.2.7", "http://192.0.2.7:4566"),
    ],
)
def test_the_endpoint_is_one_a_client_can_use(host, endpoint):
    assert settings({"host": host}).endpoint == endpoint
