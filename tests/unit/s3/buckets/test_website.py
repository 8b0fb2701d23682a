"""A bucket as a website: what may be configured, and where its rules lead a request."""

import pytest
from tests.support.api import refusal

from cloudstead.services.s3.website import (
    Redirect,
    Visit,
    after_error,
    as_folder,
    error_page,
    page,
    sent_away,
    to_folder,
)

INDEX = {"IndexDocument": {"Suffix": "index.html"}}
HOST = "abc.s3-website.localhost:4566"


def visit(key="", **more):
    return Visit(key=key, host=HOST, **more)


def routed(condition, **redirect):
    rule = {"Redirect": redirect} | ({"Condition": condition} if condition else {})
    return {**INDEX, "RoutingRules": [rule]}


def test_a_website_is_kept_and_goes(s3):
    s3.create_bucket(Bucket="abc")
    whole = {
        **routed({"KeyPrefixEquals": "a/"}, HostName="b.example"),
        "ErrorDocument": {"Key": "error.html"},
    }
    s3.put_bucket_website(Bucket="abc", WebsiteConfiguration=whole)
    assert s3.get_bucket_website(Bucket="abc") == whole
    s3.delete_bucket_website(Bucket="abc")
    assert refusal(s3.get_bucket_website, Bucket="abc") == (
        "NoSuchWebsiteConfiguration",
        "The specified bucket does not have a website configuration",
    )


@pytest.mark.parametrize(
    ("website", "code"),
    [
        ({}, "InvalidArgument"),
        ({"IndexDocument": {"Suffix": ""}}, "InvalidArgument"),
        ({"IndexDocument": {"Suffix": "a/b"}}, "InvalidArgument"),
        ({**INDEX, "RedirectAllRequestsTo": {"HostName": "b.example"}}, "InvalidRequest"),
        (routed({"HttpErrorCodeReturnedEquals": "200"}, HostName="b.example"), "InvalidRequest"),
        (routed({"HttpErrorCodeReturnedEquals": "404"}, HttpRedirectCode="404"), "InvalidRequest"),
        (routed({"HttpErrorCodeReturnedEquals": "404"}, HttpRedirectCode="300"), "InvalidRequest"),
        (routed(None, ReplaceKeyWith="a", ReplaceKeyPrefixWith="b"), "InvalidRequest"),
        (routed(None), "InvalidRequest"),
        ({**INDEX, "RoutingRules": [{"Condition": {}, "Redirect": {"HostName": "b"}}]}, "InvalidRequest"),
        ({**INDEX, "RoutingRules": [{"Redirect": {"HostName": "b"}}] * 51}, "InvalidRequest"),
    ],
)
def test_bad_websites_are_refused(s3, website, code):
    s3.create_bucket(Bucket="abc")
    assert refusal(s3.put_bucket_website, Bucket="abc", WebsiteConfiguration=website)[0] in (
        code,
        "MalformedXML",
    )
    assert refusal(s3.get_bucket_website, Bucket="abc")[0] == "NoSuchWebsiteConfiguration"


@pytest.mark.parametrize(
    ("key", "read"), [("", "index.html"), ("a/", "a/index.html"), ("a", "a"), ("a/b.css", "a/b.css")]
)
def test_a_folder_shows_its_index(key, read):
    assert page(INDEX, visit(key)) == read


def test_a_missing_key_may_be_a_folder():
    assert as_folder(INDEX, visit("docs")) == "docs/index.html"
    assert as_folder(INDEX, visit("docs/")) is None
    assert to_folder(visit("my docs")) == Redirect("/my%20docs/", 302)


def test_all_requests_may_go_elsewhere():
    website = {"RedirectAllRequestsTo": {"HostName": "b.example"}}
    assert sent_away(website, visit("a b")) == Redirect("http://b.example/a%20b")
    website["RedirectAllRequestsTo"]["Protocol"] = "https"
    assert sent_away(website, visit()) == Redirect("https://b.example/")


@pytest.mark.parametrize(
    ("redirect", "location", "status"),
    [
        ({"HostName": "b.example"}, "http://b.example/docs/x", 301),
        ({"ReplaceKeyPrefixWith": "documents/"}, f"http://{HOST}/documents/x", 301),
        ({"ReplaceKeyWith": "new.html"}, f"http://{HOST}/new.html", 301),
        ({"Protocol": "https", "HttpRedirectCode": "302"}, f"https://{HOST}/docs/x", 302),
    ],
)
def test_a_rule_on_a_prefix_redirects_before_anything_is_read(redirect, location, status):
    website = routed({"KeyPrefixEquals": "docs/"}, **redirect)
    assert sent_away(website, visit("docs/x")) == Redirect(location, status)
    assert sent_away(website, visit("other")) is None


def test_a_rule_on_an_error_waits_for_it():
    website = routed(
        {"HttpErrorCodeReturnedEquals": "404", "KeyPrefixEquals": "img/"}, ReplaceKeyWith="none.png"
    )
    assert sent_away(website, visit("img/x")) is None
    assert after_error(website, visit("img/x"), 404) == Redirect(f"http://{HOST}/none.png")
    assert after_error(website, visit("img/x"), 403) is None
    assert after_error(website, visit("x"), 404) is None


def test_after_an_error_the_error_document_is_shown():
    assert after_error({**INDEX, "ErrorDocument": {"Key": "error.html"}}, visit("x"), 404) == "error.html"


def test_a_page_of_our_own_shows_no_markup_of_the_visitors():
    shown = error_page(
        404, "NoSuchKey", "The specified key does not exist.", {"Key": "<script>"}, "id"
    ).decode()
    assert "<h1>404 Not Found</h1>" in shown
    assert "<li>Code: NoSuchKey</li>" in shown
    assert "<li>Key: &lt;script&gt;</li>" in shown
