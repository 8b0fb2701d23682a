"""The cloud that a walk walks over: the product's own operations and controllers, put together as the product does."""

from cloudstead.app import wiring
from cloudstead.app.drivers import Drivers
from cloudstead.app.tables import Means, tables


def operations(store, tools, settings):
    return tables(Means(store=store, tools=tools, ec2=settings))["ec2"]


def controllers(store, tools, settings, drivers, host_boot):
    made = Drivers(**drivers, host_boot=host_boot)
    return wiring.controllers(store, tools, settings, made, made.networks)
