"""Name servers. The socket is the view: what arrives outside hears public zones, what arrives in a network its own.

Names come in two ways. Zones, Route 53's and those of services that have names of their own, are fed: a `Source` tells
`Batch`es of changes (`zones`), each name server pulls what it lacks (`feed`), compiles only the names that changed into
its `Image` and says so in `Acknowledgements`. Health is not a change: it is a byte in memory that all share (`health`).
Names that follow from rows by a rule, as EC2's do, are worked out at each question by `Answers`.

For who builds on it:

    Source.since(number) -> Batch | None              what the control plane implements over its rows
    Acknowledgements(servers).acknowledged() -> int   a change is INSYNC once its number has reached this
    Health().tell(check, healthy)                     the checker, and services for targets of aliases
    Image().apply(batch)                              what a server has; also made on the spot for TestDNSAnswer
    evaluate.resolve(...)                             image + question + asker + health + chance -> answer; pure

Where a question is asked by many and answered by few bytes, `fast` remembers the bytes. It never decides anything.
"""

from cloudstead.dataplane.dns.answers import Answers, Found, address_of_reverse
from cloudstead.dataplane.dns.feed import Acknowledgements, Source
from cloudstead.dataplane.dns.forward import Forwarder, host_upstreams
from cloudstead.dataplane.dns.health import Health
from cloudstead.dataplane.dns.server import Server, serve

__all__ = [
    "Acknowledgements",
    "Answers",
    "Forwarder",
    "Found",
    "Health",
    "Server",
    "Source",
    "address_of_reverse",
    "host_upstreams",
    "serve",
]
