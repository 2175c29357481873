"""What the three servers share: ports on 127.0.0.1, HTTP, and the guard against web pages."""
