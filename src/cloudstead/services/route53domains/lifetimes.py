"""The calendar of a registration, as the registries of generic domains have it.

registered -> (the day it runs out) expired: not delegated, can be renewed -> redemption: can be restored
-> ending: nobody can do anything -> gone, and anybody may register it

One that renews itself never leaves the first of these, however late somebody comes by to renew it.
"""

from datetime import datetime, timedelta
from typing import Literal

from cloudstead.services.route53domains.rows import Domain
from cloudstead.services.route53domains.tlds import tld_of

Phase = Literal["registered", "expired", "redemption", "ending", "gone"]

#: How long before the day AWS renews what renews itself.
AUTO_RENEWED_BEFORE = timedelta(days=35)
RENEWABLE_AFTER = timedelta(days=44)
RESTORABLE_FOR = timedelta(days=30)
ENDING_FOR = timedelta(days=5)
#: How long the registrant has to confirm the address, and whoever gets a domain from another account to accept it.
CONFIRM_WITHIN = timedelta(days=15)
ACCEPT_WITHIN = timedelta(days=3)
AUTHORIZE_WITHIN = timedelta(days=5)


def phase(domain: Domain, now: datetime) -> Phase:
    if domain.deleted_at is None and (domain.auto_renew or now < domain.expires_at):
        return "registered"
    if domain.deleted_at is None and now < domain.expires_at + RENEWABLE_AFTER:
        return "expired"
    since = domain.deleted_at or domain.expires_at + RENEWABLE_AFTER
    if tld_of(domain.id).restore is None:
        return "gone"
    if now < since + RESTORABLE_FOR:
        return "redemption"
    return "ending" if now < since + RESTORABLE_FOR + ENDING_FOR else "gone"


def later(day: datetime, years: int) -> datetime:
    """The same day so many years later; the 29th of February becomes the 28th."""
    try:
        return day.replace(year=day.year + years)
    except ValueError:
        return day.replace(year=day.year + years, day=28)
