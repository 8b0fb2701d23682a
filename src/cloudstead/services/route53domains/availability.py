"""What could be registered or transferred, and at what price."""

from collections.abc import Iterator, Mapping
from typing import Any

from cloudstead.core.caller import Caller
from cloudstead.services.route53domains.directory import Directory
from cloudstead.services.route53domains.errors import InvalidInput, UnsupportedTLD
from cloudstead.services.route53domains.names import domain_name, registrable, reserved
from cloudstead.services.route53domains.paging import paged
from cloudstead.services.route53domains.rows import Domain
from cloudstead.services.route53domains.tlds import CURRENCY, TLDS, Tld, tld_of
from cloudstead.services.route53domains.work import Register

_SUGGESTIONS_MAX = 50
_SUGGESTED_TLDS = ("com", "net", "org", "io", "dev", "app", "click", "link", "cloud", "info", "me", "co")
_SUGGESTED_WORDS = (
    "{}", "{}online", "my{}", "the{}", "{}hq", "get{}", "{}app", "{}-online", "try{}", "{}now", "{}hub", "{}world",
)  # fmt: skip


class Availability:
    def __init__(self, directory: Directory) -> None:
        self._directory = directory

    def check_domain_availability(self, _caller: Caller, request: Mapping[str, Any]) -> dict[str, Any]:
        name = domain_name(request["DomainName"])
        found = availability(self._directory, name)
        answer: dict[str, Any] = {"Availability": found}
        if found == "AVAILABLE":
            answer["Price"] = _standard(tld_of(name).register)
        return answer

    def check_domain_transferability(self, caller: Caller, request: Mapping[str, Any]) -> dict[str, Any]:
        name = domain_name(request["DomainName"])
        tld = tld_of(name)
        found, why = _transferability(caller, self._directory.registered(name), tld, request.get("AuthCode"))
        answer: dict[str, Any] = {"Transferability": {"Transferable": found}}
        if why:
            answer["Message"] = why
        else:
            answer["Price"] = _standard(tld.transfer)
        return answer

    def get_domain_suggestions(self, _caller: Caller, request: Mapping[str, Any]) -> dict[str, Any]:
        """Always the same ones for a name, in the same order, as far as they are free."""
        count = request["SuggestionCount"]
        if not 1 <= count <= _SUGGESTIONS_MAX:
            raise InvalidInput(f"SuggestionCount must be between 1 and {_SUGGESTIONS_MAX}")
        name = domain_name(request["DomainName"])
        only_available = request["OnlyAvailable"]
        suggestions: list[dict[str, Any]] = []
        for each in _variants(name, tld_of(name)):
            if len(suggestions) == count:
                break
            if not only_available:
                suggestions.append({"DomainName": each})
            elif availability(self._directory, each) == "AVAILABLE":
                price = _standard(tld_of(each).register)
                suggestions.append({"DomainName": each, "Availability": "AVAILABLE", "Price": price})
        return {"SuggestionsList": suggestions}

    def list_prices(self, _caller: Caller, request: Mapping[str, Any]) -> dict[str, Any]:
        wanted = request.get("Tld")
        if wanted is None:
            return paged("Prices", sorted(TLDS.values(), key=lambda tld: tld.name), request, _price)
        tld = TLDS.get(wanted.lower().removeprefix("."))
        if tld is None:
            raise UnsupportedTLD(f"Unsupported top level domain: {wanted}")
        if "Marker" in request or "MaxItems" in request:
            raise InvalidInput("Marker and MaxItems cannot be used together with Tld")
        return {"Prices": [_price(tld)]}

    def get_domain_prices(self, _caller: Caller, request: Mapping[str, Any]) -> dict[str, Any]:
        """No domain here has a price of its own."""
        name = domain_name(request["DomainName"])
        return {"DomainPrice": {**_price(tld_of(name)), "Name": name}}


def availability(directory: Directory, name: str) -> str:
    """In the words of CheckDomainAvailability. Raises UnsupportedTLD."""
    if registrable(name) is None:
        return "INVALID_NAME_FOR_TLD"
    if reserved(name):
        return "RESERVED"
    if directory.registered(name) is not None:
        return "UNAVAILABLE"
    busy = directory.open_operation(name)
    return "UNAVAILABLE" if busy is not None and isinstance(busy.work, Register) else "AVAILABLE"


def _transferability(
    caller: Caller, domain: Domain | None, tld: Tld, auth_code: str | None
) -> tuple[str, str]:
    """Whether, and why not."""
    if domain is None:
        return "UNTRANSFERABLE", "The domain is not registered."
    if domain.account == caller.account:
        return "DOMAIN_IN_OWN_ACCOUNT", "The domain is already registered in this account."
    if domain.account:
        return "DOMAIN_IN_ANOTHER_ACCOUNT", "The domain is registered in another AWS account."
    if domain.locked:
        return "UNTRANSFERABLE", "The domain is locked: its status is clientTransferProhibited."
    if tld.codes and auth_code is not None and auth_code != domain.auth_code:
        return "UNTRANSFERABLE", WRONG_CODE
    return "TRANSFERABLE", ""


WRONG_CODE = "The authorization code that you got from the current registrar is not valid"


def _variants(name: str, tld: Tld) -> Iterator[str]:
    label = name.removesuffix(f".{tld.name}").rpartition(".")[2].removeprefix("xn--")
    names = [each for each in _SUGGESTED_TLDS if each != tld.name]
    for words in _SUGGESTED_WORDS:
        for each in (tld.name, *names):
            made = f"{words.format(label)}.{each}"
            if made != name:
                yield made


def _price(tld: Tld) -> dict[str, Any]:
    prices = {
        "RegistrationPrice": tld.register,
        "TransferPrice": tld.transfer,
        "RenewalPrice": tld.renew,
        "ChangeOwnershipPrice": tld.owner_change,
    }
    if tld.restore is not None:
        prices["RestorationPrice"] = tld.restore
    return {"Name": tld.name, **{name: priced(price) for name, price in prices.items()}}


def priced(price: float) -> dict[str, Any]:
    return {"Price": price, "Currency": CURRENCY}


def _standard(price: float) -> dict[str, Any]:
    return {**priced(price), "PriceType": "STANDARD"}
