"""A test client that starts its application, a `memoir model-server`."""

import os

import memoir_server
import requests


class TestClient:
    __test__ = False

    def __init__(self, app):
        limit = os.environ.get("RATE_LIMIT")
        words = [] if limit is None else ["--rate-limit", limit]
        self.url = memoir_server.start("eos3b5e", *words)

    def get(self, path):
        return requests.get(self.url + path)
