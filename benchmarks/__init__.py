"""Speed and memory, measured beside the notebook's own way of training.

Each is run from the repository's root as `python -m benchmarks.<name>`: throughput,
time_to_accuracy, pipeline, scaling, checkpoints, soak. It prints one Markdown table and leaves it
in benchmarks/results/<name>.md.
"""
