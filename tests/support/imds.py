"""A metadata service just big enough to boot a guest: version 2 alone, one instance, in a given network namespace."""

import ctypes
import http.server
import os
import threading
from pathlib import Path

_CLONE_NEWNET = 0x40000000
_TOKEN = "t" * 56


class Metadata:
    """Answers on 169.254.169.254:80 of the namespace until closed. `asked` lists the paths that were."""

    def __init__(self, namespace: Path, answers: dict[str, str]) -> None:
        self.asked: list[str] = []
        self._namespace, self._answers = namespace, answers
        ready = threading.Event()
        self._thread = threading.Thread(target=self._serve, args=(ready,), daemon=True)
        self._thread.start()
        assert ready.wait(10), "the metadata service does not start"

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join(10)
        self._server.server_close()

    def _serve(self, ready: threading.Event) -> None:
        descriptor = os.open(self._namespace, os.O_RDONLY)
        if ctypes.CDLL(None, use_errno=True).setns(descriptor, _CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), "setns")
        os.close(descriptor)
        service = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_PUT(self):
                self._answer(200, _TOKEN)

            def do_GET(self):
                service.asked.append(self.path)
                if self.headers["X-aws-ec2-metadata-token"] != _TOKEN:
                    return self._answer(401, "")
                body = service._answers.get(self.path.removeprefix("/latest/"))
                return self._answer(404 if body is None else 200, body or "")

            def _answer(self, status, body):
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body.encode())

            def log_message(self, *_):
                pass

        # Not ThreadingHTTPServer: its name look-up at bind would ask a resolver.
        self._server = http.server.HTTPServer(("169.254.169.254", 80), Handler)
        ready.set()
        self._server.serve_forever(poll_interval=0.05)
