"""Runs a module of a checkout as its command line: checkout, stubs, module, words. Installed packages come first."""

import runpy
import sys

checkout, stubs, module, *words = sys.argv[1:]
sys.path.insert(0, checkout)
sys.path.append(stubs)
sys.argv = [module, *words]
runpy.run_module(module, run_name="__main__", alter_sys=False)
