"""Alibaba's push messages: an order changed, so have it read now. Polling finds it too, only later."""

from waybill.push.endpoint import PushEndpoint, push_endpoint
from waybill.push.metrics import PushMetrics
from waybill.push.settings import PushSettings

__all__ = ["PushEndpoint", "PushMetrics", "PushSettings", "push_endpoint"]
