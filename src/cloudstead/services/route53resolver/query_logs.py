"""Query log configurations: where what a VPC asks is written, and which VPCs. A bucket of S3 takes it.

Whether the bucket is there is looked at whenever an association is shown.
"""

from collections.abc import Callable, Mapping
from typing import Any

from cloudstead.core import ids
from cloudstead.core.caller import Caller
from cloudstead.core.errors import NotBuilt
from cloudstead.services.route53resolver.directory import Directory, missing
from cloudstead.services.route53resolver.errors import (
    InvalidRequestException,
    LimitExceededException,
    ResourceExistsException,
    ResourceNotFoundException,
    wrong,
)
from cloudstead.services.route53resolver.paging import Fields, filtered, paged
from cloudstead.services.route53resolver.rows import QueryLog, QueryLogAssociation, stamp

CONFIGS_MAX = 20
VPCS_MAX = 100
_S3 = "arn:aws:s3:::"
_PREFIX = "rqlca"
_RESOURCE = "resolver-query-log-config-association"

#: Whether an account has a bucket of this name.
HasBucket = Callable[[str, str], bool]


class QueryLogs:
    def __init__(self, directory: Directory, has_bucket: HasBucket) -> None:
        self._directory = directory
        self._store = directory.store
        self._has_bucket = has_bucket

    def create_resolver_query_log_config(self, caller: Caller, request: Mapping[str, Any]) -> dict[str, Any]:
        destination = request["DestinationArn"]
        if destination.startswith(("arn:aws:logs:", "arn:aws:firehose:")):
            raise NotBuilt(
                "route53resolver: query logs go to a bucket of S3; CloudWatch Logs and Firehose are not built in "
                "Cloudstead yet."
            )
        if not destination.startswith(_S3) or not destination.removeprefix(_S3).partition("/")[0]:
            raise wrong("DestinationArn", f"The destination '{destination}' is not valid.")
        with self._store.transaction():
            self._check_new(caller, request)
            row = QueryLog(
                **self._directory.owned(caller, request, QueryLog.prefix),
                name=request["Name"],
                destination=destination,
            )
            self._store.insert(row)
        return {"ResolverQueryLogConfig": self._shown(caller, row)}

    def get_resolver_query_log_config(self, caller: Caller, request: Mapping[str, Any]) -> dict[str, Any]:
        row = self._usable(caller, request, "GetResolverQueryLogConfig")
        return {"ResolverQueryLogConfig": self._shown(caller, row)}

    def list_resolver_query_log_configs(self, caller: Caller, request: Mapping[str, Any]) -> dict[str, Any]:
        every = [
            self._shown(caller, row)
            for row in self._directory.usable(QueryLog, caller, "ListResolverQueryLogConfigs")
        ]
        found = filtered(every, request, _FIELDS)
        page = paged(
            "ResolverQueryLogConfigs",
            _ordered(found, request, _FIELDS),
            request,
            key=lambda each: str(each["Id"]),
            shown=lambda each: each,
        )
        return {**page, "TotalCount": len(every), "TotalFilteredCount": len(found)}

    def delete_resolver_query_log_config(self, caller: Caller, request: Mapping[str, Any]) -> dict[str, Any]:
        with self._store.transaction():
            row = self._directory.find(
                QueryLog, caller, request["ResolverQueryLogConfigId"], missing(QueryLog)
            )
            if self._store.rows(QueryLogAssociation, log_id=row.id):
                raise InvalidRequestException(
                    f"The query logging configuration '{row.id}' is associated with VPCs; disassociate it first."
                )
            self._store.delete(row)
        return {"ResolverQueryLogConfig": {**self._shown(caller, row), "Status": "DELETING"}}

    # --- associations

    def associate_resolver_query_log_config(
        self, caller: Caller, request: Mapping[str, Any]
    ) -> dict[str, Any]:
        vpc = request["ResourceId"]
        with self._store.transaction():
            row = self._usable(caller, request, "AssociateResolverQueryLogConfig")
            if not self._directory.vpcs.has_vpc(caller, vpc):
                raise wrong("ResourceId", f"The vpc ID '{vpc}' does not exist")
            here = self._store.rows(QueryLogAssociation, log_id=row.id)
            if any(each.vpc_id == vpc for each in here):
                raise ResourceExistsException(
                    f"The query logging configuration '{row.id}' is already associated with '{vpc}'.",
                    fields={"ResourceType": _RESOURCE},
                )
            if len(here) >= VPCS_MAX:
                raise LimitExceededException(
                    f"A query logging configuration cannot be associated with more than {VPCS_MAX} VPCs.",
                    fields={"ResourceType": _RESOURCE},
                )
            made = self._store.insert(
                QueryLogAssociation(
                    id=ids.new(_PREFIX, self._directory.tools.random),
                    account=caller.account,
                    region=caller.region,
                    log_id=row.id,
                    vpc_id=vpc,
                    created_at=self._directory.tools.clock.now(),
                )
            )
        return {"ResolverQueryLogConfigAssociation": self._association(made)}

    def disassociate_resolver_query_log_config(
        self, caller: Caller, request: Mapping[str, Any]
    ) -> dict[str, Any]:
        with self._store.transaction():
            found = self._store.rows(
                QueryLogAssociation,
                log_id=request["ResolverQueryLogConfigId"],
                vpc_id=request["ResourceId"],
                account=caller.account,
            )
            if not found:
                raise ResourceNotFoundException(
                    f"The query logging configuration '{request['ResolverQueryLogConfigId']}' is not associated with "
                    f"'{request['ResourceId']}'.",
                    fields={"ResourceType": _RESOURCE},
                )
            self._store.delete(found[0])
        gone = {**self._association(found[0]), "Status": "DELETING"}
        return {"ResolverQueryLogConfigAssociation": gone}

    def get_resolver_query_log_config_association(
        self, caller: Caller, request: Mapping[str, Any]
    ) -> dict[str, Any]:
        id = request["ResolverQueryLogConfigAssociationId"]
        row = self._store.get(QueryLogAssociation, id)
        if row is None or (row.account, row.region) != (caller.account, caller.region):
            raise ResourceNotFoundException(
                f"Resolver query logging configuration association with ID '{id}' does not exist.",
                fields={"ResourceType": _RESOURCE},
            )
        return {"ResolverQueryLogConfigAssociation": self._association(row)}

    def list_resolver_query_log_config_associations(
        self, caller: Caller, request: Mapping[str, Any]
    ) -> dict[str, Any]:
        rows = self._store.rows(QueryLogAssociation, account=caller.account, region=caller.region)
        every = list(map(self._association, rows))
        found = filtered(every, request, _ASSOCIATION_FIELDS)
        page = paged(
            "ResolverQueryLogConfigAssociations",
            _ordered(found, request, _ASSOCIATION_FIELDS),
            request,
            key=lambda each: str(each["Id"]),
            shown=lambda each: each,
        )
        return {**page, "TotalCount": len(every), "TotalFilteredCount": len(found)}

    # --- inside

    def _usable(self, caller: Caller, request: Mapping[str, Any], action: str) -> QueryLog:
        id = request["ResolverQueryLogConfigId"]
        return self._directory.find_usable(QueryLog, caller, id, action, missing(QueryLog))

    def _check_new(self, caller: Caller, request: Mapping[str, Any]) -> None:
        mine, token = self._directory.mine(QueryLog, caller), request["CreatorRequestId"]
        if any(row.creator_request_id == token for row in mine):
            raise ResourceExistsException(
                f"Query logging configuration with creator request ID '{token}' already exists",
                fields={"ResourceType": QueryLog.resource},
            )
        if len(mine) >= CONFIGS_MAX:
            raise LimitExceededException(
                f"Account '{caller.account}' has exceeded 'max-query-log-configs'",
                fields={"ResourceType": QueryLog.resource},
            )

    def _shown(self, caller: Caller, row: QueryLog) -> dict[str, Any]:
        return {
            "Id": row.id,
            "OwnerId": row.account,
            "Status": "CREATED",
            "ShareStatus": self._directory.share_status(row, caller),
            "AssociationCount": len(self._store.rows(QueryLogAssociation, log_id=row.id)),
            "Arn": row.arn(),
            "Name": row.name,
            "DestinationArn": row.destination,
            "CreatorRequestId": row.creator_request_id,
            "CreationTime": stamp(row.created_at),
        }

    def _association(self, row: QueryLogAssociation) -> dict[str, Any]:
        log = self._store.get(QueryLog, row.log_id)
        there = log is not None and self._has_bucket(log.account, bucket_of(log))
        return {
            "Id": row.id,
            "ResolverQueryLogConfigId": row.log_id,
            "ResourceId": row.vpc_id,
            "Status": "ACTIVE" if there else "ACTION_NEEDED",
            "Error": "NONE" if there else "DESTINATION_NOT_FOUND",
            "ErrorMessage": "" if there else "The bucket of the destination does not exist.",
            "CreationTime": stamp(row.created_at),
        }


