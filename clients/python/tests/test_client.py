"""Against real servers: MODEL_URL is a model server of eos3b5e, SERVER_URL a server that has CCO and CCC stored."""

import os
import sys
import types
import unittest

from memoir_client import Memoir, MemoirError, ModelServer, lookup, predict

MODEL = os.environ["MODEL_URL"]
SERVER = os.environ["SERVER_URL"]


class ModelServerTest(unittest.TestCase):
    def test_predicts_in_order_with_duplicates_and_failures(self):
        rows = predict("eos3b5e", ["CCO", "notsmiles", "CCC", "CCO"], url=MODEL)
        self.assertEqual([row["input"] for row in rows], ["CCO", "notsmiles", "CCC", "CCO"])
        self.assertEqual([row["mol_weight"] for row in rows], [46.069, None, 44.096999999999994, 46.069])
        self.assertEqual([row["status"] for row in rows], ["answered", "failed", "answered", "answered"])

    def test_takes_batches_iterators_and_the_slug(self):
        smiles = ["C" * length for length in range(1, 41)]
        one = predict("molecular-weight", iter(smiles), url=MODEL, batch_size=7)
        self.assertEqual([row["input"] for row in one], smiles)
        self.assertEqual(one, predict("eos3b5e", smiles, url=MODEL))
        self.assertEqual(predict("eos3b5e", [], url=MODEL), [])

    def test_describes_the_model(self):
        server = ModelServer(MODEL)
        self.assertEqual((server.model(), server.columns()), ("eos3b5e", ["mol_weight"]))
        self.assertEqual(server.card()["Slug"], "molecular-weight")
        self.assertTrue(server.examples())
        missing = server.run(["CCCCCCCCCCCCCCCCCCCCCCCCN"], cache_only=True)
        self.assertEqual((missing[0]["mol_weight"], missing[0]["status"]), (None, "missing"))

    def test_another_model_is_an_error(self):
        with self.assertRaises(MemoirError) as raised:
            predict("eos0000", ["CCO"], url=MODEL)
        self.assertEqual(raised.exception.code, "MODEL_NOT_FOUND")


class ServerTest(unittest.TestCase):
    def test_predict_answers_what_is_stored(self):
        rows = predict("eos3b5e", ["CCC", "O=C=O", "CCO"], url=SERVER)
        self.assertEqual([row["mol_weight"] for row in rows], [44.1, None, 46.069])
        self.assertEqual([row["status"] for row in rows], ["stored", "missing", "stored"])
        self.assertEqual(lookup("eos3b5e", ["CCO"], url=SERVER)[0]["mol_weight"], 46.069)

    def test_many_molecules_are_a_job(self):
        smiles = ["CCO", "O=C=O"] * 1500
        rows = Memoir(SERVER).lookup("eos3b5e", smiles)
        self.assertEqual([row["input"] for row in rows], smiles)
        self.assertEqual([row["mol_weight"] for row in rows], [46.069, None] * 1500)

    def test_samples_dumps_and_molecules(self):
        memoir = Memoir(SERVER)
        self.assertIn("eos3b5e", [model["id"] for model in memoir.models()])
        self.assertEqual(sorted(row["input"] for row in memoir.dump("eos3b5e")), ["CCC", "CCO"])
        self.assertEqual(memoir.sample("eos3b5e", 1, seed="a"), memoir.sample("eos3b5e", 1, seed="a"))
        found = {row["model"]: row["status"] for row in memoir.molecule("CCO")}
        self.assertEqual(found["eos3b5e"], "stored")
        self.assertTrue(memoir.stored())

    def test_errors_have_the_words_of_the_server(self):
        for work in (lambda: lookup("eos0000", ["CCO"], url=SERVER), lambda: Memoir(SERVER).dump("eos0000")):
            with self.assertRaises(MemoirError) as raised:
                work()
            self.assertEqual((raised.exception.status, raised.exception.code), (404, "MODEL_NOT_FOUND"))


class WrongUseTest(unittest.TestCase):
    def test_is_reported_before_anything_is_sent(self):
        with self.assertRaises(TypeError):
            predict("eos3b5e", "CCO", url=MODEL)
        with self.assertRaises(TypeError):
            predict("eos3b5e", ["CCO", None], url=MODEL)
        with self.assertRaises(ValueError):
            predict("eos3b5e", ["CCO"], url=MODEL, batch_size=0)
        for url in ("", "localhost:1", "ftp://x"):
            with self.assertRaises(MemoirError):
                predict("eos3b5e", ["CCO"], url=url)
        with self.assertRaisesRegex(MemoirError, "only over https"):
            predict("eos3b5e", ["CCO"], url="http://example.org", token="secret")

    def test_a_server_that_is_not_there_is_named(self):
        with self.assertRaises(MemoirError) as raised:
            predict("eos3b5e", ["CCO"], url="http://127.0.0.1:9")
        self.assertEqual(raised.exception.status, 0)
        self.assertIn("127.0.0.1:9", str(raised.exception))


class PandasTest(unittest.TestCase):
    def test_tables_are_data_frames_where_pandas_is_there(self):
        stand_in = types.ModuleType("pandas")
        stand_in.DataFrame = lambda rows: ("frame", rows)
        before = {name: module for name, module in sys.modules.items() if name == "pandas"}
        sys.modules["pandas"] = stand_in
        try:
            kind, rows = predict("eos3b5e", ["CCO"], url=MODEL)
        finally:
            del sys.modules["pandas"]
            sys.modules.update(before)
        self.assertEqual((kind, rows[0]["mol_weight"]), ("frame", 46.069))


if __name__ == "__main__":
    unittest.main()
