"""Who calls: the claim of a request proven, or in `open` mode believed, and made into a Caller."""

import re

from cloudstead.core.caller import Caller, Credential, Credentials
from cloudstead.core.clock import Clock
from cloudstead.dataplane.http import HttpRequest
from cloudstead.gateway.claim import Claim, read_claim
from cloudstead.gateway.incoming import check_length_told
from cloudstead.gateway.refusals import Refused
from cloudstead.gateway.s3_form import Signature
from cloudstead.gateway.settings import Settings
from cloudstead.gateway.sigv2 import read_old_claim
from cloudstead.gateway.sigv4 import Proof, Verifier

#: Operations that prove who calls by what they carry, or that anybody may call. S3 decides by bucket policy.
_UNSIGNED = frozenset({("sts", "AssumeRoleWithWebIdentity"), ("sts", "AssumeRoleWithSAML")})

_ACCOUNT = re.compile(r"\d{12}")
# Any key at all: version 2 signatures and unfinished version 4 ones too.
_ANY_KEY = re.compile(r"Credential=([^/,\s]+)|^AWS ([^:\s]+):")
_ANY_KEY_IN_QUERY = re.compile(r"(?:^|&)(?:X-Amz-Credential|AWSAccessKeyId)=([^&/%]+)")


class Authentication:
    def __init__(self, credentials: Credentials, clock: Clock, settings: Settings) -> None:
        self._credentials = credentials
        self._settings = settings
        self._open = settings.auth == "open"
        self.verifier = Verifier(credentials, clock)

    def claim(self, request: HttpRequest) -> Claim | None:
        """What the request says of its signature; in `open` mode nothing if that cannot be read."""
        try:
            return read_old_claim(request) or read_claim(request)
        except Refused:
            if not self._open:
                raise
            return None

    def prove(
        self,
        request: HttpRequest,
        claim: Claim | None,
        service: str,
        operation: str,
        *,
        path: str = "",
        body_follows: bool = False,
    ) -> Proof | None:
        """The proof of the claim; None if none is needed. Raises Refused.

        `path` is in path style, for S3. Where the body is still to come, the proof is of what the headers say of it:
        who reads it compares.
        """
        if self._open:
            return None
        if claim is not None and claim.version == 2:
            return self.verifier.verify_version_2(request, claim, path)
        if claim is not None:
            later = request.headers.get("x-amz-content-sha256") if body_follows else None
            try:
                return self.verifier.verify(request, claim, body_sha256=later)
            except Refused as e:
                if service == "s3" and e.reason == "payload":
                    check_length_told(request.headers)  # for want of which there was nothing to hash
                raise
        if service == "s3" or (service, operation) in _UNSIGNED:
            return None
        raise Refused("missing")

    def prove_form(self, signature: Signature) -> Proof | None:
        """The proof that this key's holder signed the policy of a form; None if none is needed."""
        if self._open:
            return None
        return self.verifier.verify_policy(signature.claim, signature.policy, version=signature.version)

    def caller(
        self, request: HttpRequest, claim: Claim | None, proof: Proof | None, region: str, request_id: str
    ) -> Caller:
        """Who calls, after `prove`."""
        if proof is not None:
            credential = proof.credential
        elif self._open:
            credential = self._believed(claim.access_key_id if claim else _any_key(request))
        else:
            credential = _ANONYMOUS
        return Caller(
            account=credential.account,
            region=region,
            arn=credential.arn,
            user_id=credential.user_id,
            principal=credential.principal,
            access_key_id=credential.access_key_id,
            request_id=request_id,
            source_ip=request.peer,
            endpoint=f"{request.scheme}://{request.headers.get('host') or request.local}",
        )

    def _believed(self, key: str) -> Credential:
        found = self._credentials.find(key) if key else None
        if found is not None:
            return found
        account = key if _ACCOUNT.fullmatch(key) else self._settings.default_account
        return Credential(
            access_key_id=key,
            secret_access_key="",
            account=account,
            arn=f"arn:aws:iam::{account}:root",
            user_id=account,
            principal="root",
        )


def _any_key(request: HttpRequest) -> str:
    found = _ANY_KEY.search(request.headers.get("authorization", ""))
    if found:
        return found[1] or found[2]
    in_query = _ANY_KEY_IN_QUERY.search(request.query)
    return in_query[1] if in_query else ""


_ANONYMOUS = Credential(
    access_key_id="", secret_access_key="", account="", arn="", user_id="", principal="anonymous"
)
