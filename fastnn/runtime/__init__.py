"""The process: threads, available resources, random streams, signals and the build."""
