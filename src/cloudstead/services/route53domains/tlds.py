"""The top-level domains of the local registry: what each costs, and what its registry does not do.

The prices are no copy of AWS's list: they are round figures of ours in its neighbourhood, in US dollars, there so that
MaxPrice, ListPrices and ViewBilling mean something. Nobody is charged.
"""

from dataclasses import dataclass

from cloudstead.services.route53domains.errors import UnsupportedTLD

CURRENCY = "USD"


@dataclass(frozen=True, kw_only=True)
class Tld:
    """`register`, `renew` and `transfer` are for one year. `restore` is None where what was deleted is gone at once."""

    name: str
    register: float
    renew: float
    transfer: float
    restore: float | None
    owner_change: float = 0.0
    years_max: int = 10
    #: Whether a registration can be locked against transfers.
    locks: bool = True
    #: Whether a transfer between registrars needs the registration's code.
    codes: bool = True
    #: Whether registrars push registrations to each other by tag, as Nominet's do.
    pushes: bool = False


def _generic(name: str, price: float, restore: float = 66.0) -> Tld:
    return Tld(name=name, register=price, renew=price, transfer=price, restore=restore)


def _nominet(name: str) -> Tld:
    return Tld(
        name=name, register=9.0, renew=9.0, transfer=0.0, restore=None, locks=False, codes=False, pushes=True
    )


def _country(name: str, price: float, *, years_max: int = 1, locks: bool = False) -> Tld:
    return Tld(
        name=name, register=price, renew=price, transfer=price, restore=40.0, years_max=years_max, locks=locks
    )


_ALL = (
    _generic("com", 15.0), _generic("net", 17.0), _generic("org", 15.0), _generic("info", 25.0),
    _generic("biz", 25.0), _generic("name", 12.0), _generic("mobi", 35.0), _generic("pro", 28.0),
    _generic("app", 20.0), _generic("dev", 18.0), _generic("click", 3.0), _generic("link", 5.0),
    _generic("cloud", 23.0), _generic("online", 39.0), _generic("site", 35.0), _generic("shop", 33.0),
    _generic("store", 42.0), _generic("xyz", 14.0), _generic("tech", 46.0), _generic("blog", 31.0),
    _generic("email", 25.0), _generic("network", 25.0), _generic("systems", 25.0), _generic("digital", 37.0),
    _generic("io", 71.0, 125.0), _generic("ai", 129.0, 200.0), _generic("me", 18.0, 90.0), _generic("co", 38.0),
    _generic("tv", 35.0), _generic("cc", 12.0), _generic("us", 15.0), _generic("in", 15.0),
    _nominet("uk"), _nominet("co.uk"), _nominet("org.uk"), _nominet("me.uk"),
    _country("de", 9.0), _country("eu", 13.0, years_max=10), _country("fr", 12.0, years_max=10, locks=True),
    _country("nl", 10.0), _country("be", 9.0), _country("ch", 12.0), _country("es", 10.0, years_max=5),
    _country("it", 15.0), _country("se", 23.0, years_max=10, locks=True), _country("fi", 24.0, years_max=5),
    _country("ca", 15.0, years_max=10, locks=True), _country("jp", 90.0), _country("com.au", 15.0, years_max=5),
    _country("net.au", 15.0, years_max=5), _country("co.nz", 24.0, years_max=10), _country("co.za", 13.0),
)  # fmt: skip

TLDS = {tld.name: tld for tld in _ALL}


def tld_of(name: str) -> Tld:
    """What a domain is registered under: the longest of ours that it ends in."""
    labels = name.split(".")
    for n in range(1, len(labels)):
        found = TLDS.get(".".join(labels[n:]))
        if found is not None:
            return found
    raise UnsupportedTLD(f"Unsupported top level domain: {labels[-1]}")


def zones() -> list[str]:
    """The zones that the registry keeps: of `co.uk` there is `uk` too, whether or not names are sold in it."""
    names = set(TLDS)
    names |= {name.partition(".")[2] for name in TLDS if "." in name}
    return sorted(names)
