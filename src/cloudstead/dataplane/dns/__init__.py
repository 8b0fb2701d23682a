"""Name servers. The socket is the view: what arrives outside hears public zones, what arrives in a network its own.

Names come in two ways. Zones, Route 53's and those of services that have names of their own, are fed: a `Source` tells
`Batch`es of changes (`zones`), each name server pulls what it lacks (`feed`), compiles only the names that changed into
its `Image` and says so in `Acknowledgements`. Health is not a change: it is a byte in memory that all share (`health`).
Names that follow from rows by a rule, as EC2's do, are worked out at each question by `Answers`.

For who builds on it:

    Source.since(number) -> Batch | None              what the control plane implements over its rows
    Follower(source, image, told, server).catch_up()  what a name server does whenever the bell rings
    Acknowledgements(servers).acknowledged() -> int   a change is INSYNC once its number has reached this
    Health().tell(check, healthy)                     the checker, and services for targets of aliases
    Responder(image, health, view=, random=, log=)    what `serve(..., zones=)` takes: one for each view
    Image().apply(batch), evaluate.resolve_in(...)    also on the spot, over rows alone: TestDNSAnswer

A question goes through `desk`: zones (`fast` if its bytes are known, else `responder` and `evaluate`), then `Answers`,
then the forwarder.
"""

from cloudstead.dataplane.dns.answers import Answers, Found, address_of_reverse
from cloudstead.dataplane.dns.feed import Acknowledgements, Follower, Source
from cloudstead.dataplane.dns.forward import Forwarder, host_upstreams
from cloudstead.dataplane.dns.health import Health
from cloudstead.dataplane.dns.image import Image
from cloudstead.dataplane.dns.responder import QueryLog, Responder
from cloudstead.dataplane.dns.server import Server, serve

__all__ = [
    "Acknowledgements",
    "Answers",
    "Follower",
    "Forwarder",
    "Found",
    "Health",
    "Image",
    "QueryLog",
    "Responder",
    "Server",
    "Source",
    "address_of_reverse",
    "host_upstreams",
    "serve",
]
