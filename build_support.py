"""Compiles csrc/ once per instruction set, and the Cython module that calls it."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from setuptools import Extension
from setuptools.command.build_ext import build_ext
from setuptools.errors import CCompilerError, ExecError
from setuptools.modified import newer_group

CSRC = Path("csrc")
# Those of isa/ are compiled apart, each with flags of its own.
SOURCES = [
    "fastnn/kernels/native/extension.pyx",
    *sorted(str(path) for path in CSRC.rglob("*.c") if path.parent != CSRC / "isa"),
]
HEADERS = sorted(str(path) for ending in ("h", "inc", "def") for path in CSRC.rglob(f"*.{ending}"))

# FASTNN_WERROR=1, for .ci/run: gcc 12 warns of nothing, for any instruction set.
STRICT_FLAGS = ["-Wall", "-Wextra", "-Wno-unused-parameter", "-Werror"]
IS_STRICT = os.environ.get("FASTNN_WERROR") == "1"
# Without debug information, which would make the wheel three times as large.
COMMON_FLAGS = ["-std=gnu11", "-fvisibility=hidden", "-pthread", "-g0"]
COMMON_FLAGS += STRICT_FLAGS if IS_STRICT else []
# Nothing that ties the result to this machine (-march=native), changes what NaN and infinity mean
# (-ffast-math, -Ofast), or could mix code of two instruction sets (-flto).
KERNEL_FLAGS = [
    *COMMON_FLAGS,
    "-O3",
    "-ffp-contract=fast",
    "-fno-math-errno",
    "-fno-trapping-math",
    "-fno-lto",
    "-Wall",
    "-Wextra",
    "-Wno-unused-parameter",  # formulas share a signature
    "-Wno-pass-failed",  # Clang does not vectorise what calls the C library
]

X86_ISAS = {
    "avx2": ["-mavx2", "-mfma"],
    "avx512": ["-mavx512f", "-mavx512dq", "-mavx512bw", "-mavx512vl", "-mfma"],
}

# FASTNN_SANITIZE=1, for tools/sanitize: every wrong access or undefined operation ends the process.
SANITIZE_FLAGS = ["-O1", "-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"]

NO_COMPILER = (
    "fastnn needs a C compiler (gcc or clang), and {compiler!r} does not compile an empty program. "
    "On Debian or Ubuntu: apt install gcc libc6-dev python3-dev; on Fedora: dnf install gcc "
    "python3-devel; on macOS: xcode-select --install"
)
NO_HEADERS = (
    "fastnn needs the C headers of Python {version}, and {compiler!r} does not find Python.h in "
    "{folder}. On Debian or Ubuntu: apt install python3-dev; on Fedora: dnf install python3-devel"
)

OPENMP_PROGRAM = """
#include <omp.h>
int main(void) {
    int threads = 0;
#pragma omp parallel num_threads(2) reduction(+ : threads)
    threads++;
    return threads == omp_get_max_threads() + 100;
}
"""


class BuildNative(build_ext):
    """build_ext that knows instruction sets, OpenMP, and how to say what is missing."""

    def build_extension(self, ext: Extension) -> None:
        import numpy
        from Cython.Build import cythonize

        self._require_compiler_and_headers()
        work = Path(self.build_temp)
        work.mkdir(parents=True, exist_ok=True)
        openmp_compile, openmp_link = self._openmp_flags()
        isas = self._isas()
        sanitize = SANITIZE_FLAGS if os.environ.get("FASTNN_SANITIZE") == "1" else []

        [cythonized] = cythonize([ext], build_dir=str(work), quiet=True)
        ext.sources = cythonized.sources
        ext.depends = HEADERS
        ext.include_dirs = ["csrc", numpy.get_include()]
        ext.define_macros = [
            ("NPY_NO_DEPRECATED_API", "NPY_2_0_API_VERSION"),
            *((f"FASTNN_HAVE_{name.upper()}", "1") for name in isas if name != "baseline"),
        ]
        ext.extra_compile_args = [*COMMON_FLAGS, "-O2", *openmp_compile, *sanitize]
        ext.extra_link_args = ["-pthread", *openmp_link, *sanitize]
        ext.extra_objects = self._compile_isas(isas, work, sanitize)
        super().build_extension(ext)

    def _compile_isas(
        self, isas: dict[str, list[str]], work: Path, more_flags: list[str]
    ) -> list[str]:
        """One object per instruction set, in parallel."""

        def compile_isa(name: str) -> str:
            source = f"csrc/isa/{name}.c"
            folder = work / f"isa-{name}"  # a folder each: compilers run at the same time
            target = folder / source.replace(".c", ".o")
            if self.force or newer_group([source, *HEADERS, __file__], str(target)):
                self.compiler.compile(
                    [source],
                    output_dir=str(folder),
                    include_dirs=["csrc"],
                    extra_postargs=[*KERNEL_FLAGS, *isas[name], *more_flags],
                )
            return str(target)

        with ThreadPoolExecutor(os.cpu_count()) as pool:
            return list(pool.map(compile_isa, isas))

    def _isas(self) -> dict[str, list[str]]:
        """Instruction sets that the compiler can produce for this kind of processor."""
        isas: dict[str, list[str]] = {"baseline": []}
        if platform.machine().lower() in ("x86_64", "amd64"):
            program = "int main(void) { return 0; }"
            isas |= {
                isa: flags for isa, flags in X86_ISAS.items() if self._compiles(program, flags)
            }
        return isas

    def _require_compiler_and_headers(self) -> None:
        compiler = getattr(self.compiler, "compiler", ["cc"])[0]
        if not self._compiles("int main(void) { return 0; }"):
            raise SystemExit(NO_COMPILER.format(compiler=compiler))
        if not self._compiles("#include <Python.h>\nint main(void) { return 0; }"):
            version = f"{sys.version_info.major}.{sys.version_info.minor}"
            folder = ", ".join(self.compiler.include_dirs)
            raise SystemExit(NO_HEADERS.format(compiler=compiler, version=version, folder=folder))

    def _openmp_flags(self) -> tuple[list[str], list[str]]:
        """Compile and link flags for OpenMP; empty if a parallel program does not build and run."""
        candidates = [(["-fopenmp"], ["-fopenmp"])]
        if sys.platform == "darwin":
            candidates = [(["-Xpreprocessor", "-fopenmp"], ["-lomp"])]
            for prefix in ("/opt/homebrew/opt/libomp", "/usr/local/opt/libomp"):
                candidates.append(
                    (
                        ["-Xpreprocessor", "-fopenmp", f"-I{prefix}/include"],
                        [f"-L{prefix}/lib", f"-Wl,-rpath,{prefix}/lib", "-lomp"],
                    )
                )
        for compile_flags, link_flags in candidates:
            if self._runs(OPENMP_PROGRAM, compile_flags, link_flags):
                return compile_flags, link_flags
        print("fastnn: no working OpenMP found; building for a single thread", file=sys.stderr)
        return [], []

    def _compiles(self, program: str, flags: Sequence[str] = ()) -> bool:
        with tempfile.TemporaryDirectory() as folder:
            return bool(self._objects(program, flags, folder))

    def _runs(self, program: str, compile_flags: Sequence[str], link_flags: Sequence[str]) -> bool:
        with tempfile.TemporaryDirectory() as folder:
            objects = self._objects(program, compile_flags, folder)
            if not objects:
                return False
            try:
                self.compiler.link_executable(
                    objects, "probe", output_dir=folder, extra_postargs=list(link_flags)
                )
                probe = subprocess.run([Path(folder, "probe")], timeout=30, check=False)
            except (CCompilerError, ExecError, OSError, subprocess.TimeoutExpired):
                return False
            return probe.returncode == 0

    def _objects(self, program: str, flags: Sequence[str], folder: str) -> list[str]:
        """Object files of a program, none if it does not compile."""
        source = Path(folder, "probe.c")
        source.write_text(program)
        try:
            return self.compiler.compile(
                [str(source)], output_dir=folder, extra_postargs=list(flags)
            )
        except (CCompilerError, ExecError, OSError):
            return []
