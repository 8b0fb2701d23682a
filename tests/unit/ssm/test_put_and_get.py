"""Parameters written and read: what comes back, what is refused, and in which words."""

import pytest
from tests.support.api import ACCOUNT, ROOT, Api, Refusal, refusal
from tests.unit.ssm.conftest import IMAGES, KEY, published

from cloudstead.core.caller import Caller
from cloudstead.services.ssm.operations import parts, read_parameter
from cloudstead.services.ssm.rows import Parameter, Version
from cloudstead.store import Store

PUBLIC = f"{IMAGES}/al2023-ami-kernel-default-x86_64"


def put(ssm, name="/app/url", value="http://x", **more):
    return ssm.put_parameter(Name=name, Value=value, **{"Type": "String", **more})


def value(ssm, name, **more):
    return ssm.get_parameter(Name=name, **more)["Parameter"]["Value"]


def test_what_was_put_is_got_with_its_arn_type_and_time(ssm, clock):
    assert put(ssm) == {"Version": 1, "Tier": "Standard"}
    assert ssm.get_parameter(Name="/app/url")["Parameter"] == {
        "Name": "/app/url",
        "Type": "String",
        "Value": "http://x",
        "Version": 1,
        "LastModifiedDate": clock.now(),
        "ARN": f"arn:aws:ssm:us-east-1:{ACCOUNT}:parameter/app/url",
        "DataType": "text",
    }


def test_a_parameter_belongs_to_one_account_and_region(ssm):
    put(ssm)
    elsewhere = Caller(account=ACCOUNT, region="eu-west-1", arn=ROOT.arn, user_id=ACCOUNT)
    other = Caller(account="999999999999", region="us-east-1", arn="x", user_id="y")
    for caller in (elsewhere, other):
        with pytest.raises(Refusal, match="Parameter /app/url not found"):
            ssm.by(caller).get_parameter(Name="/app/url")


def test_a_version_is_added_by_overwriting_and_by_nothing_else(ssm):
    put(ssm)
    assert refusal(put, ssm=ssm, value="two") == (
        "ParameterAlreadyExists",
        "The parameter already exists. To overwrite this value, set the overwrite option in the request to true.",
    )
    assert put(ssm, value="two", Overwrite=True)["Version"] == 2
    assert value(ssm, "/app/url") == "two"


def test_overwriting_keeps_what_the_request_leaves_out(ssm):
    put(ssm, Description="where it is", AllowedPattern="http.*", Tier="Advanced")
    ssm.put_parameter(Name="/app/url", Value="http://y", Overwrite=True)
    (shown,) = ssm.get_parameter_history(Name="/app/url")["Parameters"][1:]
    assert shown["Description"] == "where it is"
    assert (shown["AllowedPattern"], shown["Tier"], shown["Type"]) == ("http.*", "Advanced", "String")
    assert refusal(ssm.put_parameter, Name="/app/url", Value="ftp", Overwrite=True)[0] == (
        "ParameterPatternMismatchException"
    )


def test_a_new_parameter_needs_a_type(ssm):
    assert refusal(ssm.put_parameter, Name="x", Value="1") == (
        "ValidationException",
        "A parameter type is required when you create a parameter.",
    )


def test_tags_and_overwrite_do_not_go_together(ssm):
    asked = {"ssm": ssm, "Overwrite": True, "Tags": [{"Key": "a", "Value": "b"}]}
    code, message = refusal(put, **asked)
    assert code == "ValidationException"
    assert message.startswith("Invalid request: tags and overwrite can't be used together.")


@pytest.mark.parametrize(
    ("name", "code", "words"),
    [
        ("app/url", "ValidationException", "must be a fully qualified name"),
        ("awsome", "ValidationException", "can't be prefixed with"),
        ("SSM_x", "ValidationException", "can't be prefixed with"),
        ("/ssm/x", "ValidationException", "can't be prefixed with"),
        ("/AWS/x", "AccessDeniedException", "No access to reserved parameter name: /AWS/x."),
        (PUBLIC, "AccessDeniedException", "No access to reserved parameter name"),
        ("/a b", "ValidationException", "each sub-path can be formed as a mix of letters"),
        ("/a//b", "ValidationException", "each sub-path can be formed as a mix of letters"),
        ("/a/", "ValidationException", "each sub-path can be formed as a mix of letters"),
        ("a:1", "ValidationException", "each sub-path can be formed as a mix of letters"),
        ("/a" * 16, "HierarchyLevelLimitExceededException", "15 levels"),
        ("/" + "a" * 1000, "ValidationException", "1011"),
    ],
)
def test_names_that_aws_does_not_take_are_refused(ssm, name, code, words):
    refused, message = refusal(put, ssm=ssm, name=name)
    assert refused == code
    assert words in message


