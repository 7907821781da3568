"""From a plan and its memory to numbers: the arena, batches, and two executors."""
