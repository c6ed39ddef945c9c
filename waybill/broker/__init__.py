"""A real Apache Kafka broker for a developer's machine, the tests and the demo.

One data folder is one broker: `start` starts or finds it, `stop` ends it, `status` tells.
Single node, no passwords, loopback interface only: never for production.
"""

from waybill.broker.errors import BrokerError
from waybill.broker.lifecycle import BrokerHandle, start, status, stop

__all__ = ["BrokerError", "BrokerHandle", "start", "status", "stop"]
