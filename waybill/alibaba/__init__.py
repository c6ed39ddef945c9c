"""The client of Alibaba.com's open platform, GOP protocol.

client          one method per call, under a total deadline, nothing repeated
errors          was it sent, may it be repeated? The tree of answers to that
models          requests, strict, and answers, lenient
settings        every host, path, limit and code: there is no account to try them with
ratelimit       how fast a store may be called
statuses        what the order status codes mean
scalars         text, numbers, dates and links as Alibaba writes them
authorisation   the page on which a seller allows the app
signing         signatures of calls and push messages
(classification, envelope, answers, windows, wire, transport: parts of the client)

Knows nothing of Kafka and the services. Names are imported from the modules, so that the pure ones
(statuses, scalars, signing, models) come without an HTTP stack.
"""
