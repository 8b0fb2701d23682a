"""Name servers: one per socket and view. The names themselves come from whoever knows them, through `Answers`."""

from cloudstead.dataplane.dns.answers import Answers, Found, address_of_reverse
from cloudstead.dataplane.dns.forward import Forwarder, host_upstreams
from cloudstead.dataplane.dns.server import Server, serve

__all__ = ["Answers", "Forwarder", "Found", "Server", "address_of_reverse", "host_upstreams", "serve"]
