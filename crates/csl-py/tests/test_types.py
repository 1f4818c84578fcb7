"""What type checkers read: the stub of the extension, and the annotations of the host API."""
import ast
import inspect
import os
import unittest

import waferlab
from waferlab import _waferlab

PACKAGE = os.path.dirname(waferlab.__file__)


def own_names(place):
    """The public names of a module or class, without those that every class has."""
    inherited = dir(object) + ["__module__", "__match_args__"]
    return {name: value for name, value in vars(place).items() if not name.startswith("_") and name not in inherited}


def words(signature):
    """The names of parameters, and which of them go by keyword alone."""
    parameters = [p for p in signature.parameters.values() if p.name not in ("self", "cls")]
    return [(p.name, p.kind == p.KEYWORD_ONLY) for p in parameters]


def stub_words(function):
    names = [a.arg for a in function.args.posonlyargs + function.args.args if a.arg not in ("self", "cls")]
    return [(name, False) for name in names] + [(a.arg, True) for a in function.args.kwonlyargs]


class Stub(unittest.TestCase):
    def test_the_stub_has_what_the_extension_has(self):
        with open(os.path.join(PACKAGE, "_waferlab.pyi"), encoding="utf-8") as file:
            tree = ast.parse(file.read())
        self.compare("_waferlab", _waferlab, tree.body)

    def test_the_stub_of_the_package_has_its_names(self):
        with open(os.path.join(PACKAGE, "__init__.pyi"), encoding="utf-8") as file:
            imports = [node for node in ast.parse(file.read()).body if isinstance(node, ast.ImportFrom)]
        names = {alias.asname: node.module for node in imports for alias in node.names}
        self.assertEqual(names, {name: f"waferlab.{module}" for name, module in waferlab._HOME.items()})

    def compare(self, where, place, body):
        there = own_names(place)
        stub = {}
        for node in body:
            if isinstance(node, (ast.ClassDef, ast.FunctionDef)):
                stub[node.name] = node
            elif isinstance(node, ast.AnnAssign):
                stub[node.target.id] = node
        made = stub.pop("__new__", None)
        self.assertEqual(sorted(stub), sorted(there), where)
        if made is not None:
            self.assertEqual(stub_words(made), words(inspect.signature(place)), where)
        for name, node in stub.items():
            if isinstance(node, ast.ClassDef):
                self.compare(f"{where}.{name}", there[name], node.body)
            elif isinstance(node, ast.FunctionDef) and not any(
                isinstance(d, ast.Name) and d.id == "property" for d in node.decorator_list
            ):
                self.assertEqual(stub_words(node), words(inspect.signature(getattr(place, name))), f"{where}.{name}")


class Annotations(unittest.TestCase):
    def test_the_host_api_is_annotated(self):
        self.assertTrue(os.path.exists(os.path.join(PACKAGE, "py.typed")))
        bare = []
        for module in ("appliance", "artifact", "compiler", "cycles", "debug_util", "geometry", "grid", "layout", "platform", "runtime", "sdk_utils"):
            with open(os.path.join(PACKAGE, f"{module}.py"), encoding="utf-8") as file:
                tree = ast.parse(file.read())
            classes = [node for node in tree.body if isinstance(node, ast.ClassDef) and not node.name.startswith("_")]
            for place in (tree, *classes):
                functions = (node for node in place.body if isinstance(node, ast.FunctionDef))
                bare += [f"{module}.{node.name}" for node in functions if is_public(node) and not is_annotated(node)]
        self.assertEqual(bare, [])


def is_public(function):
    return not function.name.startswith("_") or function.name in ("__init__", "__enter__", "__exit__")


def is_annotated(function):
    args = function.args
    own = [a for a in args.posonlyargs + args.args + args.kwonlyargs if a.arg not in ("self", "cls")]
    more = [a for a in (args.vararg, args.kwarg) if a is not None]
    return function.returns is not None and all(a.annotation is not None for a in own + more)


if __name__ == "__main__":
    unittest.main()
