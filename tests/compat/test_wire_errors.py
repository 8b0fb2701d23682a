"""Every modelled error of every service, in every protocol: botocore must read back all that was said."""

import pytest
from botocore.loaders import create_loader
from botocore.model import ServiceModel as BotocoreModel
from tests.compat.test_wire_every_operation import SPOKEN, agree
from tests.compat.wire_oracle import REQUEST_ID, received, typed
from tests.compat.wire_values import Values

from cloudstead.core.errors import NotBuilt, ServiceError
from cloudstead.gateway.wire import load, serialize_error
from cloudstead.gateway.wire.model import Dialect

MESSAGE = "The thing 'a<b>' & its \"friend\" do not exist"


def said(response, protocol, *, query_compatible=False):
    got = received(response, None, protocol)
    error = got["Error"]
    assert got["ResponseMetadata"]["RequestId"] == REQUEST_ID
    assert got["ResponseMetadata"]["HTTPStatusCode"] == response.status
    return error["Code"], error["Message"]


@pytest.mark.parametrize(("service", "protocol"), SPOKEN)
def test_a_modelled_error_comes_back_whole(service, protocol):
    model = load(service)
    description = BotocoreModel(create_loader().load_service_model(service, "service-2"), service)
    dialect = Dialect(model, protocol, model.api_version)
    for shape in description.error_shapes:
        code = shape.metadata.get("error", {}).get("code", shape.name)
        fields = Values(f"{service} {shape.name}", direction="output").of(shape)
        fields = {name: item for name, item in fields.items() if name.lower() not in ("message", "errorcode")}
        response = serialize_error(dialect, ServiceError(MESSAGE, code=code, fields=fields), REQUEST_ID)
        by_type = protocol in ("json", "rest-json", "smithy-rpc-v2-cbor") and not model.query_compatible
        assert said(response, protocol) == (shape.name if by_type else code, MESSAGE), shape.name
        got = typed(shape, received(response, shape, protocol))
        wanted = dict(fields)
        if "ErrorCode" in shape.members:
            wanted["ErrorCode"] = code
        got = {name: item for name, item in got.items() if name.lower() != "message"}
        assert agree(got, wanted), (shape.name, got, wanted, response)
        modelled_status = shape.metadata.get("error", {}).get("httpStatusCode")
        assert response.status == (modelled_status or 400), shape.name


@pytest.mark.parametrize(("service", "protocol"), SPOKEN)
def test_what_is_not_built_is_said_in_every_protocol(service, protocol):
    model = load(service)
    dialect = Dialect(model, protocol, model.api_version)
    response = serialize_error(dialect, NotBuilt(f"{service}: DoThis is not built"), REQUEST_ID)
    assert response.status == 501
    assert said(response, protocol) == ("NotImplemented", f"{service}: DoThis is not built")


@pytest.mark.parametrize(("service", "protocol"), SPOKEN)
def test_an_unmodelled_code_is_sent_as_it_is(service, protocol):
    model = load(service)
    dialect = Dialect(model, protocol, model.api_version)
    error = ServiceError(MESSAGE, code="InvalidThing.NotFound", status=404, fields={"Thing": "a&b"})
    response = serialize_error(dialect, error, REQUEST_ID)
    assert response.status == 404
    assert said(response, protocol) == ("InvalidThing.NotFound", MESSAGE)


def test_cloudwatch_says_both_of_an_errors_names():
    model = load("cloudwatch")
    for protocol in ("json", "smithy-rpc-v2-cbor"):
        error = ServiceError("no", code="InvalidParameterValue")
        response = serialize_error(Dialect(model, protocol, model.api_version), error, REQUEST_ID)
        got = received(response, None, protocol)["Error"]
        assert (got["Code"], got["QueryErrorCode"], got["Type"]) == (
            "InvalidParameterValue",
            "InvalidParameterValueException",
            "Sender",
        )
