"""What no result depends on: messages, signals, progress, validation; and outputs.py.

That one writes the results, so only it is a dependency in dvc.yaml: a new wording retrains nothing.
"""
