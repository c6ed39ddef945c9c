"""notifier: owns the life of each order's one shipment, from its first event to Alibaba's confirmation.

rule/        decides: (entry, event, facts) → (entry', notifications, effects); pure
view         what the local store holds, and the indexes over it
scheduling   who may go next: oldest first, stores in turn, gates of stores
handler      one owned partition: records and results in, one transaction out
caller       the calls to Alibaba, on the asyncio thread
app          the service as the runtime sees it
"""
