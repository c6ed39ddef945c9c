"""Pictures of goods from the web, small and grey, fetched without trust in the order that names them.

The addresses stand in orders, so whoever writes an order chooses them. `addresses`, `links` and `decoding`
are pure and decide what may be reached, followed and drawn; `network`, `download` and `fetching` do it.
"""
