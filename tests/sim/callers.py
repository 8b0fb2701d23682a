"""What callers do with instances: on few names, with chosen weights, and what an answer promises."""

from tests.sim.calls import REGION, STRANGER, evaluated
from tests.sim.network_callers import NetworkCallers
from tests.sim.promises import VCPUS, PromisedInstance

from cloudstead.services.ec2 import image_catalogue
from cloudstead.services.ec2.image_catalogue import CLOUDSTEAD
from cloudstead.services.ec2.instance_rows import Instance

TINY = next(image.id for image in image_catalogue.images(REGION).values() if image.account == CLOUDSTEAD)

_DESCRIBED = (
    "DescribeInstances",
    "DescribeInstanceStatus",
    "DescribeVolumes",
    "DescribeVolumeStatus",
    "DescribeNetworkInterfaces",
    "DescribeAddresses",
    "DescribeNatGateways",
    "DescribeSecurityGroups",
    "DescribeSecurityGroupRules",
    "DescribeSubnets",
    "DescribeVpcs",
    "DescribeRouteTables",
    "DescribeNetworkAcls",
    "DescribeInternetGateways",
    "DescribeTags",
)
_TOKENS = ("first", "second", "third")


class Callers:
    def __init__(self, calls, promises, chance, store, broken):
        self._call, self._promises, self._chance = calls, promises, chance
        self._store, self._broken = store, broken
        self._network = NetworkCallers(calls, promises, chance, store)
        self._weights = {
            self.run_instances: 10,
            self.launch_again: 2,
            self.stop_instances: 9,
            self.start_instances: 9,
            self.reboot_instances: 4,
            self.terminate_instances: 6,
            self.modify_instance: 4,
            self.keep_or_drop: 1,
            self.delete_volume: 2,
            self.look: 2,
            self.glance: 8,
            self.trespass: 1,
            **self._network.weights,
        }

    def begin(self):
        """A network to begin with."""
        for act in self._network.beginning:
            act()

    def act(self):
        (chosen,) = self._chance.choices(list(self._weights), self._weights.values())
        chosen()

    def meddle(self):
        """What is most likely to cross what the controllers are about to write."""
        moving = [one.id for one in self._promises.instances.values() if one.shown in ("pending", "stopping")]
        match self._chance.randrange(8):
            case 0:
                self._network.addresses.delete_nat()
            case 6 | 7:
                self._network.detach_interface()
            case 1:
                self.stop_instances()
            case 2 if moving:
                self._terminate([self._chance.choice(moving)])
            case _ if moving:
                self._modify(self._chance.choice(moving))

    # --- looking

    def look(self):
        """What was acknowledged is described, as it was promised, and nothing of anybody else's."""
        answer = self._call("DescribeInstances", alone=True)
        if answer is None:
            return  # the gateway was killed while it made the default VPC
        found = [one for each in answer["Reservations"] for one in each["Instances"]]
        states = {one["InstanceId"]: one["State"]["Name"] for one in found}
        promised = {one.id: one.shown for one in self._promises.instances.values()}
        if states != promised:
            self._broken(f"DescribeInstances shows {states}, and {promised} was promised")
        self._network.look()

    def glance(self):
        """Whatever others do meanwhile, describing answers, and what it shows of an instance is of one moment."""
        operation = self._chance.choice(("DescribeInstances", *_DESCRIBED))
        answer = self._call(operation)
        if answer is None or operation != "DescribeInstances":
            return
        for shown in (one for each in answer["Reservations"] for one in each["Instances"]):
            whole = bool(shown["NetworkInterfaces"] and shown["BlockDeviceMappings"])
            if whole != (shown["State"]["Name"] != "terminated"):
                self._broken(f"DescribeInstances shows {shown['InstanceId']} as of two moments")

    def trespass(self):
        """Another account tries what it has no right to."""
        known = [*self._promises.instances, *self._promises.network.interfaces]
        if not known:
            return
        id = self._chance.choice(known)
        operation, request = (
            ("TerminateInstances", {"InstanceIds": [id]})
            if id.startswith("i-")
            else ("DeleteNetworkInterface", {"NetworkInterfaceId": id})
        )
        if self._call("DescribeVpcs", caller=STRANGER) is None:  # its own default VPC comes to be
            return
        before = self._call.written()
        if self._call(operation, caller=STRANGER, alone=True, **request) is not None:
            self._broken(f"a stranger's {operation} of {id} was answered")
        if self._call.written() != before:
            self._broken(f"a stranger's {operation} of {id} changed something")

    # --- instances

    def run_instances(self):
        chance = self._chance
        request = {
            "ImageId": TINY,
            "InstanceType": chance.choice(list(VCPUS)),
            "MinCount": 1,
            "MaxCount": chance.choice((1, 1, 2, 3)),
            "InstanceInitiatedShutdownBehavior": chance.choice(("stop", "stop", "terminate")),
            "DisableApiTermination": chance.random() < 0.1,
            **self._network.place(),
        }
        keeps = chance.random() < 0.2
        if keeps:
            mapping = {"DeviceName": "/dev/xvda", "Ebs": {"DeleteOnTermination": False}}
            request["BlockDeviceMappings"] = [mapping]
        free = [token for token in _TOKENS if token not in self._promises.tokens]
        if free and chance.random() < 0.3:
            request["ClientToken"] = free[0]
        self._call("RunInstances", lambda answer: self._launched(request, answer), **request)

    def launch_again(self):
        """The answer was lost, so the caller asks again: nothing more may be launched."""
        for token, (request, ids) in list(self._promises.tokens.items()):
            known = [id for id in ids if id in self._promises.instances]
            if not known:
                del self._promises.tokens[token]
                continue
            answer = self._call("RunInstances", **request)
            if answer is None:
                continue
            again = [evaluated(one)["InstanceId"] for one in answer["Instances"]]
            if again != known:
                self._broken(f"{token} launched {ids} first, and {again} when asked again")

    def _launched(self, request, answer):
        ids = []
        for shown in map(evaluated, answer["Instances"]):
            row = self._store.get(Instance, shown["InstanceId"])
            fields = {
                "type": request["InstanceType"],
                "shutdown_behavior": request["InstanceInitiatedShutdownBehavior"],
                "termination_protection": request["DisableApiTermination"],
                "monitoring": False,
            }
            keeps = "BlockDeviceMappings" in request
            self._promises.instances[row.id] = PromisedInstance(row.id, row.root_volume, fields, keeps)
            interfaces = [evaluated(one) for one in shown["NetworkInterfaces"]]
            self._promises.instances[row.id].alone = len(interfaces) == 1
            self._network.launched(request, interfaces)
            ids.append(row.id)
        if "ClientToken" in request:
            self._promises.tokens[request["ClientToken"]] = request, ids

    def stop_instances(self):
        ids = self._some_instances("running")
        self._call(
            "StopInstances",
            lambda _: self._wanted(ids, "stopped"),
            InstanceIds=ids,
            Force=self._chance.random() < 0.2,
        )

    def start_instances(self):
        ids = self._some_instances("stopped")
        self._call("StartInstances", lambda _: self._wanted(ids, "running"), InstanceIds=ids)

    def reboot_instances(self):
        ids = self._some_instances("running")
        self._call("RebootInstances", lambda _: self._booted(ids), InstanceIds=ids)

    def terminate_instances(self):
        self._terminate(self._some_instances())

    def _terminate(self, ids):
        self._call("TerminateInstances", lambda _: self._wanted(ids, "terminated"), InstanceIds=ids)

    def modify_instance(self):
        for id in self._some_instances("stopped", 1):
            self._modify(id)

    def keep_or_drop(self):
        """Whether a root volume outlives its instance."""
        for id in self._some_instances(most=1):
            promised, keeps = self._promises.instances[id], self._chance.random() < 0.5
            mapping = {"DeviceName": "/dev/xvda", "Ebs": {"DeleteOnTermination": not keeps}}
            self._call(
                "ModifyInstanceAttribute",
                lambda _, promised=promised, keeps=keeps: setattr(promised, "keeps_volume", keeps),
                InstanceId=id,
                BlockDeviceMappings=[mapping],
            )

    def _modify(self, id):
        name, member, value = self._chance.choice(
            [
                ("type", "InstanceType", self._chance.choice(list(VCPUS))),
                ("shutdown_behavior", "InstanceInitiatedShutdownBehavior", "stop"),
                ("shutdown_behavior", "InstanceInitiatedShutdownBehavior", "terminate"),
                ("termination_protection", "DisableApiTermination", False),
                ("termination_protection", "DisableApiTermination", True),
                ("monitoring", None, False),
                ("monitoring", None, True),
            ]
        )

        def promise(_):
            self._promises.instances[id].fields[name] = value

        if member is not None:
            self._call("ModifyInstanceAttribute", promise, InstanceId=id, **{member: {"Value": value}})
        else:
            self._call("MonitorInstances" if value else "UnmonitorInstances", promise, InstanceIds=[id])

    def delete_volume(self):
        for id in sorted(self._promises.volumes)[:1]:
            self._call("DeleteVolume", lambda _, gone=id: self._promises.volumes.discard(gone), VolumeId=id)

    def _some_instances(self, shown=None, most=2):
        """Mostly those in the state in which it makes sense, if it does only in one."""
        known = list(self._promises.instances)
        if self._chance.random() < 0.8:
            known = [id for id in known if shown in (None, self._promises.instances[id].shown)]
        return self._chance.sample(known, min(len(known), self._chance.randint(1, most)))

    def _wanted(self, ids, want):
        for id in ids:
            promised = self._promises.instances[id]
            if want == "running" and promised.want != "running":
                promised.boot += 1
            if promised.want != want:
                promised.want, promised.want_since = want, self._promises.host.tick()

    def _booted(self, ids):
        for id in ids:
            self._promises.instances[id].boot += 1

    # --- the end

    def delete_everything(self):
        for promised in list(self._promises.instances.values()):
            if promised.want == "terminated":
                continue
            one = {"InstanceId": promised.id, "DisableApiTermination": {"Value": False}}
            self._call(
                "ModifyInstanceAttribute",
                lambda _, fields=promised.fields: fields.update(termination_protection=False),
                **one,
            )
            self._call(
                "TerminateInstances",
                lambda _, gone=promised.id: self._wanted([gone], "terminated"),
                InstanceIds=[promised.id],
            )
        self._network.addresses.delete_gateways()

    def delete_rest(self):
        while self._promises.volumes:
            self.delete_volume()
        self._network.addresses.release_everything()
        self._network.delete_rest()
