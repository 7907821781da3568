"""Kernels in C know what arrays hold from what they compute in: these may be two types."""

import shutil
import subprocess

import pytest
from project import ROOT

CSRC = ROOT / "csrc"
PROGRAM = """
#include <float.h>
#include <math.h>
#include <stdint.h>
#include <string.h>
#define VEC_BYTES 16
#include "parallel/partition.h"
#include "parallel/team.h"
#include "simd/compiler.h"
#include "simd/lanes.h"
#include "simd/philox.h"
#include "simd/polynomials.h"
#include "simd/sum.h"
#include "table/fastnn.h"
#include "gemm/blocking.h"
#include "convolution/blocking.h"
#include "convolution/geometry.h"
#include "table/float64.h"
#undef stored
#define stored float
double sum_of_either();
#define sum_f64 sum_of_either
#include "table/bodies.inc"
"""

if not CSRC.is_dir():
    pytest.skip("needs the source tree", allow_module_level=True)


def test_kernels_compile_for_arrays_of_another_type(tmp_path):
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        pytest.skip("no C compiler")
    source = tmp_path / "mixed.c"
    source.write_text(PROGRAM)
    flags = ["-std=gnu11", "-fsyntax-only", "-Werror=incompatible-pointer-types", f"-I{CSRC}"]
    result = subprocess.run([compiler, *flags, source], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
