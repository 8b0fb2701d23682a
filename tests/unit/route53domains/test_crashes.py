"""The controllers may be killed between any two writes: what was asked for is then done once, and billed once."""

import asyncio

from tests.support.fuse import STORE_EFFECTS, Crash, Fuse, Fused
from tests.unit.route53domains.conftest import CONTACTS, STRANGER, World

from cloudstead.control.reconciler import Reconciler
from cloudstead.services.route53domains.operations import controllers
from cloudstead.store import Store

A = {"DomainName": "a.com"}


def test_a_crash_at_any_step_is_survived():
    for at in range(1000):
        with Store(None) as store:
            world, fuse = World(store), Fuse(at)
            try:
                _life(world, lambda world=world, fuse=fuse: _settle(world, fuse))
            except Crash:
                store._roll_back()
                fuse.at = None
                _life(world, world.settle)
            _check(world)
        if fuse.at is not None:
            break
    assert at > 25, "the fuse must have blown at every effect"


def _life(world, settle):
    """Registered, renewed, given away. Begun again after a crash it goes on where it was."""
    settle()
    for call, asked in (
        (world.api.register_domain, {**A, "DurationInYears": 1, **CONTACTS}),
        (world.api.renew_domain, {**A, "CurrentExpiryYear": 2027}),
        (world.api.transfer_domain_to_another_aws_account, {**A, "AccountId": STRANGER.account}),
    ):
        done = [each["Type"] for each in world.api.list_operations()["Operations"]]
        if _TYPES[call.args[0]] not in done:
            world.answers = call(**asked)
        settle()
    if not world.stranger.list_operations()["Operations"]:
        world.stranger.accept_domain_transfer_from_another_aws_account(
            **A, Password=world.answers["Password"]
        )
    settle()


_TYPES = {
    "RegisterDomain": "REGISTER_DOMAIN",
    "RenewDomain": "RENEW_DOMAIN",
    "TransferDomainToAnotherAwsAccount": "INTERNAL_TRANSFER_OUT_DOMAIN",
}


def _settle(world, fuse):
    """As `World.settle`, with every write of the controllers a touch; their steps run here, so that a crash comes out."""
    fused = Fused(world.store, fuse, STORE_EFFECTS)
    reconcilers = [
        Reconciler(each, fused, world.clock) for each in controllers(fused, world.tools, world._make_zone)
    ]

    async def come_by():
        steps = 1
        while steps:
            steps = 0
            for each in reconcilers:
                steps += await each.pass_once()
                for task in list(each._in_flight.values()):
                    await task

    asyncio.run(come_by())


def _check(world):
    assert {each["Status"] for each in world.api.list_operations()["Operations"]} == {"SUCCESSFUL"}
    assert len(world.api.list_operations()["Operations"]) == 3
    assert [each["Operation"] for each in world.api.view_billing()["BillingRecords"]] == [
        "REGISTER_DOMAIN",
        "RENEW_DOMAIN",
    ]
    assert world.detail("a.com", by=world.stranger)["ExpirationDate"].year == 2028
    assert world.api.list_domains()["Domains"] == []
