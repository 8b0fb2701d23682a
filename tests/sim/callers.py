"""What callers do: operations on few names with chosen weights, and what an answer or a refusal promises.

Any operation may be refused for its state; a refusal with a code that is no refusal, or any other exception, is a
mistake. An operation is one transaction, so one that was killed half way must have done nothing.
"""

from tests.sim.network_callers import NetworkCallers
from tests.sim.promises import VCPUS, PromisedInstance
from tests.support.fuse import Crash

from cloudstead.core.caller import Caller
from cloudstead.core.errors import ServiceError
from cloudstead.gateway.wire import WireRequest, load, serialize
from cloudstead.services.ec2 import image_catalogue
from cloudstead.services.ec2.image_catalogue import CLOUDSTEAD
from cloudstead.services.ec2.instance_rows import Instance

ACCOUNT, REGION = "123456789012", "us-east-1"
CALLER = Caller(account=ACCOUNT, region=REGION, arn=f"arn:aws:iam::{ACCOUNT}:root", user_id=ACCOUNT)
STRANGER = Caller(account="210987654321", region=REGION, arn="arn:aws:iam::210987654321:root", user_id="2")
TINY = next(image.id for image in image_catalogue.images(REGION).values() if image.account == CLOUDSTEAD)

_NEVER = {"InternalFailure", "InternalError", "ServiceUnavailable"}
_KILLED = 0.03
_CROSSED = 0.02
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


class Frame:
    """One call that is under way."""

    def __init__(self, *, writes, alone):
        self.writes = writes  # how many more it may do before it is killed, None for any number
        self.alone = alone  # nobody acts in between
        self.wrote = False
        self.others_wrote = 0


class GatewayStore:
    """The store as operations reach it. Outside a transaction others act between two reads."""

    def __init__(self, store):
        self._store = store
        self.before_read = self.before_write = lambda: None

    def __getattr__(self, name):
        return getattr(self._store, name)

    def get(self, kind, id):
        self._read()
        return self._store.get(kind, id)

    def rows(self, kind, /, **equal):
        self._read()
        return self._store.rows(kind, **equal)

    def insert(self, row):
        self.before_write()
        return self._store.insert(row)

    def update(self, row, **fields):
        self.before_write()
        return self._store.update(row, **fields)

    def delete(self, row):
        self.before_write()
        return self._store.delete(row)

    def _read(self):
        if self._store._depth == 0:
            self.before_read()