def test_fifteen_levels_are_not_too_many(ssm):
    assert put(ssm, name="/a" * 15)["Version"] == 1


def test_names_with_and_without_a_slash_are_two_parameters(ssm):
    put(ssm, name="x", value="bare")
    put(ssm, name="/x", value="rooted")
    assert value(ssm, "x") == "bare"
    assert value(ssm, "/x") == "rooted"


@pytest.mark.parametrize("name", ["/app/url", "url"])
def test_an_arn_is_taken_for_a_name(ssm, name):
    put(ssm, name=name)
    arn = ssm.get_parameter(Name=name)["Parameter"]["ARN"]
    assert ssm.get_parameter(Name=arn)["Parameter"]["Name"] == name
    assert ssm.get_parameter(Name=f"{arn}:1")["Parameter"]["Selector"] == ":1"
    for ours, other in (("us-east-1", "eu-west-1"), (ACCOUNT, "999999999999"), (ACCOUNT, ""), ("ssm", "sns")):
        assert refusal(ssm.get_parameter, Name=arn.replace(ours, other))[0] == "ParameterNotFound"


# --- values


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("", "Member must have length greater than or equal to 1"),
        ("a {{ssm:b}} c", "can't nest another parameter"),
        ("x" * 4097, "Standard tier parameters support a maximum parameter value of 4096 characters."),
    ],
)
def test_values_that_aws_does_not_take_are_refused(ssm, value, words):
    code, message = refusal(put, ssm=ssm, value=value)
    assert code == "ValidationException"
    assert words in message


def test_each_element_of_a_list_must_match_the_pattern(ssm):
    put(ssm, name="l", value="1,22,333", Type="StringList", AllowedPattern=r"\d+")
    assert refusal(ssm.put_parameter, Name="l", Value="1,b", Overwrite=True) == (
        "ParameterPatternMismatchException",
        r"Parameter value, cannot be validated against allowedPattern: \d+",
    )


def test_a_pattern_that_is_none_is_refused(ssm):
    assert refusal(put, ssm=ssm, AllowedPattern="(")[0] == "InvalidAllowedPatternException"


@pytest.mark.parametrize(
    ("pattern", "value"),
    [("(a+)+", "a" * 64 + "!"), ("(x+x+)+y", "x" * 4096), ("(?i)" + "[\0-\U0010ffff]" * 200, "x")],
)
@pytest.mark.timeout(10)
def test_a_pattern_that_takes_for_ever_is_refused_and_holds_nobody_up(ssm, pattern, value):
    for _ in range(2):
        assert refusal(put, ssm=ssm, value=value, AllowedPattern=pattern) == (
            "InvalidAllowedPatternException",
            f"It takes too long to find out whether the value fits the regular expression: {pattern}",
        )
    put(ssm, AllowedPattern="http.*")


def test_an_image_id_must_look_like_one(ssm):
    image = {"DataType": "aws:ec2:image"}
    put(ssm, name="/ami", value="ami-0123456789abcdef0", **image)
    assert ssm.get_parameter(Name="/ami")["Parameter"]["DataType"] == "aws:ec2:image"
    assert refusal(put, ssm=ssm, name="/b", value="mine", **image)[0] == "ValidationException"
    assert refusal(put, ssm=ssm, name="/b", DataType="aws:ssm:integration")[0] == "NotImplemented"
    assert refusal(put, ssm=ssm, name="/b", DataType="Text") == (
        "ValidationException",
        "The following data type is not supported: Text (Data type names are all lowercase.)",
    )


# --- secrets


def test_a_secret_lies_sealed_in_the_store_and_opens_for_who_asks(ssm, store):
    put(ssm, name="/db/password", value="s3cr3t", Type="SecureString")
    assert b"s3cr3t" not in b"".join(body for (body,) in store._connection.execute("SELECT body FROM rows"))
    assert "s3cr3t" not in value(ssm, "/db/password")
    assert value(ssm, "/db/password", WithDecryption=True) == "s3cr3t"


def test_two_equal_secrets_are_sealed_differently(ssm):
    put(ssm, name="/a", value="same", Type="SecureString")
    put(ssm, name="/b", value="same", Type="SecureString")
    assert value(ssm, "/a") != value(ssm, "/b")


def test_a_secret_does_not_open_with_another_key_nor_in_another_place(ssm, store, tools):
    from cryptography.exceptions import InvalidTag

    put(ssm, name="/a", value="mine", Type="SecureString")
    with pytest.raises(InvalidTag):
        Api("ssm", *parts(store, tools, b"x" * 32, published)).get_parameter(Name="/a", WithDecryption=True)
    put(ssm, name="/b", value="other", Type="SecureString")
    (stolen,) = (row for row in store.rows(Version) if row.parameter.endswith("/a"))
    (place,) = (row for row in store.rows(Version) if row.parameter.endswith("/b"))
    store.update(place, value=stolen.value)
    with pytest.raises(InvalidTag):
        ssm.get_parameter(Name="/b", WithDecryption=True)


