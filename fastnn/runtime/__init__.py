"""The process: threads, memory that is left, random streams, Ctrl-C, what this build can do."""
