"""A model of a consumer group with cooperative members: who owns which partition of one topic.

A member that says nothing for the session timeout is thrown out, and learns of it at its next beat. A
partition goes to another member only after its owner has given it back or was thrown out.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from tests.simulation.broker import Abortable


class ModelGroup:
    """The coordinator's side."""

    def __init__(
        self, name: str, clock_s: Callable[[], float], partitions: int, session_timeout_s: float
    ) -> None:
        self.name = name
        self.version = 0
        """Grows with whatever members may notice."""
        self.owners: dict[int, Member | None] = dict.fromkeys(range(partitions))
        self._clock_s = clock_s
        self._session_timeout_s = session_timeout_s
        self._beats: dict[Member, float] = {}

    def join(self, member: "Member") -> None:
        """Take part from now on."""
        self._beats[member] = self._clock_s()
        self.version += 1

    def leave(self, member: "Member") -> None:
        """Give everything back at once."""
        if self._beats.pop(member, None) is not None:
            self._free(member)

    def alive(self, member: "Member") -> None:
        """The member's background thread beats."""
        if member in self._beats:
            self._beats[member] = self._clock_s()

    def expiry_s(self, living: "set[Member]") -> float | None:
        """When the next of the others is thrown out."""
        beats = [beat_s for member, beat_s in self._beats.items() if member not in living]
        return min(beats) + self._session_timeout_s if beats else None

    def expire(self) -> None:
        """Throw out who said nothing for too long."""
        for member, beat_s in list(self._beats.items()):
            if self._clock_s() - beat_s > self._session_timeout_s:
                del self._beats[member]
                self._free(member)

    def _free(self, member: "Member") -> None:
        self.version += 1
        for number, owner in self.owners.items():
            if owner is member:
                self.owners[number] = None

    def knows(self, member: "Member") -> bool:
        """Whether it takes part."""
        return member in self._beats

    def target(self, member: "Member") -> set[int]:
        """What the member is to own: as even as it gets, moving as little as possible."""
        left = sorted(self.owners)
        shares: dict[Member, set[int]] = {}
        members = list(self._beats)
        for place, each in enumerate(members):
            share = len(self.owners) // len(members) + (place < len(self.owners) % len(members))
            kept = [number for number in left if self.owners[number] is each][:share]
            shares[each] = set(kept)
            left = [number for number in left if number not in kept]
        for place, each in enumerate(members):
            share = len(self.owners) // len(members) + (place < len(self.owners) % len(members))
            while len(shares[each]) < share:
                shares[each].add(left.pop(0))
        return shares[member]


@dataclass(slots=True, eq=False)
class Member:
    """One process in the group: `Membership`, and what its transactions name."""

    group: ModelGroup
    gained: Callable[[int], None]
    lost: Callable[[int], None]
    owned: set[int] = field(default_factory=set)
    news: deque[tuple[Callable[[int], None], int]] = field(default_factory=deque)
    """What the background thread heard and `poll` has not told yet."""
    _dull_at: int = -1
    """Version of the group at which a beat had nothing to tell."""

    def __post_init__(self) -> None:
        """Join."""
        self.group.join(self)

    @property
    def group_name(self) -> str:
        """Under which its positions are kept."""
        return self.group.name

    def beat(self) -> None:
        """Hear of the group's decisions; they take effect in `poll`."""
        group = self.group
        group.expire()
        if not group.knows(self):
            self.news = deque((self._lose, number) for number in sorted(self.owned))
            group.join(self)
            return
        group.alive(self)
        if self.news:
            return
        target = group.target(self)
        self.news.extend((self._lose, number) for number in sorted(self.owned - target))
        for number in sorted(target - self.owned):
            if group.owners[number] is None:
                group.owners[number] = self
                group.version += 1
                self.news.append((self._gain, number))

    def wants_beat(self) -> bool:
        """Whether a beat would bring news."""
        group = self.group
        if self.news or self._dull_at == group.version:
            return False
        if not group.knows(self):
            return True
        target = group.target(self)
        free = any(group.owners[number] is None for number in target - self.owned)
        if free or self.owned - target:
            return True
        self._dull_at = group.version
        return False

    def poll(self) -> None:
        """See `Membership.poll`."""
        while self.news:
            tell, number = self.news.popleft()
            tell(number)

    def _gain(self, number: int) -> None:
        self.owned.add(number)
        self.gained(number)

    def _lose(self, number: int) -> None:
        self.owned.discard(number)
        self.lost(number)
        if self.group.owners[number] is self:
            self.group.owners[number] = None
            self.group.version += 1

    def metadata(self) -> "Member":
        """See `Membership.metadata`."""
        return self

    def check(self) -> None:
        """Offsets of somebody the group does not know are refused; see `Transactions.commit`."""
        self.group.expire()
        if not self.group.knows(self):
            raise Abortable("UNKNOWN_MEMBER_ID")

    def close(self) -> None:
        """See `Membership.close`."""
        self.news.clear()
        self.group.leave(self)
