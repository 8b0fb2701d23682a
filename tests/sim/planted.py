"""Mistakes on purpose, one at a time: what the simulator must catch, or its silence means nothing.

Each plants itself into the product's own classes, and is the kind of mistake that a reader overlooks.
"""

from contextlib import nullcontext

import msgspec
from tests.sim.calls import GatewayStore

from cloudstead.control.reconciler import Reconciler
from cloudstead.control.steps import Ensure, Forget, Record, Remove
from cloudstead.services.ec2 import private_addresses, public_addresses, routes, vcpu_limit
from cloudstead.services.ec2.instance_reconcile import Ended, Instances, Retire
from cloudstead.services.ec2.instance_rows import Instance, Volume
from cloudstead.services.ec2.network_reconcile import Networks, Settle
from cloudstead.services.ec2.network_rows import NetworkInterface
from cloudstead.services.ec2.rows import Resources
from cloudstead.services.ec2.security_groups_lifecycle import SecurityGroups
from cloudstead.services.ec2.volume_reconcile import Volumes
from cloudstead.services.ec2.vpc_networking import VpcNetworking
from cloudstead.services.ec2.vpcs import Vpcs
from cloudstead.store import Store


def retiring_forgets_the_interfaces(plant):
    plant.setattr(VpcNetworking, "release_for_instance", lambda *_: None)


def a_machine_is_retired_before_it_is_seen_gone(plant):
    def towards_terminated(self, row, seen):
        if row.terminated_at is None:
            return Retire()
        return Forget() if self._clock.now() - row.terminated_at >= self._terminated_visible else None

    plant.setattr(Instances, "_towards_terminated", towards_terminated)


def an_update_does_not_compare(plant):
    update = Store.update

    def overwrite(self, row, **fields):
        current = self.get(type(row), row.id)
        version = row.version if current is None else current.version
        return update(self, msgspec.structs.replace(row, version=version), **fields)

    plant.setattr(Store, "update", overwrite)


def running_is_said_before_it_runs(plant):
    async def start(self, row):
        await self._images.ensure(row.recipe)
        self._note_running(row)
        current = self._store.get(Instance, row.id)
        if current is not None and current.aim == "running":
            await self._machines.ensure(self._spec(current))

    plant.setattr(Instances, "_start", start)


def a_change_of_mind_is_not_heard(plant):
    async def start(self, row):
        await self._images.ensure(row.recipe)
        await self._machines.ensure(self._spec(row))
        self._note_running(row)

    plant.setattr(Instances, "_start", start)


def what_runs_is_noted_only_when_it_is_seen(plant):
    plant.setattr(Instances, "_note_running", lambda *_: None)


def a_machine_does_not_wait_for_its_second_interface(plant):
    def ready(self, row):
        first, *_ = self._store.rows(NetworkInterface, instance_id=row.id)
        return self._store.get(Volume, row.root_volume).made and first.placed

    plant.setattr(Instances, "_ready", ready)


def placed_is_said_before_the_network_is_applied(plant):
    ensure = Networks._ensure

    async def hasty(self, row):
        self._write(row, self._carried(row))
        await ensure(self, row)

    plant.setattr(Networks, "_ensure", hasty)


def what_a_crash_left_unwritten_stays_so(plant):
    plan = Networks.plan

    def trusting(self, row, seen):
        step = plan(self, row, seen)
        return None if isinstance(step, Settle) and step.carried else step

    plant.setattr(Networks, "plan", trusting)


def stopped_is_said_before_it_stops(plant):
    plan = Instances.plan

    def hasty(self, row, seen):
        if row.aim == "stopped" and row.state != "stopped":
            return Record({"state": "stopped"})
        return plan(self, row, seen)

    plant.setattr(Instances, "plan", hasty)


def a_stopped_machine_loses_its_disk(plant):
    plan = Volumes.plan

    def tidy(self, row, seen):
        instance = self._store.get(Instance, row.instance_id)
        if seen is not None and instance is not None and instance.state == "stopped":
            return Remove()
        return plan(self, row, seen)

    plant.setattr(Volumes, "plan", tidy)


