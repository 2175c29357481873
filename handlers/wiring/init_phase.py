"""A function's init phase: a great deal is made then, and next to nothing of it becomes garbage.

On Lambda, importing this module turns Python's garbage collector off; `end` turns it on again, for
what is made from then on. Otherwise it goes through everything, time and again, while it is being
made: 0.04 of a cold start (docs/performance.md tells what 1 is). So this is imported first.
"""

import gc
import os

if "AWS_LAMBDA_FUNCTION_NAME" in os.environ:
    gc.disable()


def end() -> None:
    """Collect garbage again, but never look at what the init phase made: it is there to stay."""
    if not gc.isenabled():
        gc.freeze()
        gc.enable()
