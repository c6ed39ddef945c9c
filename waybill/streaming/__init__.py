"""The one Kafka runtime: ownership, takeover, fence, group commit, local view, dead letters, clean stop.

membership ─▶ who owns number p         reader ─▶ records of every followed topic, number p
opener     ─▶ fence, ends, positions    store  ─▶ the local view of p
partition  ─▶ one transaction at a time runtime ─▶ the loop, one thread
"""
