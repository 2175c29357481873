"""Invoke a handler with nothing but the standard library and an artifact to import from.

Run as `python -I -S driver.py ARTIFACT HANDLER < event`; prints what the handler returned, the
files that modules came from, and the paths that were searched.
"""

import importlib
import json
import sys
from types import SimpleNamespace

artifact, handler = sys.argv[1:]
sys.path.insert(0, artifact)
event = json.load(sys.stdin)
context = SimpleNamespace(
    aws_request_id="5f0d6a1e-0000-4000-8000-000000000001",
    function_name="function",
    memory_limit_in_mb=1024,
    invoked_function_arn="arn:aws:lambda:us-east-1:123456789012:function:function",
    get_remaining_time_in_millis=lambda: 60_000,
)
module, _, function = handler.rpartition(".")
answer = getattr(importlib.import_module(module), function)(event, context)
files = [getattr(module, "__file__", None) for module in list(sys.modules.values())]
print()
print(json.dumps({"answer": answer, "files": list(filter(None, files)), "path": sys.path}))
