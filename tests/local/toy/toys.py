"""Handlers that do what the event asks for, so that tests can provoke every outcome."""

import json
import logging
import os
import time
from decimal import Decimal
from pathlib import Path


def admin(event, context):
    """Carries out `{"do": …}`."""
    return ACTIONS[event["do"]](event, context)


def _fail(event, _):
    raise KeyError(event["text"])


def _sleep(event, _):
    Path(event["started"]).touch() if "started" in event else None
    time.sleep(event["seconds"])
    return os.getpid()


def _print(event, _):
    print(event["text"], end="")


def _log(event, _):
    logging.getLogger().warning(event["text"])
    return Decimal("1.50")


def _context(_, context):
    names = ("aws_request_id", "function_name", "invoked_function_arn", "memory_limit_in_mb")
    told = {name: getattr(context, name) for name in (*names, "log_group_name", "log_stream_name")}
    return told | {"remaining_ms": context.get_remaining_time_in_millis()}


ACTIONS = {
    "echo": lambda event, _: event,
    "environment": lambda _, __: dict(os.environ),
    "pid": lambda _, __: os.getpid(),
    "touch": lambda event, _: Path(event["path"]).touch(),
    "much": lambda event, _: "x" * event["bytes"],
    "fail": _fail,
    "sleep": _sleep,
    "print": _print,
    "log": _log,
    "context": _context,
}


def reader(event, _):
    """Answers with what the query's `answer` holds, or with the event itself."""
    query = event["queryStringParameters"] or {}
    time.sleep(float(query.get("sleep", 0)))
    if "answer" in query:
        return json.loads(query["answer"])
    return {"statusCode": 200, "body": json.dumps(event)}


def worker(event, _):
    """Logs the event, and answers what the first message's body asks for."""
    print(json.dumps(event))
    orders = [json.loads(record["body"]) for record in event["Records"]]
    for order in orders:
        time.sleep(order.get("sleep", 0))
        if "raise" in order:
            raise ValueError(order["raise"])
        if "answer" in order:
            return order["answer"]
    failed = [
        {"itemIdentifier": record["messageId"]}
        for record, order in zip(event["Records"], orders, strict=True)
        if order.get("fail")
    ]
    return {"batchItemFailures": failed}
