"""The sink that everybody posts to: sink.js, in a process of its own."""

import http.client
import json
import subprocess
from urllib.parse import urlsplit

from .machine import HERE, Failure, Program, need


class Sink:
    def __init__(self, folder):
        self.program = Program(
            [need("node", "nodejs"), HERE / "harness" / "sink.js"],
            folder / "sink.log",
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        self.url = self.program.process.stdout.readline().decode().strip()
        if not self.url:
            raise Failure("the sink said no address")
        self.connection = http.client.HTTPConnection(urlsplit(self.url).netloc, timeout=30)

    def ask(self, path):
        try:
            self.connection.request("GET", path)
            return json.loads(self.connection.getresponse().read())
        except http.client.HTTPException:
            # Whoever waited long may find the connection closed.
            self.connection.close()
            self.connection.request("GET", path)
            return json.loads(self.connection.getresponse().read())

    def count(self):
        return self.ask("/count")["messages"]
