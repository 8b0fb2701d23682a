"""Health checks as they are asked for."""

import pytest
from tests.support.api import refusal
from tests.unit.route53.conftest import record

HTTP = {"Type": "HTTP", "IPAddress": "192.0.2.1"}


@pytest.fixture
def create(api):
    def make(reference="1", **config):
        asked = {"CallerReference": reference, "HealthCheckConfig": config}
        return api.create_health_check(**asked)["HealthCheck"]

    return make


@pytest.mark.parametrize(
    ("config", "filled_in"),
    [
        (HTTP, {"Port": 80, "RequestInterval": 30, "FailureThreshold": 3, "MeasureLatency": False}),
        ({"Type": "HTTPS", "FullyQualifiedDomainName": "a.test"}, {"Port": 443, "EnableSNI": True}),
        ({"Type": "TCP", "IPAddress": "2001:db8::1", "Port": 22}, {"Inverted": False, "Disabled": False}),
        ({**HTTP, "Type": "HTTP_STR_MATCH", "SearchString": "ok"}, {"Port": 80}),
        ({"Type": "CALCULATED", "ChildHealthChecks": []}, {"HealthThreshold": 0}),
    ],
)
def test_what_is_not_said_is_filled_in(create, config, filled_in):
    made = create(**config)
    assert made["HealthCheckVersion"] == 1
    assert (
        made["HealthCheckConfig"].items()
        >= {name: value for name, value in {**config, **filled_in}.items() if value != []}.items()
    )


@pytest.mark.parametrize(
    ("config", "says"),
    [
        ({"Type": "HTTP"}, "Either IPAddress or FullyQualifiedDomainName must be specified"),
        ({"Type": "TCP", "IPAddress": "192.0.2.1"}, "Port must be specified"),
        ({**HTTP, "SearchString": "x"}, "SearchString cannot be specified"),
        ({**HTTP, "Type": "HTTP_STR_MATCH"}, "SearchString must be specified"),
        ({**HTTP, "RequestInterval": 20}, "RequestInterval must be 10 or 30"),
        ({**HTTP, "Regions": ["us-east-1", "us-west-1"]}, "length greater than or equal to 3"),
        ({"Type": "CALCULATED", "IPAddress": "192.0.2.1"}, "IPAddress cannot be specified"),
        ({"Type": "CALCULATED", "ChildHealthChecks": ["none"]}, "the health check none"),
    ],
)
def test_what_a_type_cannot_have_is_refused(create, config, says):
    code, message = refusal(create, **config)
    assert code == "InvalidInput"
    assert says in message


def test_the_same_request_makes_one_check(api, create):
    assert create(**HTTP)["Id"] == create(**HTTP)["Id"]
    assert refusal(create, **HTTP, Port=8080)[0] == "HealthCheckAlreadyExists"
    assert api.get_health_check_count()["HealthCheckCount"] == 1
    assert api.get_account_limit(Type="MAX_HEALTH_CHECKS_BY_OWNER")["Count"] == 1


def test_an_update_changes_what_it_names(api, create):
    check = create(**HTTP, ResourcePath="/up")["Id"]
    told = api.update_health_check(
        HealthCheckId=check, HealthCheckVersion=1, FailureThreshold=5, ResetElements=["ResourcePath"]
    )["HealthCheck"]
    assert (told["HealthCheckVersion"], told["HealthCheckConfig"]["FailureThreshold"]) == (2, 5)
    assert "ResourcePath" not in told["HealthCheckConfig"]
    assert refusal(api.update_health_check, HealthCheckId=check, HealthCheckVersion=1)[0] == (
        "HealthCheckVersionMismatch"
    )


def test_checks_are_listed_page_by_page_and_deleted(api, create):
    made = sorted(create(reference=str(n), **HTTP)["Id"] for n in range(5))
    pages = api.every("list_health_checks", PaginationConfig={"PageSize": 2})
    assert [check["Id"] for page in pages for check in page["HealthChecks"]] == made
    api.delete_health_check(HealthCheckId=made[0])
    assert refusal(api.get_health_check, HealthCheckId=made[0]) == (
        "NoSuchHealthCheck",
        f"No health check exists with the specified ID {made[0]}.",
    )


def test_a_check_has_tags(api, create):
    asked = {"ResourceType": "healthcheck", "ResourceId": create(**HTTP)["Id"]}
    api.change_tags_for_resource(**asked, AddTags=[{"Key": "Name", "Value": "web"}])
    assert api.list_tags_for_resource(**asked)["ResourceTagSet"]["Tags"] == [{"Key": "Name", "Value": "web"}]


def test_a_record_set_names_a_check_that_is_there(change):
    given = record("a.example.com", "A", "192.0.2.1", SetIdentifier="1", Weight=1, HealthCheckId="none")
    assert refusal(lambda: change("CREATE", given))[0] == "NoSuchHealthCheck"


@pytest.mark.parametrize("type", ["CLOUDWATCH_METRIC", "RECOVERY_CONTROL"])
def test_what_is_not_built_names_itself(api, create, type):
    assert refusal(create, Type=type)[0] == "NotImplemented"
    check = create(**HTTP)["Id"]
    assert refusal(api.get_health_check_status, HealthCheckId=check)[0] == "NotImplemented"
