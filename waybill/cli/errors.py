"""Failures that a person can act upon: one line on standard error, and no traceback."""


class CommandError(Exception):
    """The command failed; the message is one line that says what to do."""

    exit_code = 1


class InputError(CommandError):
    """What was given cannot be used."""

    exit_code = 2
