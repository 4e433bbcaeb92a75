"""Ersilia's own command line, from a checkout, against a server of a model.

usage: ersilia-command.py CHECKOUT URL WORDS...

What `ersilia fetch` and `ersilia serve` leave behind is written into HOME first, from what the server says of itself; then
the words are given to Ersilia's command line, as the program `ersilia` does.
"""

import csv
import json
import os
import sys
import urllib.request

checkout, url, words = sys.argv[1], sys.argv[2], sys.argv[3:]
sys.path.insert(0, checkout)
eos = os.path.join(os.path.expanduser("~"), "eos")


def ask(path, data=None):
    request = urllib.request.Request(url + path, data=data, headers={"content-type": "application/json"})
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)


def write(path, text):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as file:
        file.write(text)


(model, slug), = ask("/").items()
information = ask("/info", data=b"{}")
destination = os.path.join(eos, "dest", model)
with open(os.path.join(checkout, "config.json")) as file:
    write(os.path.join(eos, "config.json"), file.read())
write(os.path.join(destination, "information.json"), json.dumps(information))
write(os.path.join(destination, "api_schema.json"), json.dumps(information["api_schema"]))
write(os.path.join(destination, "status.json"), '{"done": true}')
write(os.path.join(destination, "service_class.txt"), "hosted")
write(os.path.join(destination, "from_hosted.json"), json.dumps({"hosted": True, "url": url}))
write(os.path.join(eos, "repository", model, "20260101000000_AAAAAA", "apis_list.txt"), "run\n")
columns = os.path.join(destination, "model", "framework", "columns", "run_columns.csv")
os.makedirs(os.path.dirname(columns), exist_ok=True)
with open(columns, "w", newline="") as file:
    rows = csv.writer(file)
    rows.writerow(["name", "type", "direction", "description"])
    kind = information["card"]["Output Type"][0].lower()
    for name in ask("/run/columns/output"):
        rows.writerow([name, kind, "high", "A column of the model that is served"])
session = os.path.join(eos, "sessions", "session_%d" % os.getppid())
write(os.path.join(session, model + ".pid"), "%d %s -\n" % (os.getppid(), url))
write(
    os.path.join(session, "session.json"),
    json.dumps(
        {
            "model_id": model,
            "timestamp": "0",
            "identifier": "test",
            "track_runs": False,
            "service_class": "hosted",
            "output_source": None,
            "read_store": False,
            "write_store": False,
            "store_access": None,
            "nearest_neighbors": False,
            "local_cache": os.environ.get("ERSILIA_ENABLE_CACHE") == "1",
        }
    ),
)

from ersilia.cli import create_ersilia_cli  # noqa: E402

create_ersilia_cli()(words, prog_name="ersilia")
