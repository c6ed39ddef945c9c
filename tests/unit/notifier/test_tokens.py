"""What the condition of a store's tokens does to its orders: they wait, others go on, nothing is written."""

from collections.abc import Callable
from typing import Any

from pydantic import SecretStr

from services.notifier.rule import NotSent, Unauthorised, UploadFailed
from tests.unit.notifier.rule.builders import make_store
from tests.unit.notifier.world import SEAL_KEY, Desk, key_of
from waybill.contracts import StoreTokens
from waybill.tokens import TokenLife, Tokens, TokenSeal

OpenDesk = Callable[..., Desk]
KEY = key_of(1)


def _sealed(desk: Desk, generation: int = 1, access: str = "access") -> StoreTokens:
    seal, clear = TokenSeal(SEAL_KEY), Tokens(SecretStr(access))
    return seal.seal(clear, "store-1", generation, TokenLife(), desk.clock.now())


def _tell(desk: Desk, tokens: StoreTokens, **changes: Any) -> StoreTokens:
    changed = tokens.model_copy(update={"written_at": desk.clock.now(), **changes})
    desk.table("store-tokens", desk.shared.codecs.tokens.encode(changed))
    return changed


def _asked(desk: Desk) -> list[str]:
    return [claim.order_key for claim in desk.claims()]


def _publish(desk: Desk, count: int, first: int = 10) -> list[str]:
    keys = [key_of(first + number) for number in range(count)]
    for key in keys:
        desk.process(desk.order(key), desk.shipment(key))
    return keys


def test_ended_tokens_stop_the_store_until_it_is_connected_again(desk: Desk) -> None:
    desk.clock.passed_s += 1
    tokens = _tell(desk, _sealed(desk))
    desk.clock.passed_s += 1
    _tell(desk, tokens, ended_at=desk.clock.now(), ended_reason="refresh_refused")
    keys = _publish(desk, 5)
    ledger = len(desk.to("ledger"))
    for _ in range(20):
        desk.wait(5_000)
    assert _asked(desk) == []
    assert len(desk.to("ledger")) == ledger, "a condition of the store is no write of its orders"
    assert desk.metric("waybill_stores_gated", reason="needs_reauth") == 1

    desk.reconnect("store-1")
    desk.turn()
    desk.turn()

    assert sorted(_asked(desk)) == keys
    desk.wait(1)
    assert desk.metric("waybill_stores_gated", reason="needs_reauth") == 0


def test_a_note_about_the_same_tokens_opens_no_gate_and_breaks_no_call(desk: Desk) -> None:
    desk.clock.passed_s += 1
    tokens = _tell(desk, _sealed(desk))
    desk.calling(KEY)
    line = desk.shared.lines["store-1"]
    desk.answer(KEY, desk.called(KEY, Unauthorised()), gate="unauthorised", token=line.token)
    _publish(desk, 3)

    desk.clock.passed_s += 1
    _tell(desk, tokens, refresh_sent_at=desk.clock.now())
    desk.turn()

    assert _asked(desk) == [KEY]
    assert desk.shared.lines["store-1"] is line


def test_refreshed_tokens_open_the_gate_and_keep_the_quota(desk: Desk) -> None:
    desk.calling(KEY)
    line = desk.shared.lines["store-1"]
    desk.answer(KEY, desk.called(KEY, Unauthorised()), gate="unauthorised", token=line.token)
    keys = _publish(desk, 3)

    desk.clock.passed_s += 1
    _tell(desk, _sealed(desk, access="fresh"))
    desk.turn()
    desk.turn()

    assert sorted(_asked(desk)) == sorted([KEY, KEY, *keys])
    desk.process(desk.proof(keys[0]))
    renewed = desk.shared.lines["store-1"]
    assert renewed.token.get_secret_value() == "fresh"
    assert (renewed.limiter, renewed.slots) == (line.limiter, line.slots)


def test_one_order_tries_a_refused_token_at_growing_pauses(desk: Desk) -> None:
    """An odd answer must not stop a store until its next refresh, which may be weeks away."""
    desk.calling(KEY)
    desk.answer(KEY, desk.called(KEY, Unauthorised()), gate="unauthorised")
    _publish(desk, 5)
    assert _asked(desk) == [KEY]

    desk.wait(61)
    desk.turn()
    assert _asked(desk) == [KEY, KEY], "one order tries"
    _refuse_upload(desk)
    desk.wait(61)
    desk.turn()
    assert len(_asked(desk)) == 2, "the pause has doubled"
    desk.wait(61)
    desk.turn()
    assert len(_asked(desk)) == 3

    desk.process(desk.proof(KEY))
    desk.answer(KEY, UploadFailed(NotSent()))
    desk.wait(1)
    assert len(_asked(desk)) == 4, "no answer says nothing of the token: again one tries"


def _refuse_upload(desk: Desk) -> None:
    desk.process(desk.proof(KEY))
    desk.answer(KEY, UploadFailed(Unauthorised()), gate="unauthorised")


def test_an_answer_with_the_token_lets_all_go_again(desk: Desk) -> None:
    desk.calling(KEY)
    desk.answer(KEY, desk.called(KEY, Unauthorised()), gate="unauthorised")
    keys = _publish(desk, 5)
    desk.wait(61)
    desk.turn()
    desk.process(desk.proof(KEY))

    desk.answer(KEY, desk.uploaded(KEY))
    desk.wait(1)
    desk.turn()

    assert set(keys) <= set(_asked(desk))


def test_look_ups_of_a_store_without_good_tokens_wait_and_go_at_once_when_there_are_some(
    open_desk: OpenDesk,
) -> None:
    desk = open_desk(stores=(make_store(), make_store(store_id="store-2")))
    desk.clock.passed_s += 1
    tokens = _tell(desk, _sealed(desk))
    desk.calling(KEY)
    desk.clock.passed_s += 1
    _tell(desk, tokens, ended_at=desk.clock.now(), ended_reason="authorisation_over")
    desk.shared.lookups.add(0, KEY)
    desk.turn()
    assert desk.caller.lookups == []

    desk.reconnect("store-1")
    desk.turn()

    assert desk.caller.lookups == [KEY]


def test_a_tombstone_takes_the_tokens_away(desk: Desk) -> None:
    desk.calling(KEY)
    desk.notifier.on_table([desk.record("store-tokens", "store-1:7", None)])
    assert "store-1" in desk.shared.sealed, "of another generation"

    desk.notifier.on_table([desk.record("store-tokens", "store-1:1", None)])

    assert "store-1" not in desk.shared.sealed
    assert "store-1" not in desk.shared.lines, "no clear token stays in memory"
    _publish(desk, 2)
    desk.wait(1_000)
    assert _asked(desk) == [KEY]