def test_secrets_know_one_key_alone(ssm):
    arn = f"arn:aws:kms:us-east-1:{ACCOUNT}:alias/aws/ssm"
    for number, key in enumerate(("alias/aws/ssm", arn)):
        put(ssm, name=f"/k{number}", Type="SecureString", KeyId=key)
    assert refusal(put, ssm=ssm, Type="SecureString", KeyId="alias/mine") == (
        "InvalidKeyId",
        "Invalid keyId alias/mine",
    )
    assert refusal(put, ssm=ssm, KeyId="alias/aws/ssm") == (
        "ValidationException",
        "KeyId is required for SecureString type parameter only.",
    )


def test_secrets_survive_a_restart(tmp_path, tools):
    for round in ("write", "read"):
        with Store(tmp_path / "state.sqlite") as store:
            ssm = Api("ssm", *parts(store, tools, KEY, published))
            if round == "write":
                put(ssm, Type="SecureString", value="s3cr3t")
            assert value(ssm, "/app/url", WithDecryption=True) == "s3cr3t"


# --- several, versions, deleting


def test_getting_several_tells_which_there_are_not(ssm):
    put(ssm, name="/a", value="1")
    put(ssm, name="/b", value="2")
    answer = ssm.get_parameters(Names=["/b", "/a:1", "/c", "/b:7", "/b"])
    assert [(one["Name"], one["Value"]) for one in answer["Parameters"]] == [("/b", "2"), ("/a", "1")]
    assert answer["InvalidParameters"] == ["/c", "/b:7"]


def test_a_version_is_selected_by_its_number(ssm):
    for text in ("one", "two"):
        put(ssm, value=text, Overwrite=True)
    assert value(ssm, "/app/url:1") == "one"
    assert refusal(ssm.get_parameter, Name="/app/url:3") == (
        "ParameterVersionNotFound",
        "Systems Manager could not find version 3 of /app/url. Verify the version and try again.",
    )
    for nobody in ("/app/url:1:2", "/app/url:", "/other:1"):
        assert refusal(ssm.get_parameter, Name=nobody)[0] == "ParameterNotFound"


def test_a_deleted_parameter_leaves_nothing_and_begins_anew(ssm, store):
    for text in ("one", "two"):
        put(ssm, value=text, Overwrite=True)
    ssm.delete_parameter(Name="/app/url")
    assert not store.rows(Parameter)
    assert not store.rows(Version)
    assert refusal(ssm.delete_parameter, Name="/app/url") == (
        "ParameterNotFound",
        "Parameter /app/url not found.",
    )
    assert put(ssm)["Version"] == 1


def test_deleting_several_tells_which_there_were(ssm):
    put(ssm, name="/a")
    assert ssm.delete_parameters(Names=["/a", "/b", "/a"]) == {
        "DeletedParameters": ["/a"],
        "InvalidParameters": ["/b"],
    }


# --- public ones


def test_public_parameters_are_got_in_every_region_and_belong_to_nobody(ssm):
    shown = ssm.get_parameter(Name=PUBLIC)["Parameter"]
    assert shown["Value"] == "ami-0us-east-1"
    assert shown["ARN"] == f"arn:aws:ssm:us-east-1::parameter{PUBLIC}"
    assert ssm.get_parameter(Name=shown["ARN"])["Parameter"]["Name"] == PUBLIC
    assert [one["Name"] for one in ssm.get_parameters(Names=[PUBLIC])["Parameters"]] == [PUBLIC]
    assert refusal(ssm.get_parameter, Name="/aws/service/none")[0] == "ParameterNotFound"
    assert refusal(ssm.get_parameter, Name=f"{PUBLIC}:2")[0] == "ParameterVersionNotFound"
    assert refusal(ssm.delete_parameter, Name=PUBLIC)[0] == "ParameterNotFound"


def test_references_to_secrets_manager_say_that_it_is_not_built(ssm):
    assert refusal(ssm.get_parameter, Name="/aws/reference/secretsmanager/x")[0] == "NotImplemented"


def test_other_services_read_parameters_in_clear(ssm, store):
    put(ssm, name="/ami", value="ami-1", Type="SecureString")

    def read(name):
        return read_parameter(store, KEY, published, ROOT, name)

    assert (read("/ami"), read("/ami:1"), read("/ami:2"), read("/none")) == ("ami-1", "ami-1", None, None)
    assert read(PUBLIC) == "ami-0us-east-1"
