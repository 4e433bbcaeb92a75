"""Predictions of a Memoir server in Python and in notebooks.

Nothing but the standard library is needed. With pandas installed, tables are data frames; without it, lists of
dictionaries.

    from memoir_client import predict
    predict("eos3b5e", ["CCO", "CCC"], url="http://127.0.0.1:8000")

Two servers are understood, and told apart by their answers:

- ``memoir model-server MODEL`` computes what is not stored;
- ``memoir server`` answers look-ups and jobs over stored predictions, and never computes.
"""

from __future__ import annotations

import gzip
import json
import math
import os
import time
import urllib.error
import urllib.parse
import urllib.request
import uuid
from typing import Any, Dict, Iterable, List, Mapping, Optional, Sequence, Union

__all__ = ["Memoir", "MemoirError", "ModelServer", "lookup", "predict", "table"]
__version__ = "0.1.0"

Cell = Union[float, int, str, None]
Row = Dict[str, Cell]

#: What ``memoir server`` answers in one look-up; more inputs become a job.
MOST_LOOKUPS = 1000


class MemoirError(Exception):
    """What went wrong, in the words of the server. ``status`` is 0 where no server answered."""

    def __init__(self, message: str, status: int = 0, code: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.code = code


class _Connection:
    def __init__(self, url: Optional[str], token: Optional[str], timeout: float) -> None:
        address = url if url is not None else os.environ.get("MEMOIR_URL", "")
        if not address:
            raise MemoirError("no server is named: give url=, or set MEMOIR_URL")
        parts = urllib.parse.urlsplit(address)
        if parts.scheme not in ("http", "https") or not parts.netloc:
            raise MemoirError(f"not the address of a server: {address!r}")
        secret = token if token is not None else os.environ.get("MEMOIR_TOKEN")
        if secret and parts.scheme == "http" and parts.hostname not in ("127.0.0.1", "localhost", "::1"):
            raise MemoirError(f"a token is sent only over https: {parts.scheme}://{parts.hostname}")
        self.url = address.rstrip("/")
        self._token = secret
        self._timeout = timeout

    def send(self, method: str, path: str, body: Any = None) -> Any:
        return json.loads(self.read(method, path, body).decode("utf-8"))

    def read(self, method: str, path: str, body: Any = None) -> bytes:
        data = None if body is None else json.dumps(body).encode("utf-8")
        request = urllib.request.Request(urllib.parse.urljoin(self.url + "/", path.lstrip("/")), data, method=method)
        request.add_header("accept", "application/json")
        if data is not None:
            request.add_header("content-type", "application/json")
        if self._token:
            request.add_header("authorization", f"Bearer {self._token}")
        try:
            with _opener.open(request, timeout=self._timeout) as reply:
                return reply.read()
        except urllib.error.HTTPError as error:
            raise _problem(error) from None
        except (urllib.error.URLError, OSError) as error:
            reason = getattr(error, "reason", error)
            raise MemoirError(f"{self.url} does not answer: {reason}") from error


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """A redirect would carry the token to another server."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


_opener = urllib.request.build_opener(_NoRedirects)


def _problem(error: urllib.error.HTTPError) -> MemoirError:
    text = error.read().decode("utf-8", "replace")
    try:
        answer = json.loads(text)
    except ValueError:
        answer = {}
    if not isinstance(answer, dict):
        answer = {}
    detail = answer.get("detail", text.strip() or error.reason)
    if not isinstance(detail, str):
        detail = json.dumps(detail)
    return MemoirError(detail, error.code, str(answer.get("code", "")))


class ModelServer:
    """``memoir model-server MODEL``: predictions of one model, computed where they are not stored."""

    def __init__(self, url: Optional[str] = None, token: Optional[str] = None, timeout: float = 600.0) -> None:
        self._connection = _Connection(url, token, timeout)

    def model(self) -> str:
        """The id of the model that is served."""
        names = self._connection.send("GET", "/")
        if not isinstance(names, dict) or len(names) != 1:
            raise MemoirError(f"{self._connection.url} is not the server of one model")
        return str(next(iter(names)))

    def columns(self) -> List[str]:
        return [str(name) for name in self._connection.send("GET", "/run/columns/output")]

    def card(self) -> Dict[str, Any]:
        """All metadata of the model."""
        return dict(self._connection.send("GET", "/card"))

    def examples(self) -> List[str]:
        return [str(each) for each in self._connection.send("GET", "/run/example/input")]

    def run(self, smiles: Iterable[str], batch_size: int = 1000, cache_only: bool = False) -> List[Row]:
        """One row per molecule, in their order: ``input``, the model's columns, ``status``.

        A molecule that cannot be computed has no values and the status ``failed``; the others are not affected.
        """
        if batch_size < 1:
            raise ValueError(f"batch_size must be 1 or more, got {batch_size}")
        inputs = _inputs(smiles)
        columns = self.columns()
        query = "?orient=values" + ("&cache_only=true" if cache_only else "")
        rows: List[Row] = []
        for at in range(0, len(inputs), batch_size):
            rows.extend(self._batch(inputs[at : at + batch_size], columns, query))
        return rows

    def _batch(self, inputs: Sequence[str], columns: Sequence[str], query: str) -> List[Row]:
        try:
            answers = self._connection.send("POST", "/run" + query, list(inputs))
        except MemoirError as error:
            if error.status != 500:
                raise
            if len(inputs) == 1:
                return [_row(inputs[0], columns, None, "failed")]
            half = len(inputs) // 2
            return self._batch(inputs[:half], columns, query) + self._batch(inputs[half:], columns, query)
        if not isinstance(answers, list) or len(answers) != len(inputs):
            raise MemoirError(f"{self._connection.url} answered other than one row per molecule")
        return [
            _row(text, columns, values, "missing" if all(value is None for value in values) else "answered")
            for text, values in zip(inputs, answers)
        ]


class Memoir:
    """``memoir server``: look-ups and jobs over stored predictions. It never computes one."""

    def __init__(self, url: Optional[str] = None, token: Optional[str] = None, timeout: float = 600.0) -> None:
        self._connection = _Connection(url, token, timeout)

    def models(self) -> List[Dict[str, Any]]:
        """Models that the server knows: id, slug, title, release and columns."""
        return list(self._connection.send("GET", "/v1/models")["models"])

    def stored(self) -> List[Dict[str, Any]]:
        """Everything that is stored, also of models and releases that the server does not know."""
        return list(self._connection.send("GET", "/v1/stored")["stored"])

    def lookup(self, model: str, smiles: Iterable[str]) -> List[Row]:
        """One row per molecule, in their order: ``input``, the model's columns, ``status`` (stored or missing)."""
        inputs = _inputs(smiles)
        if not inputs:
            return []
        if len(inputs) > MOST_LOOKUPS:
            return self._job(model, {"fetch": "filter", "inputs": inputs})
        path = f"/v1/models/{urllib.parse.quote(model, safe='')}/lookups"
        answer = self._connection.send("POST", path, {"inputs": inputs})
        columns = [str(column["name"]) for column in answer["columns"]]
        return [_stored(row, columns) for row in answer["rows"]]

    def molecule(self, smiles: str) -> List[Row]:
        """What every model has stored for one molecule."""
        answer = self._connection.send("POST", "/v1/molecules/lookups", {"input": smiles})
        return [
            {"model": str(each["model"]), **_stored(each, [str(column["name"]) for column in each["columns"]])}
            for each in answer["models"]
        ]

    def sample(self, model: str, count: int, seed: str = "memoir") -> List[Row]:
        """A random sample of the stored rows; the same seed and rows give the same sample."""
        return self._job(model, {"fetch": "sample", "samples": count, "seed": seed})

    def dump(self, model: str) -> List[Row]:
        """Every stored row."""
        return self._job(model, {"fetch": "all"})

    def _job(self, model: str, what: Mapping[str, Any]) -> List[Row]:
        columns = self._columns(model)
        job = self._connection.send("POST", "/v1/jobs", {"requestId": str(uuid.uuid4()), "model": model, **what})
        pause = 0.05
        while job["state"] in ("PENDING", "RUNNING"):
            time.sleep(pause)
            pause = min(2.0, pause * 1.5)
            job = self._connection.send("GET", f"/v1/jobs/{job['id']}")
        if job["state"] != "SUCCEEDED":
            raise MemoirError(f"the job {job['id']} ended as {job['state']}: {job.get('error', '')}")
        rows: List[Row] = []
        for file in self._connection.send("GET", f"/v1/jobs/{job['id']}/files")["files"]:
            lines = gzip.decompress(self._connection.read("GET", file["url"])).decode("utf-8").splitlines()
            rows.extend(_stored(json.loads(line), columns) for line in lines if line)
        return rows

    def _columns(self, model: str) -> List[str]:
        for each in self.models():
            if model in (each["id"], each["slug"]):
                return [str(column["name"]) for column in each["columns"]]
        raise MemoirError(f"the server knows no model {model}", 404, "MODEL_NOT_FOUND")


def predict(
    model: str,
    smiles: Iterable[str],
    *,
    url: Optional[str] = None,
    token: Optional[str] = None,
    batch_size: int = 1000,
    timeout: float = 600.0,
) -> Any:
    """Predictions of ``model`` for molecules, one row each in their order.

    ``url`` (default: the environment variable ``MEMOIR_URL``) is a model server, which computes what is not stored, or
    a ``memoir server``, which answers what is stored. Returns a pandas DataFrame if pandas is installed, else a list of
    dictionaries; both have the columns ``input``, those of the model, and ``status``.
    """
    inputs = _inputs(smiles)
    server = ModelServer(url, token, timeout)
    try:
        served = server.model()
    except (MemoirError, ValueError):
        return table(Memoir(url, token, timeout).lookup(model, inputs))
    if model not in (served, *_slugs(server)):
        raise MemoirError(f"the server has the model {served}, not {model}", 404, "MODEL_NOT_FOUND")
    return table(server.run(inputs, batch_size))


def lookup(
    model: str, smiles: Iterable[str], *, url: Optional[str] = None, token: Optional[str] = None
) -> Any:
    """Stored predictions of a ``memoir server``, as ``predict`` returns them."""
    return table(Memoir(url, token).lookup(model, smiles))


def table(rows: List[Row]) -> Any:
    """A pandas DataFrame of rows if pandas is installed, else the rows."""
    try:
        import pandas  # type: ignore[import-not-found]
    except ImportError:
        return rows
    return pandas.DataFrame(rows)


def _slugs(server: ModelServer) -> Sequence[str]:
    return [str(server.card().get("Slug", ""))]


def _inputs(smiles: Iterable[str]) -> List[str]:
    if isinstance(smiles, (str, bytes)):
        raise TypeError("expected a list of molecules, got one text: write [smiles]")
    inputs = list(smiles)
    for each in inputs:
        if not isinstance(each, str):
            raise TypeError(f"a molecule is a text, got {each!r}")
    return inputs


def _row(text: str, columns: Sequence[str], values: Optional[Sequence[Any]], status: str) -> Row:
    if values is not None and len(values) != len(columns):
        raise MemoirError(f"a row has {len(values)} values, and the model {len(columns)} columns")
    cells = values if values is not None else [None] * len(columns)
    return {"input": text, **{name: _cell(cell) for name, cell in zip(columns, cells)}, "status": status}


def _stored(row: Mapping[str, Any], columns: Sequence[str]) -> Row:
    return _row(str(row["input"]), columns, row.get("values"), str(row.get("status", "stored")))


def _cell(cell: Any) -> Cell:
    """JSON has no NaN, no infinities and no negative zero; the server writes them as objects."""
    if not isinstance(cell, dict):
        return cell
    return {"nan": math.nan, "inf": math.inf, "-inf": -math.inf, "-0": -0.0}[str(cell["float"])]
