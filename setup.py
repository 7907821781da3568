"""The native part of the build; everything else stands in pyproject.toml."""

import os
import sys

from setuptools import Extension, setup

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from build_support import SOURCES, BuildNative

setup(
    ext_modules=[Extension("fastnn.kernels.native.extension", sources=SOURCES)],
    cmdclass={"build_ext": BuildNative},
)
