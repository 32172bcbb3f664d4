"""Ctrl-C while native code runs.

Python delivers Ctrl-C between two steps of its own. Where the next such step makes the exception for an error that
TensorFlow met meanwhile, the two collide: a RuntimeError comes out, which has KeyboardInterrupt only in its text.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator


@contextlib.contextmanager
def interruptible() -> Iterator[None]:
    """Lets Ctrl-C come out of native code as `KeyboardInterrupt`, also where it collided with another exception."""
    try:
        yield
    except RuntimeError as error:
        if KeyboardInterrupt.__name__ not in str(error):
            raise
        raise KeyboardInterrupt from None
