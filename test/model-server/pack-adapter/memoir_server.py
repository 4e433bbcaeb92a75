"""Starts `memoir model-server` for tests that are written in Python; MEMOIR_COMMAND is its command line as JSON."""

import atexit
import json
import os
import re
import subprocess
import tempfile


def start(*words):
    """The URL of a server that ends with this process."""
    command = json.loads(os.environ["MEMOIR_COMMAND"])
    environment = {**os.environ, "MEMOIR_HOME": tempfile.mkdtemp(prefix="home-", dir=os.environ["MEMOIR_SCRATCH"])}
    server = subprocess.Popen(
        [*command, "model-server", *words, "--port", "0"], stderr=subprocess.PIPE, text=True, env=environment
    )
    atexit.register(lambda: (server.kill(), server.wait()))
    said = ""
    for line in server.stderr:
        said += line
        found = re.search(r" at (http://\S+)", line)
        if found:
            return found.group(1)
    raise RuntimeError("the server did not start: " + said)


def scratch_folder():
    return tempfile.mkdtemp(prefix="model-", dir=os.environ["MEMOIR_SCRATCH"])
