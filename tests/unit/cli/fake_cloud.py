"""The command line over a cloud that is nothing but a health answer: `python fake_cloud.py up --detach`.

CLOUDSTEAD_TEST_FAULT makes it fail to start (`crash`), or not answer before there is a file `go` (`slow`).
"""

import json
import os
import signal
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer

from cloudstead.cli import main
from cloudstead.cli.commands import ImageShown, ObjectsChecked
from cloudstead.cli.problems import Problem

KEY = ("AKIAFAKE", "secret/+=")


class FakeCommands:
    def root_key(self, settings):
        (settings.data / "cloud.json").write_text(json.dumps({"cloud": "abcdef", "account": "123456789012"}))
        (settings.data / "state.sqlite").touch()
        return KEY

    def run(self, settings, processes):
        if os.environ.get("CLOUDSTEAD_TEST_FAULT") == "crash":
            raise Problem("port 1 is taken")
        while os.environ.get("CLOUDSTEAD_TEST_FAULT") == "slow" and not (settings.data / "go").exists():
            time.sleep(0.01)
        processes({"gateway-1": os.getpid()})
        server = HTTPServer((settings.host, settings.port), _Health)
        signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
        server.serve_forever(poll_interval=0.01)
        return 0

    def end_machines(self, settings, say):
        say("looking")
        (settings.data / "ended").touch()

    def authority(self, settings):
        return "-----BEGIN CERTIFICATE-----\n"

    def check_objects(self, settings, *, read_all):
        damage = ["00000001.log: byte 17 was written otherwise"] if read_all else []
        return ObjectsChecked(versions=3, parts=1, size_bytes=2_500_000, damage=damage)

    def ssh_at(self, settings, instance):
        return None

    def images(self, settings):
        return [ImageShown(name="tiny", login="ec2-user", built=True, size_bytes=6_000_000, note="for tests")]

    def build_image(self, settings, name, say):
        say(f"building {name}")

    def import_image(self, settings, name, source, login, say):
        say(f"importing {name} from {source} for {login}")


class _Health(BaseHTTPRequestHandler):
    def do_GET(self):
        body = json.dumps(
            {"status": "running", "cloud": "abcdef", "machines": "fake", "resources": {"Vpc": 1}}
        )
        self.send_response(200)
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *_):
        pass


if __name__ == "__main__":
    sys.exit(main(FakeCommands()))
