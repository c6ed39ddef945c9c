"""What the topics hold of one order's proof: the newest answer, its claim, and the number it has to show."""

from dataclasses import dataclass, field
from typing import TypeVar

from waybill.cli.cluster import READ_S, Cluster
from waybill.cli.errors import CommandError
from waybill.cli.orders_read import learnt
from waybill.contracts import Claim, Notification, Proof, Shipment
from waybill.contracts.base import Record
from waybill.contracts.codec import Codec, DecodeError, SchemaBook
from waybill.contracts.keys import partition_of
from waybill.contracts.topics import topics
from waybill.streaming.records import Inbound

R = TypeVar("R", bound=Record)


@dataclass(frozen=True, slots=True)
class FramedClaim:
    """A claim, and the bytes from which its proof is drawn again."""

    claim: Claim
    value: bytes


@dataclass(slots=True)
class ProofRecords:
    """The records of one order, as far as they are still there."""

    order_key: str
    proof: Proof | None = None
    """The newest; a proof that was erased is none."""
    claims: dict[str, FramedClaim] = field(default_factory=dict)
    """By their ids, oldest first."""
    numbers: dict[str, str] = field(default_factory=dict)
    """Tracking numbers by claim id, and by shipment id where only a notification is left to tell."""

    @property
    def tracking_number(self) -> str | None:
        """What the newest proof has to show; None when no record tells it any more."""
        if self.proof is None:
            return None
        return self.numbers.get(self.proof.claim_id) or self.numbers.get(
            self.proof.shipment_id or ""
        )


def read_proof_records(cluster: Cluster, key: str, timeout_s: float = READ_S) -> ProofRecords:
    """All of one order; raises CommandError when one of its records cannot be read."""
    return _Reader(key, learnt(cluster, timeout_s)).read(cluster, timeout_s)


def kept_days(topic: str) -> int:
    """For how long a topic keeps its records."""
    return (topics()[topic].retention_ms or 0) // 86_400_000


class _Reader:
    """Goes through the partition of one order and decodes its records alone."""

    def __init__(self, key: str, book: SchemaBook) -> None:
        self._found = ProofRecords(key)
        self._proofs = Codec(Proof, "proof", book)
        self._claims = Codec(Claim, "claim", book)
        self._shipments = Codec(Shipment, "shipment", book)
        self._notifications = Codec(Notification, "notification", book)
        self._takers = {
            "claims": self._take_claim,
            "proofs": self._take_proof,
            "notifications": self._take_notification,
        }

    def read(self, cluster: Cluster, timeout_s: float) -> ProofRecords:
        key = self._found.order_key
        partition = partition_of(key, cluster.partitions("proofs"))
        for record in cluster.read([*self._takers], partition, timeout_s=timeout_s):
            if record.key == key.encode():
                self._takers[record.topic](record)
        return self._found

    def _take_proof(self, record: Inbound) -> None:
        self._found.proof = None if record.value is None else self._decoded(self._proofs, record)

    def _take_claim(self, record: Inbound) -> None:
        if record.value is None:
            return
        claim = self._decoded(self._claims, record)
        self._found.claims[claim.claim_id] = FramedClaim(claim, record.value)
        try:
            shipment = self._shipments.decode(claim.shipment, allow_json=True)
        except DecodeError:
            return  # then it has no proof, and `waybill orders show` tells of the dead letter
        if shipment.tracking_number:
            self._found.numbers[claim.claim_id] = shipment.tracking_number

    def _take_notification(self, record: Inbound) -> None:
        if record.value is None:
            return
        told = self._decoded(self._notifications, record)
        if told.shipment_id and told.tracking_number:
            self._found.numbers[told.shipment_id] = told.tracking_number

    def _decoded(self, codec: Codec[R], record: Inbound) -> R:
        try:
            return codec.decode(record.value)
        except DecodeError as error:
            raise CommandError(
                f"a record of {self._found.order_key} on {topics()[record.topic].name} cannot be read: "
                f"{error.detail}"
            ) from error
