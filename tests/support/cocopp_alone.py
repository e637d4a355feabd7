"""Modules of cocopp without the package's own start, which asks the network for its archive."""

import importlib
import importlib.util
import sys
import types


def module(name):
    """`cocopp.NAME`."""
    if "cocopp_alone" not in sys.modules:
        found = importlib.util.find_spec("cocopp")
        package = types.ModuleType("cocopp_alone")
        package.__path__ = list(found.submodule_search_locations)
        sys.modules["cocopp_alone"] = package
    return importlib.import_module(f"cocopp_alone.{name}")
