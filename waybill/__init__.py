"""What the services of Waybill stand on: contracts, streaming runtime, Alibaba client, command line."""
