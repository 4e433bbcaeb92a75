"""Isaura's own reader and writer, from a checkout, against a bucket.

usage: isaura-session.py CHECKOUT BUCKET write FILE | read FILE OUTPUT | query FILE OUTPUT | inspect OUTPUT

`read` is its reader, which answers what its index lists; `query` is the text of its query with every chunk file of the
bucket. The last line of the output says how many rows there were.

Isaura asks a server whether it is MinIO before it uses it, and installs an extension of DuckDB from the network that reads
S3. Where the server is another one, or the extension cannot be installed, the first is left out, and the chunk files are
downloaded for DuckDB. The stand-in of its Bloom filter forgets nothing and invents nothing; the one of RDKit accepts every
molecule, and puts all of them into one place of Isaura's index.
"""

import os
import sys
import tempfile
import types

checkout, bucket, verb, *files = sys.argv[1:]
sys.path.insert(0, checkout)


def stand_in(name, **members):
    module = types.ModuleType(name)
    module.__dict__.update(members)
    sys.modules[name] = module
    return module


class ScalableBloomFilter(set):
    """Is pickled with each bucket, so it is found by this name again."""

    SMALL_SET_GROWTH = 2

    def __init__(self, *values, **settings):
        super().__init__()

    def __reduce__(self):
        return (ScalableBloomFilter, (), None, iter([]), None)


try:
    import pybloom_live  # noqa: F401
except ImportError:
    stand_in("pybloom_live", ScalableBloomFilter=ScalableBloomFilter)
try:
    from rdkit.Chem import Crippen, Descriptors  # noqa: F401
except ImportError:
    crippen = stand_in("rdkit.Chem.Crippen", MolLogP=lambda molecule: 0.0)
    descriptors = stand_in("rdkit.Chem.Descriptors", MolWt=lambda molecule: 100.0)
    chem = stand_in("rdkit.Chem", MolFromSmiles=str, Crippen=crippen, Descriptors=descriptors)
    stand_in("rdkit", Chem=chem)

from isaura import base, helpers, manage  # noqa: E402

base.MinioStore.ping = lambda *given: True
model, version = "eos3b5e", "v1"
prefix = helpers.get_base(model, version)
folder = tempfile.mkdtemp(prefix="chunks-", dir=os.environ["MEMOIR_SCRATCH"])


def downloaded(of, below):
    """The glob of the chunk files as Isaura names them, in a folder."""
    store = base.MinioStore()
    for found in store.list_keys(of, below):
        local = os.path.join(folder, found["Key"])
        os.makedirs(os.path.dirname(local), exist_ok=True)
        store.download_file(of, found["Key"], local)
    return "%s/%s/*/chunk_*.parquet" % (folder, below)


class Connection:
    """DuckDB without the extension."""

    def __init__(self, **named):
        import duckdb

        self.con = duckdb.connect(":memory:")


try:
    base.DuckDBMinio(**{"endpoint": helpers.MINIO_ENDPOINT})
except Exception as error:
    print("DuckDB reads downloaded files: %s" % str(error).split("\n")[0])
    manage.DuckDBMinio = Connection
    manage.get_files_glob = downloaded

if verb == "write":
    with manage.IsauraWriter(files[0], model, version, access="public", bucket=bucket) as writer:
        writer.write()
elif verb == "read":
    rows = manage.IsauraReader(model, version, files[0], False, bucket=bucket).read(output_csv=files[1])
    print("read %d rows" % len(rows))
elif verb == "query":
    import pandas

    wanted = pandas.read_csv(files[0])["input"].tolist()
    glob = manage.get_files_glob(bucket, prefix)
    rows = helpers.query(manage.DuckDBMinio(endpoint=helpers.MINIO_ENDPOINT).con, "input", wanted, glob)
    rows.to_csv(files[1], index=False)
    print("read %d rows" % len(rows))
else:
    rows = manage.IsauraInspect(model, version, False, project_name=bucket).list_available(files[0])
    print("listed %d rows" % len(rows))
