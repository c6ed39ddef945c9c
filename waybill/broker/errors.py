"""What can go wrong with the development broker."""


class BrokerError(Exception):
    """The broker could not be started, stopped or prepared; the message says what to do."""
