"""The package itself: import, weight, compilation."""

from workloads import package, timing


class Import:
    """A fresh interpreter; what fastnn adds to NumPy is the difference of two."""

    params = (list(package.IMPORTS),)
    param_names = ("package",)
    number = 1

    def time_import(self, name: str) -> None:
        package.import_in_a_fresh_interpreter(name)


def track_wheel_size() -> int:
    return package.wheel_bytes()


track_wheel_size.unit = "bytes"


def track_compile_time() -> float:
    return timing.duration(package.compile_kernels, 1)


track_compile_time.unit = "seconds"
track_compile_time.timeout = 600
