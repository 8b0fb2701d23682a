"""The AWS endpoint: HTTP, signatures, routing, the wire formats. It knows no service, it gets a table of them."""
