"""Starts the fake and steers it through /_fake/."""

import json
import os
import subprocess
import urllib.parse
import urllib.request


class Fake:
    def __init__(self):
        program = os.environ["EYEMOTION_STRIPE_FAKE"]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        self.process = subprocess.Popen([program, "--port", "0"], **pipes)
        self.url = self.process.stdout.readline().strip().rstrip("/")
        secrets = self.control("secrets")
        self.key, self.webhook_secret = secrets["secret_key"], secrets["webhook_secret"]
        self.now = secrets["now"]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait(timeout=10)

    def control(self, name, **params):
        body = urllib.parse.urlencode(params).encode()
        with urllib.request.urlopen(f"{self.url}/_fake/{name}", data=body) as answer:
            return json.load(answer)

    def answers(self):
        return self.control("answers")
