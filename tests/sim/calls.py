"""How a walk calls an operation: as the gateway does, but for what may happen in between.

Any operation may be refused for its state; a refusal with a code that is no refusal, or any other exception, is a
mistake. An operation is one transaction, so one that was killed half way must have done nothing.
"""

from tests.support.fuse import Crash

from cloudstead.core.caller import Caller
from cloudstead.core.errors import ServiceError
from cloudstead.gateway.wire import WireRequest, load, serialize

ACCOUNT, REGION = "123456789012", "us-east-1"
CALLER = Caller(account=ACCOUNT, region=REGION, arn=f"arn:aws:iam::{ACCOUNT}:root", user_id=ACCOUNT)
STRANGER = Caller(account="210987654321", region=REGION, arn="arn:aws:iam::210987654321:root", user_id="2")

_NEVER = {"InternalFailure", "InternalError", "ServiceUnavailable"}
_KILLED = 0.03
_CROSSED = 0.02


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


class Calls:
    """Call it with an operation's name."""

    def __init__(self, operations, store, promises, chance, *, broken, say, cross):
        """`store` is the GatewayStore that the operations were made over; `cross` lets others act in between."""
        self._operations, self._store, self._promises = operations, store, promises
        self._chance, self._broken, self._say = chance, broken, say
        self.quiet, self.frame, self._cross = False, None, cross
        store.before_read, store.before_write = self._before_read, self._before_write

    def __call__(self, operation, promise=lambda _: None, /, caller=CALLER, alone=False, **request):
        """Call an operation; what its answer promises is written down before anybody else acts. None if refused."""
        if request.get("InstanceIds") == []:
            return None
        before = self.written()
        killed = not self.quiet and self._chance.random() < _KILLED
        writes = self._chance.randrange(12) if killed else None
        outer, self.frame = self.frame, Frame(writes=writes, alone=alone or self.quiet)
        answer, outcome = self._answer(operation, caller, request)
        self._say(f"{operation} {_brief(request)}{outcome}")
        if answer is not None:
            promise(answer)
        elif self.written() != before + self.frame.others_wrote:
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
        before = self.written()
        self.frame = None
        try:
            self._cross()
        finally:
            self.frame = frame
        frame.others_wrote += self.written() - before

    def written(self):
        return self._store.changed_since(0)[0]


def evaluated(one):
    """An element as it is written, whether it may be remembered or not."""
    return one.evaluate() if hasattr(one, "evaluate") else one


def written(operation, answer):
    """An answer as the gateway writes it, element by element; it remembers none, for then walks would not replay."""
    plain = _plain(answer)
    asked = WireRequest("POST", "/", body=f"Action={operation}&Version=2016-11-15".encode())
    serialize(load("ec2").match(asked), plain, "id")
    return plain


def _plain(value):
    value = evaluated(value)
    if isinstance(value, dict):
        return {name: _plain(each) for name, each in value.items()}
    return [_plain(each) for each in value] if isinstance(value, list) else value


def _brief(request):
    return " ".join(str(value) for value in request.values())
