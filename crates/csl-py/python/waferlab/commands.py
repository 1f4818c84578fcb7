"""The commands `csdb`, `cs_readelf` and `sdk_debug_shell`: thin front ends of `waferlab`, which stands beside them."""
import os
import sys


def _front_end(action):
    program = os.path.join(os.path.dirname(os.path.abspath(sys.argv[0])), "waferlab")
    try:
        os.execv(program, [program, action, *sys.argv[1:]])
    except OSError as error:
        sys.exit(f"{program}: {error.strerror}; install Waferlab with pip to have it there")


def csdb():
    _front_end("csdb")


def cs_readelf():
    _front_end("readelf")


def sdk_debug_shell():
    _front_end("debug-shell")
