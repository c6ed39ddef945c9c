"""What ends a partition or the process.

StreamingError
├── FencedError          another process writes this partition's state now
├── UnclearError         a transaction may or may not have been committed
└── FatalError           the process ends, with a message for its operator
"""


class StreamingError(Exception):
    """Base of the runtime's own errors."""


class FencedError(StreamingError):
    """A newer producer with the same transactional id exists: nothing of ours is written any more."""


class UnclearError(StreamingError):
    """Whether the transaction was committed is not known: re-read before writing again."""


class FatalError(StreamingError):
    """The process cannot go on; the message says why and what to do."""
