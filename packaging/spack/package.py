
from spack_repo.builtin.build_systems.python import PythonPackage

from spack.package import *


class PyWaferlab(PythonPackage):
    """A compiler for CSL, the language of the Cerebras Wafer-Scale Engine, and a simulator of the wafer."""

    homepage = "https://github.com/waferlab/waferlab"
    pypi = "waferlab/waferlab-0.1.0.tar.gz"

    license("Apache-2.0")

    # Of the source distribution of this version, once it is published.
    version("0.1.0", sha256="0000000000000000000000000000000000000000000000000000000000000000")

    depends_on("python@3.9:", type=("build", "run"))
    depends_on("py-setuptools@77:", type="build")
    depends_on("py-setuptools-rust@1.12:", type="build")
    depends_on("rust@1.95:", type="build")
    depends_on("c", type="build")
    depends_on("py-numpy@1.20:", type=("build", "run"))