class Callers:
    def __init__(self, operations, store, promises, chance, *, broken, say, cross):
        """`store` is the GatewayStore that the operations were made over; `cross` lets others act in between."""
        self._operations, self._store, self._promises = operations, store, promises
        self._chance, self._broken, self._say = chance, broken, say
        self.quiet, self.frame, self._cross = False, None, cross
        store.before_read, store.before_write = self._before_read, self._before_write
        self._network = NetworkCallers(self.call, promises, chance, store)
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
                self._network.delete_nat()
            case 6 | 7:
                self._network.detach_interface()
            case 1:
                self.stop_instances()
            case 2 if moving:
                self._terminate([self._chance.choice(moving)])
            case _ if moving:
                self._modify(self._chance.choice(moving))

    def call(self, operation, promise=lambda _: None, /, caller=CALLER, alone=False, **request):
        """Call an operation; what its answer promises is written down before anybody else acts. None if refused."""
        if request.get("InstanceIds") == []:
            return None
        before = self._written()
        killed = not self.quiet and self._chance.random() < _KILLED
        writes = self._chance.randrange(12) if killed else None
        outer, self.frame = self.frame, Frame(writes=writes, alone=alone or self.quiet)
        answer, outcome = self._answer(operation, caller, request)
        self._say(f"{operation} {_brief(request)}{outcome}")
        if answer is not None:
            promise(answer)
        elif self._written() != before + self.frame.others_wrote:
            self._broken(f"{operation} {request} was refused or killed, and changed something")
        self.frame = outer
        if outer is None:
            self._promises.check()
        return answer

    def _answer(self, operation, caller, request):
        try:
            answer = self._operations[operation](caller, request) or {}
            if operation.startswith("Describe"):
                answer = written(operation, answer)
        except ServiceError as e:
            if e.code in _NEVER:
                self._broken(f"{operation} {request}: {e.code}: {e.message}")
            return None, f": {e.code}"
        except Crash:
            return None, ": the gateway was killed"
        except Exception as e:  # noqa: BLE001 - whatever it is, it is a mistake
            self._broken(f"{operation} {request}: {e!r}")
            return None, f": {e!r}"
        return answer, ""

    def _before_write(self):
        if self.frame is None:
            return
        self.frame.wrote = True
        if self.frame.writes is not None:
            self.frame.writes -= 1
            if self.frame.writes < 0:
                raise Crash

    def _before_read(self):
        """Others act, as long as the call has not written: from then on its answer is what counts."""
        frame = self.frame
        if frame is None or frame.alone or frame.wrote or self._chance.random() > _CROSSED:
            return
        before = self._written()
        self.frame = None
        try:
            self._cross()
        finally:
            self.frame = frame
        frame.others_wrote += self._written() - before

    def _written(self):
        return self._store.changed_since(0)[0]

    # --- looking

    def look(self):
        """What was acknowledged is described, as it was promised, and nothing of anybody else's."""
        answer = self.call("DescribeInstances", alone=True)
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
        answer = self.call(operation)
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
        if self.call("DescribeVpcs", caller=STRANGER) is None:  # its own default VPC comes to be
            return
        before = self._written()
        if self.call(operation, caller=STRANGER, alone=True, **request) is not None:
            self._broken(f"a stranger's {operation} of {id} was answered")
        if self._written() != before:
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
        self.call("RunInstances", lambda answer: self._launched(request, answer), **request)

    def launch_again(self):
        """The answer was lost, so the caller asks again: nothing more may be launched."""
        for token, (request, ids) in list(self._promises.tokens.items()):
            known = [id for id in ids if id in self._promises.instances]
            if not known:
                del self._promises.tokens[token]
                continue
            answer = self.call("RunInstances", **request)
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
            for one in interfaces:
                goes = one["Attachment"]["DeleteOnTermination"]
                self._network.made(one["NetworkInterfaceId"], goes_with_instance=goes)
            ids.append(row.id)
        if "ClientToken" in request:
            self._promises.tokens[request["ClientToken"]] = request, ids

    def stop_instances(self):
        ids = self._some_instances("running")
        self.call(
            "StopInstances",
            lambda _: self._wanted(ids, "stopped"),
            InstanceIds=ids,
            Force=self._chance.random() < 0.2,
        )

    def start_instances(self):
        ids = self._some_instances("stopped")
        self.call("StartInstances", lambda _: self._wanted(ids, "running"), InstanceIds=ids)

    def reboot_instances(self):
        ids = self._some_instances("running")
        self.call("RebootInstances", lambda _: self._booted(ids), InstanceIds=ids)

    def terminate_instances(self):
        self._terminate(self._some_instances())

    def _terminate(self, ids):
        self.call("TerminateInstances", lambda _: self._wanted(ids, "terminated"), InstanceIds=ids)

    def modify_instance(self):
        for id in self._some_instances("stopped", 1):
            self._modify(id)

    def keep_or_drop(self):
        """Whether a root volume outlives its instance."""
        for id in self._some_instances(most=1):
            promised, keeps = self._promises.instances[id], self._chance.random() < 0.5
            mapping = {"DeviceName": "/dev/xvda", "Ebs": {"DeleteOnTermination": not keeps}}
            self.call(
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
            self.call("ModifyInstanceAttribute", promise, InstanceId=id, **{member: {"Value": value}})
        else:
            self.call("MonitorInstances" if value else "UnmonitorInstances", promise, InstanceIds=[id])

    def delete_volume(self):
        for id in sorted(self._promises.volumes)[:1]:
            self.call("DeleteVolume", lambda _, gone=id: self._promises.volumes.discard(gone), VolumeId=id)

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
            self.call(
                "ModifyInstanceAttribute",
                lambda _, fields=promised.fields: fields.update(termination_protection=False),
                **one,
            )
            self.call(
                "TerminateInstances",
                lambda _, gone=promised.id: self._wanted([gone], "terminated"),
                InstanceIds=[promised.id],
            )

        self._network.delete_gateways()

    def delete_rest(self):
        while self._promises.volumes:
            self.delete_volume()
        self._network.delete_rest()


def evaluated(one):
    """An element as it is written, whether it may be remembered or not."""
    return one.evaluate() if hasattr(one, "evaluate") else one


def written(operation, answer):
    """An answer as the gateway writes it: what is remembered is looked at only now."""
    asked = WireRequest("POST", "/", body=f"Action={operation}&Version=2016-11-15".encode())
    serialize(load("ec2").match(asked), answer, "id")
    return _plain(answer)


def _plain(value):
    value = evaluated(value)
    if isinstance(value, dict):
        return {name: _plain(each) for name, each in value.items()}
    return [_plain(each) for each in value] if isinstance(value, list) else value


def _brief(request):
    return " ".join(str(value) for value in request.values())
