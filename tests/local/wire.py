"""HTTP as it goes over the wire, without what a client library would add or follow."""

import http.client
from urllib.parse import urlsplit

# As a safety net only: answers come within a second or two.
PATIENCE_SECONDS = 20


def request(
    url: str, method: str, path: str, body: bytes | None = None, **headers: str
) -> tuple[http.client.HTTPResponse, bytes]:
    """One request; names of headers have underscores for hyphens."""
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=PATIENCE_SECONDS)
    try:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method, path, body, named)
        response = connection.getresponse()
        return response, response.read()
    finally:
        connection.close()
