"""Giving records to the services again, and comparing what is here with what Alibaba has. Pure.

What is written again is decided here; the commands read and write: no Kafka, no HTTP, no clock. Nothing here
decides on a shipment: a record written again meets the ledger like any other, and the ledger has seen it.
"""
