"""What the endpoint says under /_cloudstead/ of letters and of other registrars."""

import json
from urllib.parse import urlencode

from cloudstead.app.registry import internal_paths
from cloudstead.dataplane.http import HttpRequest
from cloudstead.gateway.internal import Internal


def ask(world, method, path, **query):
    internal = Internal(more=internal_paths(world.store, world.tools))
    response = internal.answer(HttpRequest(method, f"/_cloudstead/{path}", urlencode(query), {}))
    return response.status, json.loads(response.body)


def test_letters_are_shown_and_followed(world):
    world.register("a.com")
    status, body = ask(world, "GET", "mail")
    (letter,) = body["letters"]
    assert status == 200
    assert f"POST /_cloudstead/mail/{letter['id']}" in letter["text"]
    assert ask(world, "POST", f"mail/{letter['id']}") == (200, {"message": "ann@example.net is confirmed"})
    assert ask(world, "POST", f"mail/{letter['id']}")[0] == 404
    assert ask(world, "GET", f"mail/{letter['id']}")[0] == 405, (
        "whoever looks at a link in passing confirms nothing"
    )
    assert ask(world, "GET", "mail") == (200, {"letters": []})


def test_another_registrar_takes_a_domain_with_its_code(world):
    world.register("a.com")
    asked = {"domain": "A.com", "registrar": "Other Ltd"}
    code = world.api.retrieve_domain_auth_code(DomainName="a.com")["AuthCode"]
    assert ask(world, "POST", "registrar/transfer", **asked, code=code) == (
        409,
        {"message": "the domain is locked"},
    )
    world.api.disable_domain_transfer_lock(DomainName="a.com")
    world.settle()
    assert ask(world, "POST", "registrar/transfer", **asked)[0] == 400
    assert ask(world, "POST", "registrar/transfer", **asked, code="wrong")[0] == 409
    assert ask(world, "GET", "registrar/transfer", **asked, code=code)[0] == 405
    assert ask(world, "POST", "registrar/transfer", **asked, code=code)[0] == 200
    assert world.api.list_domains()["Domains"] == []


def test_what_is_not_there_is_not_found(world):
    assert ask(world, "GET", "nothing")[0] == 404
