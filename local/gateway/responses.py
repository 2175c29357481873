"""What API Gateway answers itself: in the template's words where it has some, else in its own."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from local.loopback.http_server import Response


@dataclass(frozen=True)
class GatewayError:
    """A request that never got an answer from the function, or none that could be used."""

    response_type: str
    status: int
    kind: str
    message: str


MISSING_TOKEN = GatewayError(
    "MISSING_AUTHENTICATION_TOKEN",
    403,
    "MissingAuthenticationTokenException",
    "Missing Authentication Token",
)
INTEGRATION_FAILURE = GatewayError(
    "DEFAULT_5XX", 502, "InternalServerErrorException", "Internal server error"
)
INTEGRATION_TIMEOUT = GatewayError(
    "INTEGRATION_TIMEOUT", 504, "InternalServerErrorException", "Endpoint request timed out"
)
TOO_LARGE = GatewayError("REQUEST_TOO_LARGE", 413, "RequestTooLargeException", "Request Too Long")


def incomplete_signature(message: str) -> GatewayError:
    """An Authorization header that is no complete Signature Version 4."""
    return GatewayError("INVALID_SIGNATURE", 403, "IncompleteSignatureException", message)


def response_to(
    error: GatewayError, responses: Mapping[str, Mapping[str, Any]], api_id: str
) -> Response:
    """The response to an error, given the API's own gateway responses by type."""
    default = "DEFAULT_4XX" if error.status < 500 else "DEFAULT_5XX"
    own = responses.get(error.response_type) or responses.get(default) or {}
    template = own.get("responseTemplates", {}).get(
        "application/json", '{"message":$context.error.messageString}'
    )
    body = template.replace("$context.error.messageString", json.dumps(error.message)).replace(
        "$context.error.message", error.message
    )
    body = body.replace("$context.apiId", api_id)
    headers = {"Content-Type": "application/json", **_own_headers(own)}
    return Response(
        int(own.get("statusCode", error.status)),
        [*headers.items(), ("x-amzn-ErrorType", error.kind)],
        body.encode(),
    )


def _own_headers(own: Mapping[str, Any]) -> dict[str, str]:
    """Fixed texts only: they stand in single quotes."""
    prefix = "gatewayresponse.header."
    return {
        name.removeprefix(prefix): str(value)[1:-1]
        for name, value in own.get("responseParameters", {}).items()
        if name.startswith(prefix) and str(value).startswith("'")
    }
