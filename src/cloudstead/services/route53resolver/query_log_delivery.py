"""Query logs on their way: what waited goes into each configuration's bucket, a file for each VPC, once a minute.

Best effort, and AWS promises no more: what waits in a process that dies is lost, and so is what no bucket takes. No
answer ever waits for its line.
"""

import asyncio
import gzip
import logging
from collections import defaultdict
from collections.abc import Callable, Coroutine, Iterable
from datetime import datetime
from typing import Any

import dns.message
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import msgspec

from cloudstead.core.arn import arn
from cloudstead.core.caller import Caller
from cloudstead.core.errors import Conflict, DriverError, ServiceError
from cloudstead.core.tools import Tools
from cloudstead.dataplane.dns.query_log import Noted
from cloudstead.services.ec2.operations import ServiceInterfaces
from cloudstead.services.route53resolver.query_logs import HasBucket, bucket_of
from cloudstead.services.route53resolver.rows import QueryLog, QueryLogAssociation
from cloudstead.store import Store

log = logging.getLogger(__name__)

EVERY_S = 60.0
_VERSION = "1.100000"

#: S3's own PutObject, which may answer at once or later.
Put = Callable[[Caller, dict[str, Any]], Any]
Take = Callable[[], tuple[list[Noted], int]]


class QueryLogDeliveries:
    def __init__(
        self,
        store: Store,
        tools: Tools,
        vpcs: ServiceInterfaces,
        has_bucket: HasBucket,
        *,
        take: Take,
        put: Put,
    ) -> None:
        self._store = store
        self._tools = tools
        self._vpcs = vpcs
        self._has_bucket = has_bucket
        self._take = take
        self._put = put

    async def run(self) -> None:
        """Deliver until cancelled, and then once more."""
        try:
            while True:
                await asyncio.sleep(EVERY_S)
                await self.deliver()
        finally:
            await self.deliver()

    async def deliver(self) -> None:
        noted, lost = self._take()
        if lost:
            log.warning("query logs: %d questions were too many to wait", lost)
        by_network = defaultdict(list)
        for one in noted:
            by_network[one.network].append(one)
        for network, some in by_network.items():
            for association in self._store.rows(QueryLogAssociation, vpc_id=network):
                await self._deliver(association, some)

    async def _deliver(self, association: QueryLogAssociation, noted: list[Noted]) -> None:
        config = self._store.get(QueryLog, association.log_id)
        if config is None or not self._has_bucket(config.account, bucket_of(config)):
            return
        request = {
            "Bucket": bucket_of(config),
            "Key": self._key(config, association, noted[0].at),
            "Body": gzip.compress(b"".join(self._lines(association, noted))),
            "ContentType": "application/gzip",
        }
        try:
            answer = self._put(_owner(config), request)
            if isinstance(answer, Coroutine):
                await answer
        except (ServiceError, Conflict, DriverError) as e:
            log.warning("%s: %d lines were not taken: %s", config.id, len(noted), e)

    def _key(self, config: QueryLog, association: QueryLogAssociation, at: datetime) -> str:
        prefix = config.destination.partition("/")[2]
        account, vpc = association.account, association.vpc_id
        name = f"{account}_vpcdnsquerylogs_{vpc}_{at:%Y%m%dT%H%MZ}_{self._tools.random.getrandbits(32):08x}.log.gz"
        place = f"AWSLogs/{account}/vpcdnsquerylogs/{vpc}/{at:%Y/%m/%d}/{name}"
        return f"{prefix}/{place}" if prefix else place

    def _lines(self, association: QueryLogAssociation, noted: Iterable[Noted]) -> Iterable[bytes]:
        instances: dict[str, str] = {}
        for one in noted:
            if one.peer not in instances:
                instances[one.peer] = self._vpcs.instance_at(one.network, one.peer)
            yield msgspec.json.encode(line(association, one, instances[one.peer])) + b"\n"


def line(association: QueryLogAssociation, noted: Noted, instance: str) -> dict[str, Any]:
    """One question as AWS's query logs tell it. The asker's port is not known here."""
    answer = dns.message.from_wire(noted.answer)
    asked = answer.question[0]
    told: dict[str, Any] = {
        "version": _VERSION,
        "account_id": association.account,
        "region": association.region,
        "vpc_id": association.vpc_id,
        "query_timestamp": noted.at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "query_name": asked.name.to_text(),
        "query_type": dns.rdatatype.to_text(asked.rdtype),
        "query_class": dns.rdataclass.to_text(asked.rdclass),
        "rcode": dns.rcode.to_text(answer.rcode()),
        "answers": [
            {
                "Rdata": value.to_text(),
                "Type": dns.rdatatype.to_text(rrset.rdtype),
                "Class": dns.rdataclass.to_text(rrset.rdclass),
            }
            for rrset in answer.answer
            for value in rrset
        ],
        "srcaddr": noted.peer,
        "transport": noted.transport,
        "srcids": {"instance": instance} if instance else {},
    }
    if noted.rule is not None and noted.rule.action != "ALLOW":
        told["firewall_rule_action"] = noted.rule.action
        told["firewall_rule_group_id"] = noted.rule.group
        told["firewall_domain_list_id"] = noted.rule.list
    return told


def _owner(config: QueryLog) -> Caller:
    """Log delivery writes for the bucket's owner."""
    root = arn("iam", "root", account=config.account)
    return Caller(account=config.account, region=config.region, arn=root, user_id=config.account)
