"""Stand-ins for Python packages that are not installed here.

They let the programs under test be imported. What is called of them accepts everything and does nothing, so a test that
needs more of one fails. Packages that are installed are used.
"""

import importlib.abc
import importlib.machinery
import importlib.util
import sys
import types

PACKAGES = {
    "aiofiles", "aiohttp", "bokeh", "boto3", "botocore", "docker", "dockerfile_parse", "emoji", "eosvc", "fastapi",
    "fuzzywuzzy", "h5py", "inputimeout", "isaura", "loguru", "nest_asyncio", "nox", "pandas", "psutil", "pybreaker",
    "redis", "rich", "rich_click", "slowapi", "tqdm", "tzdata", "validators",
}


class Anything:
    """Is called, entered, iterated and asked for attributes, and has nothing to say."""

    def __init__(self, *given, **named):
        pass

    def __call__(self, *given, **named):
        # As a decorator it leaves what it decorates as it is.
        if len(given) == 1 and not named and isinstance(given[0], types.FunctionType):
            return given[0]
        return Anything()

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return Anything()

    def __enter__(self):
        return self

    def __exit__(self, *given):
        return False

    def __iter__(self):
        return iter(())

    def __len__(self):
        return 0

    def __bool__(self):
        return False

    def __str__(self):
        return ""

    def __mro_entries__(self, bases):
        return (object,)


class StandIn(types.ModuleType):
    __path__ = []

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return Anything()


class Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Asked last: only for what is not there."""

    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] not in PACKAGES:
            return None
        return importlib.machinery.ModuleSpec(name, self, is_package=True)

    def create_module(self, spec):
        return StandIn(spec.name)

    def exec_module(self, module):
        pass


sys.meta_path.append(Finder())
