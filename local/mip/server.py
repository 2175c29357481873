"""The stand-in over HTTP/1.1, on loopback only, with connections that can be cut on purpose."""

import json
from typing import Self

from local.loopback.http_server import HttpServer, Request, Response
from local.loopback.ports import listen
from local.mip.calls import ENDPOINTS
from local.mip.control import PREFIX, control
from local.mip.replies import Reply
from local.mip.service import MipCloud

LONGEST_BODY_BYTES = 64 * 2**20
_CALL_AT = {endpoint.path: name for name, endpoint in ENDPOINTS.items()}


class MipCloudServer:
    """Serves a `MipCloud` between entering and leaving the context.

    Port 0 picks a free one. Leaving cuts open connections and calls that hang. Raises PortError.
    """

    def __init__(self, mip: MipCloud | None = None, *, port: int = 0) -> None:
        self.mip = mip or MipCloud()
        self.port = port
        self._http: HttpServer | None = None

    @property
    def url(self) -> str:
        """Where it listens; serves as the login URL and as the API URL."""
        return f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        self._http = HttpServer(
            listen(self.port), self._respond, longest_body_bytes=LONGEST_BODY_BYTES
        )
        self.port = self._http.server_address[1]
        self._http.start_serving("mip-cloud")
        return self

    def __exit__(self, *_: object) -> None:
        if self._http:
            self._http.stop_serving()
            self._http = None

    def _respond(self, request: Request) -> Response:
        reply = self._reply(request)
        if reply.hang_seconds:
            request.wait(reply.hang_seconds)
        headers = [("Content-Type", reply.content_type), *reply.headers.items()]
        return Response(reply.status, headers, reply.body_text().encode(), reply.delivery)

    def _reply(self, request: Request) -> Reply:
        if request.body is None:
            return Reply(413, {"message": f"a body must not exceed {LONGEST_BODY_BYTES} bytes"})
        body = _json(request.body)
        if request.path.startswith(PREFIX):
            return control(self.mip, request.method, request.path, body)
        name = _CALL_AT.get(request.path)
        if name is None:
            return Reply(404, {"message": "there is no such path"})
        method = ENDPOINTS[name].method
        if request.method != method:
            return Reply(405, {"message": f"allowed: {method}"}, headers={"Allow": method})
        token = request.header("Authorization-Token")
        return self.mip.call(name, token=token, body=body, wait=request.wait)


def _json(body: bytes) -> object:
    """The value of a body; None if there is none, or it is no JSON."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None
