"""Where the broker listens."""

import socket

from waybill.broker import ports


def test_a_port_that_is_taken_is_seen() -> None:
    with socket.create_server((ports.HOST, 0)) as server:
        assert not ports.is_free(server.getsockname()[1])


def test_free_ports_stay_clear_of_those_for_outgoing_connections() -> None:
    chosen = [ports.free_port() for _ in range(50)]

    assert max(chosen) < 32768
    assert all(ports.free_port(but=one) != one for one in chosen)
