"""A registrar and its registry over one store, called by two accounts; hosted zones come from a fake that counts them."""

import asyncio
import random

import pytest
from tests.support.api import Api

from cloudstead.control.reconciler import Reconciler
from cloudstead.core.caller import Caller
from cloudstead.core.clock import ManualClock
from cloudstead.core.tools import Tools
from cloudstead.services.route53domains.operations import controllers, mail_box, parts, registry
from cloudstead.store import Store

DAY_S = 86400
STRANGER = Caller(
    account="999999999999", region="us-east-1", arn="arn:aws:iam::999999999999:root", user_id="999999999999"
)
ANN = {
    "FirstName": "Ann",
    "LastName": "Example",
    "ContactType": "PERSON",
    "AddressLine1": "1 Main Street",
    "City": "Seattle",
    "State": "WA",
    "CountryCode": "US",
    "ZipCode": "98101",
    "PhoneNumber": "+1.2065550100",
    "Email": "ann@example.net",
}
CONTACTS = {"AdminContact": ANN, "RegistrantContact": ANN, "TechContact": ANN}
HOSTED = ["ns-1.awsdns-00.com", "ns-2.awsdns-01.net", "ns-3.awsdns-02.org", "ns-4.awsdns-03.co.uk"]


class World:
    def __init__(self, store):
        self.store, self.clock = store, ManualClock()
        self.tools = Tools(clock=self.clock, random=random.Random(7))
        self.api = Api("route53domains", *parts(store, self.tools))
        self.stranger = self.api.by(STRANGER)
        self.zones, self.hosted = [], HOSTED
        self._reconcilers = [
            Reconciler(each, store, self.clock) for each in controllers(store, self.tools, self._make_zone)
        ]

    def _make_zone(self, account, name):
        self.zones.append((account, name))
        return self.hosted

    @property
    def registry(self):
        return registry(self.store, self.clock)

    @property
    def mail(self):
        return mail_box(self.store, self.tools)

    def settle(self, passes=40):
        """Let the controllers come by until they have nothing to do."""

        async def come_by():
            for _ in range(passes):
                steps = [await each.pass_once() for each in self._reconcilers]
                for each in self._reconcilers:
                    await each.idle()
                if not any(steps):
                    return
            raise AssertionError("the controllers do not come to rest")

        asyncio.run(come_by())

    def days(self, days):
        self.clock.advance(days * DAY_S)
        self.settle()

    def register(self, name, by=None, **more):
        asked = {"DomainName": name, "DurationInYears": 1, **CONTACTS, **more}
        id = (by or self.api).register_domain(**asked)["OperationId"]
        self.settle()
        return id

    def status(self, id, by=None):
        return (by or self.api).get_operation_detail(OperationId=id)["Status"]

    def detail(self, name, by=None):
        return (by or self.api).get_domain_detail(DomainName=name)

    def follow_letters(self):
        for letter in self.mail.letters():
            self.mail.follow(letter["id"])
        self.settle()


@pytest.fixture
def world():
    with Store(None) as store:
        yield World(store)
