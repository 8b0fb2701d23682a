"""What domains, operations and bills there are."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from cloudstead.core.caller import Caller
from cloudstead.services.route53domains import contacts, registrar
from cloudstead.services.route53domains.directory import Directory
from cloudstead.services.route53domains.errors import InvalidInput
from cloudstead.services.route53domains.letters import Letters
from cloudstead.services.route53domains.paging import paged
from cloudstead.services.route53domains.rows import Bill, DelegationKey, Domain, DomainOperation
from cloudstead.services.route53domains.standing import codes
from cloudstead.services.route53domains.tlds import tld_of
from cloudstead.services.route53domains.work import ROLES, NameServer

Keep = Callable[[Domain], bool]


class Reading:
    def __init__(self, directory: Directory, letters: Letters) -> None:
        self._directory = directory
        self._letters = letters
        self._store = directory.store

    def get_domain_detail(self, caller: Caller, request: Mapping[str, Any]) -> dict[str, Any]:
        domain = self._directory.own(caller, request["DomainName"])
        answer: dict[str, Any] = {
            "DomainName": domain.id,
            "Nameservers": [_server(server) for server in domain.name_servers],
            "AutoRenew": domain.auto_renew,
            "RegistrarName": registrar.NAME,
            "WhoIsServer": registrar.WHOIS_SERVER,
            "RegistrarUrl": registrar.URL,
            "AbuseContactEmail": registrar.ABUSE_EMAIL,
            "AbuseContactPhone": registrar.ABUSE_PHONE,
            "RegistryDomainId": domain.registry_id,
            "CreationDate": domain.created_at,
            "UpdatedDate": domain.updated_at,
            "ExpirationDate": domain.expires_at,
            "StatusList": codes(domain, self._directory.phase(domain)),
            "DnssecKeys": [_key(key) for key in domain.keys],
        }
        for role in ROLES:
            word = role.capitalize()
            answer[f"{word}Contact"] = contacts.shown(domain.contacts[role])
            answer[f"{word}Privacy"] = domain.private[role]
        return answer

    def list_domains(self, caller: Caller, request: Mapping[str, Any]) -> dict[str, Any]:
        filters, sort = request.get("FilterConditions", ()), request.get("SortCondition")
        names = {each["Name"] for each in (*filters, *([sort] if sort else ()))}
        if len(names) > 1:
            raise InvalidInput("FilterConditions and SortCondition must name the same attribute")
        keeps = [_kept_by(each) for each in filters]
        found = [row for row in self._directory.owned(caller.account) if all(keep(row) for keep in keeps)]
        if sort:
            by_expiry = sort["Name"] == "Expiry"
            found.sort(
                key=lambda row: (row.expires_at if by_expiry else row.created_at.min, row.id),
                reverse=sort["SortOrder"] == "DESC",
            )
        return paged("Domains", found, request, _summary)

    def get_operation_detail(self, caller: Caller, request: Mapping[str, Any]) -> dict[str, Any]:
        return _operation(self._directory.operation(caller, request["OperationId"]))

    def list_operations(self, caller: Caller, request: Mapping[str, Any]) -> dict[str, Any]:
        since, statuses, types = (request.get(name) for name in ("SubmittedSince", "Status", "Type"))
        found = [
            row
            for row in self._store.rows(DomainOperation, account=caller.account)
            if (since is None or row.submitted_at >= since)
            and (not statuses or row.status in statuses)
            and (not types or row.type in types)
        ]
        found.sort(
            key=lambda row: (row.submitted_at, row.number), reverse=request.get("SortOrder", "DESC") == "DESC"
        )
        return paged("Operations", found, request, _operation)

    def view_billing(self, caller: Caller, request: Mapping[str, Any]) -> dict[str, Any]:
        """Without a beginning and an end, all there is."""
        start, end = request.get("Start"), request.get("End")
        found = [
            row
            for row in self._store.rows(Bill, account=caller.account)
            if (start is None or row.billed_at >= start) and (end is None or row.billed_at <= end)
        ]
        found.sort(key=lambda row: row.number)
        return paged("BillingRecords", found, request, _bill)


def _kept_by(condition: Mapping[str, Any]) -> Keep:
    operator, value = condition["Operator"], condition["Values"][0]
    if condition["Name"] == "DomainName":
        name = value.lower()
        if operator == "BEGINS_WITH":
            return lambda row: row.id.startswith(name)
        return lambda row: row.id <= name if operator == "LE" else row.id >= name
    if operator == "BEGINS_WITH":
        raise InvalidInput("BEGINS_WITH cannot be used with Expiry")
    moment = _moment(value)
    return lambda row: row.expires_at <= moment if operator == "LE" else row.expires_at >= moment


def _moment(text: str) -> datetime:
    """Seconds since 1970, or a time of ISO 8601."""
    try:
        if text.replace(".", "", 1).isdecimal():
            return datetime.fromtimestamp(float(text), UTC)
        found = datetime.fromisoformat(text)
    except (ValueError, OverflowError, OSError):
        raise InvalidInput(f"{text} is not a time") from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _summary(domain: Domain) -> dict[str, Any]:
    shown = {"DomainName": domain.id, "AutoRenew": domain.auto_renew, "Expiry": domain.expires_at}
    return {**shown, "TransferLock": domain.locked} if tld_of(domain.id).locks else shown


def _server(server: NameServer) -> dict[str, Any]:
    return {"Name": server.name, "GlueIps": list(server.glue)}


def _key(key: DelegationKey) -> dict[str, Any]:
    return {
        "Algorithm": key.algorithm,
        "DigestType": key.digest_type,
        "Digest": key.digest,
        "KeyTag": key.tag,
        "Id": key.id,
    }


def _operation(operation: DomainOperation) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "OperationId": operation.id,
        "Status": operation.status,
        "DomainName": operation.domain,
        "Type": operation.type,
        "SubmittedDate": operation.submitted_at,
        "LastUpdatedDate": operation.updated_at,
    }
    if operation.message:
        shown["Message"] = operation.message
    if operation.flag and operation.is_open():
        shown["StatusFlag"] = operation.flag
    return shown


def _bill(bill: Bill) -> dict[str, Any]:
    return {
        "DomainName": bill.domain,
        "Operation": bill.type,
        "InvoiceId": bill.id,
        "BillDate": bill.billed_at,
        "Price": bill.price,
    }
