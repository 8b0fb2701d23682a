"""Letters to registrants, whose answers things wait for.

No mail leaves the machine. A letter is a row, and `GET /_cloudstead/mail` of the endpoint shows all; to follow its link
is `POST /_cloudstead/mail/ID`, with the id that only the letter has.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from cloudstead.core import ids
from cloudstead.core.caller import Caller
from cloudstead.services.route53domains.directory import Directory
from cloudstead.services.route53domains.errors import InvalidInput
from cloudstead.services.route53domains.lifetimes import AUTHORIZE_WITHIN, CONFIRM_WITHIN
from cloudstead.services.route53domains.rows import Address, Domain, DomainOperation, Letter, address_id
from cloudstead.services.route53domains.work import TransferIn

LETTERS_MAX = 1000
_ID_CHARS = "0123456789abcdef"
_ID_LENGTH = 32


@dataclass(frozen=True)
class Letters:
    directory: Directory

    def ask_for_address(self, domain: Domain) -> None:
        """Ask the registrant whether the address is right, unless that is known."""
        if not self.confirmed(domain):
            self._send(
                account=domain.account,
                to=domain.contacts["registrant"].email,
                subject=f"Verify your email address for {domain.id}",
                text=(
                    f"This address is the registrant's of {domain.id}. Unless you confirm it within "
                    f"{CONFIRM_WITHIN.days} days, the domain will be suspended."
                ),
                confirms="address",
                about=domain.id,
            )

    def ask_to_authorize(self, operation: DomainOperation, caller: Caller) -> None:
        assert isinstance(operation.work, TransferIn)
        self._send(
            account=caller.account,
            to=operation.work.contacts["registrant"].email,
            subject=f"Authorize the transfer of {operation.domain}",
            text=(
                f"{operation.domain} shall be transferred to Amazon Route 53. Unless you authorize it within "
                f"{AUTHORIZE_WITHIN.days} days, it will not be."
            ),
            confirms="transfer",
            about=operation.id,
        )

    def confirmed(self, domain: Domain) -> bool:
        email = domain.contacts["registrant"].email
        return self.directory.store.get(Address, address_id(domain.account, email)) is not None

    def reachability(self, domain: Domain) -> Literal["DONE", "PENDING", "EXPIRED"]:
        if not domain.account or self.confirmed(domain):
            return "DONE"
        over = self.directory.tools.clock.now() >= domain.asked_at + CONFIRM_WITHIN
        return "EXPIRED" if over else "PENDING"

    def _send(
        self,
        *,
        account: str,
        to: str,
        subject: str,
        text: str,
        confirms: Literal["address", "transfer"],
        about: str,
    ) -> None:
        store, tools = self.directory.store, self.directory.tools
        letters = store.rows(Letter)
        for old in letters[: max(0, len(letters) - LETTERS_MAX + 1)]:
            store.delete(old)
        id = ids.token(tools.random, _ID_CHARS, _ID_LENGTH)
        text = f"{text}\nTo say yes: POST /_cloudstead/mail/{id}\n"
        store.insert(
            Letter(
                id=id,
                account=account,
                to=to,
                subject=subject,
                text=text,
                sent_at=tools.clock.now(),
                confirms=confirms,
                about=about,
            )
        )


@dataclass(frozen=True)
class MailBox:
    """All letters of the cloud, for who has it: not an AWS API."""

    directory: Directory

    def letters(self) -> Sequence[Mapping[str, str]]:
        """The newest first."""
        rows = reversed(self.directory.store.rows(Letter))
        return [
            {
                "id": row.id,
                "to": row.to,
                "subject": row.subject,
                "text": row.text,
                "sent": row.sent_at.isoformat(),
            }
            for row in rows
        ]

    def follow(self, id: str) -> str | None:
        """Do what the link of a letter does, and say it; None if there is no such letter."""
        store = self.directory.store
        with store.transaction():
            letter = store.get(Letter, id)
            if letter is None:
                return None
            store.delete(letter)
            return self._confirm(letter) if letter.confirms == "address" else self._authorize(letter)

    def _confirm(self, letter: Letter) -> str:
        store, id = self.directory.store, address_id(letter.account, letter.to)
        if store.get(Address, id) is None:
            now = self.directory.tools.clock.now()
            store.insert(Address(id=id, account=letter.account, confirmed_at=now))
        return f"{letter.to} is confirmed"

    def _authorize(self, letter: Letter) -> str:
        operation = self.directory.store.get(DomainOperation, letter.about)
        if operation is None or operation.flag != "PENDING_AUTHORIZATION":
            return "nothing waits for this any more"
        now = self.directory.tools.clock.now()
        self.directory.store.update(operation, flag="", updated_at=now)
        return f"the transfer of {operation.domain} is authorized"


class Reachability:
    def __init__(self, directory: Directory, letters: Letters) -> None:
        self._directory = directory
        self._letters = letters

    def get_contact_reachability_status(self, caller: Caller, request: Mapping[str, Any]) -> dict[str, Any]:
        domain = self._directory.own(caller, request.get("domainName", ""))
        return {"domainName": domain.id, "status": self._letters.reachability(domain)}

    def resend_contact_reachability_email(self, caller: Caller, request: Mapping[str, Any]) -> dict[str, Any]:
        with self._directory.store.transaction():
            domain = self._directory.own(caller, request.get("domainName", ""))
            verified = self._letters.confirmed(domain)
            self._letters.ask_for_address(domain)
        return {
            "domainName": domain.id,
            "emailAddress": domain.contacts["registrant"].email,
            "isAlreadyVerified": verified,
        }

    def resend_operation_authorization(self, caller: Caller, request: Mapping[str, Any]) -> dict[str, Any]:
        with self._directory.store.transaction():
            operation = self._directory.operation(caller, request["OperationId"])
            if operation.flag != "PENDING_AUTHORIZATION":
                raise InvalidInput(f"Operation {operation.id} does not wait for an authorization.")
            self._letters.ask_to_authorize(operation, caller)
        return {}
