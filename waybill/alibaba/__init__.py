"""The client of Alibaba.com's open platform, in both its generations (GOP, TOP).

client          one method per call, under a total deadline, nothing repeated
errors          was it sent, may it be repeated? The tree of answers to that
advice          what an operator does about an error, in words
models          requests, strict, and answers, lenient
settings        every host, path, limit and code: there is no account to try them with
gateways        the three doors to the API, and what differs behind them
ratelimit       how fast a store may be called
statuses        what the order status codes mean
scalars         text, numbers, dates and links as Alibaba writes them
authorisation   the page on which a seller allows the app
signing         signatures of calls and push messages
(classification, envelope, answers, parameters, windows, wire, transport: parts of the client)

Knows nothing of Kafka and the services. Names are imported from the modules, so that the pure ones
(statuses, scalars, signing, models) come without an HTTP stack.
"""