def what_ended_by_itself_is_started_again(plant):
    plan = Instances.plan

    def forgetful(self, row, seen):
        step = plan(self, row, seen)
        return Ensure() if isinstance(step, Ended) else step

    plant.setattr(Instances, "plan", forgetful)


def orphans_are_left_alone(plant):
    async def sweep(self, id):
        pass

    plant.setattr(Instances, "sweep", sweep)


def a_placed_interface_wakes_nobody(plant):
    plant.setattr(Instances, "wakes_on", ())


def a_changed_rule_wakes_nobody(plant):
    plant.setattr(Networks, "wakes_on", (NetworkInterface,))


def a_route_leads_where_nothing_is(plant):
    plant.setattr(routes, "active", lambda *_: True)


def nobody_asks_whose_it_is(plant):
    find = Resources.find

    def anybodys(self, kind, caller, id):
        row = self.store.get(kind, id)
        return find(self, kind, caller, id) if row is None else row

    plant.setattr(Resources, "find", anybodys)


def a_private_address_looks_free_always(plant):
    plant.setattr(private_addresses, "holder", lambda *_: None)


def an_automatic_address_is_given_back_and_kept(plant):
    def withdraw(resources, interface):
        public = interface.primary.public
        if public is not None and public.owner == public_addresses.AUTOMATIC:
            public_addresses.give_back(resources, public.address)
        return interface

    plant.setattr(public_addresses, "withdraw", withdraw)


def who_did_not_ask_gets_a_public_address(plant):
    provide = public_addresses.provide

    def generous(resources, interface):
        return provide(resources, resources.store.update(interface, auto_public=True))

    plant.setattr(public_addresses, "provide", generous)


def an_elastic_address_moves_and_stays(plant):
    def disassociate(resources, elastic):
        return resources.store.update(elastic, association_id="", interface_id="", private_ip="")

    plant.setattr(public_addresses, "disassociate", disassociate)


def a_vpc_is_deleted_with_what_is_in_it(plant):
    plant.setattr(Vpcs, "_in_use", lambda *_: False)


def a_group_is_deleted_while_others_speak_of_it(plant):
    plant.setattr(SecurityGroups, "_named_by_others", lambda *_: False)


def an_operation_is_no_transaction(plant):
    plant.setattr(GatewayStore, "transaction", lambda _: nullcontext(), raising=False)


def what_is_read_together_is_of_many_moments(plant):
    plant.setattr(Store, "reading", lambda _: nullcontext())


def nobody_counts_vcpus(plant):
    plant.setattr(vcpu_limit, "room", lambda *_: 1000)


def a_problem_never_ends(plant):
    plant.setattr(Reconciler, "_mend", lambda *_: None)


PLANTED = (
    retiring_forgets_the_interfaces,
    a_machine_is_retired_before_it_is_seen_gone,
    an_update_does_not_compare,
    running_is_said_before_it_runs,
    a_change_of_mind_is_not_heard,
    what_runs_is_noted_only_when_it_is_seen,
    a_machine_does_not_wait_for_its_second_interface,
    placed_is_said_before_the_network_is_applied,
    what_a_crash_left_unwritten_stays_so,
    stopped_is_said_before_it_stops,
    a_stopped_machine_loses_its_disk,
    what_ended_by_itself_is_started_again,
    orphans_are_left_alone,
    a_placed_interface_wakes_nobody,
    a_changed_rule_wakes_nobody,
    a_route_leads_where_nothing_is,
    nobody_asks_whose_it_is,
    a_private_address_looks_free_always,
    an_automatic_address_is_given_back_and_kept,
    who_did_not_ask_gets_a_public_address,
    an_elastic_address_moves_and_stays,
    a_vpc_is_deleted_with_what_is_in_it,
    a_group_is_deleted_while_others_speak_of_it,
    an_operation_is_no_transaction,
    what_is_read_together_is_of_many_moments,
    nobody_counts_vcpus,
    a_problem_never_ends,
)
