"""A DHCP server inside a network: it tells machines what their addresses are and what goes with them."""

from cloudstead.dataplane.dhcp.lease import FindLease, Lease
from cloudstead.dataplane.dhcp.server import PORT, Server, serve

__all__ = ["PORT", "FindLease", "Lease", "Server", "serve"]
