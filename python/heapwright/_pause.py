"""A type of its own file, since it costs an import of `typing`."""
from typing import Literal, NamedTuple


class Pause(NamedTuple):
    """A collection that stopped the program."""

    time: float
    """When it began: seconds since the epoch, as time.time() gives them."""
    seconds: float
    """How long it took."""
    generation: int
    """The oldest generation that was collected in it, with the program stopped."""
    what: Literal["in place", "slice", "snapshot", "wait"]
    """What else was done in it: nothing; some of the garbage that was found beside the program was freed; a snapshot was taken, so that a full
    collection begins beside the program; the program had to wait for one."""
