"""The command `waybill`: one sub-command per module."""
