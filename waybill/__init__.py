"""What the services of Waybill stand on: contracts, streaming runtime, Alibaba client, commands."""

from importlib.metadata import version

__version__ = version("waybill")