def bucket_of(row: QueryLog) -> str:
    return row.destination.removeprefix(_S3).partition("/")[0]


def _ordered(
    found: list[dict[str, Any]], request: Mapping[str, Any], fields: Fields[dict[str, Any]]
) -> list[dict[str, Any]]:
    by = request.get("SortBy")
    if by is None:
        return found
    field = fields.get(by.lower())
    if field is None:
        raise wrong("SortBy", f"The value '{by}' of SortBy is not valid.")
    return sorted(found, key=field, reverse=request.get("SortOrder") == "DESCENDING")


_FIELDS: Fields[dict[str, Any]] = {
    "arn": lambda each: each["Arn"],
    "associationcount": lambda each: each["AssociationCount"],
    "creationtime": lambda each: each["CreationTime"],
    "creatorrequestid": lambda each: each["CreatorRequestId"],
    "destination": lambda _: "S3",
    "destinationarn": lambda each: each["DestinationArn"],
    "id": lambda each: each["Id"],
    "name": lambda each: each["Name"],
    "ownerid": lambda each: each["OwnerId"],
    "sharestatus": lambda each: each["ShareStatus"],
    "status": lambda each: each["Status"],
}
_ASSOCIATION_FIELDS: Fields[dict[str, Any]] = {
    "creationtime": lambda each: each["CreationTime"],
    "error": lambda each: each["Error"],
    "id": lambda each: each["Id"],
    "resolverquerylogconfigid": lambda each: each["ResolverQueryLogConfigId"],
    "resourceid": lambda each: each["ResourceId"],
    "status": lambda each: each["Status"],
}
