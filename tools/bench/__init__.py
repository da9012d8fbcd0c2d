"""Speed and memory, compared with the notebook's own way of training.

Run each from the repository's root as `python -m tools.bench.<name>`: throughput, time_to_accuracy
or pipeline. It prints one Markdown table and writes it to docs/measured/<name>.md.
"""
