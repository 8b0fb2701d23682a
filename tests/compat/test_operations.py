"""Every operation of every service is built or listed as missing, and the lists may only shrink."""

import pytest
from tests.compat.coverage import MISSING, missing, pages

from cloudstead.app.tables import SERVICES, built_operations, modelled_operations


@pytest.mark.parametrize("service", SERVICES)
def test_what_is_not_built_is_listed_and_nothing_else(service):
    listed = (MISSING / f"{service}.txt").read_text().split()
    assert listed == missing(service), "run `python -m tests.compat.coverage`; the list may only shrink"


@pytest.mark.parametrize("service", SERVICES)
def test_what_is_built_is_an_operation_of_the_model(service):
    assert set(built_operations(service)) <= set(modelled_operations(service))
    assert built_operations(service), "a service without an operation is no service"


def test_the_tables_in_the_docs_are_true():
    stale = [page.name for page, text in pages().items() if page.read_text() != text]
    assert not stale, "run `python -m tests.compat.coverage`"


def test_every_service_has_a_page_with_a_table():
    found = "".join(page.read_text() for page in pages())
    for service in SERVICES:
        assert f"<!-- operations of {service}: generated" in found
