"""What a stage needs apart from its result: messages, signals, progress, whole files.

Only `files` decides bytes of a result, so only that is a dependency of the stages in dvc.yaml: the
wording of a message trains nothing again.
"""
