"""`waferlab enable`: put the drop-in packages on the path of a virtual environment."""
import importlib.util
import os
import sys
import sysconfig

from waferlab.cs_python import dropins

PTH_NAME = "waferlab-dropins.pth"


def pth_file():
    return os.path.join(sysconfig.get_paths()["purelib"], PTH_NAME)


def foreign_package():
    """The folder of a `cerebras` or `cerebras_appliance` package that is not ours, if one is installed."""
    for name in ("cerebras", "cerebras_appliance"):
        spec = importlib.util.find_spec(name)
        for folder in (spec.submodule_search_locations or []) if spec else []:
            if os.path.commonpath([os.path.abspath(folder), dropins()]) != dropins():
                return folder
    return None


def enable():
    if sys.prefix == sys.base_prefix:
        return "this Python is not in a virtual environment; make one with `python -m venv`, or use cs_python"
    found = foreign_package()
    if found:
        return f"the vendor's own package is installed in {found}; cs_python puts Waferlab's before it"
    with open(pth_file(), "w", encoding="utf-8") as file:
        file.write(dropins() + "\n")
    print(f"enabled: {sys.prefix} now finds the `cerebras` packages in {dropins()}")
    return None


def disable():
    if os.path.exists(pth_file()):
        os.remove(pth_file())
    print(f"disabled in {sys.prefix}")


def main():
    actions = {"enable": enable, "disable": disable}
    if len(sys.argv) != 2 or sys.argv[1] not in actions:
        sys.exit("usage: python -m waferlab.enable enable|disable")
    sys.exit(actions[sys.argv[1]]())


if __name__ == "__main__":
    main()
