#!/usr/bin/env bash
# A job of Slurm, in a clone of its own: experiment.sh NAME [what dvc exp run takes]
set -eu
trap '' TERM  # for the training, which keeps a checkpoint; DVC and this wait for it
# What this job has left if Slurm started it before; the checkpoint stays.
touch params.yaml && git restore .
git for-each-ref --format='delete %(refname)' refs/exps | git update-ref --stdin
OMP_WAIT_POLICY=passive dvc exp run --name "$@"
dvc exp push --no-cache --force origin "$1"
rm -r "$(git rev-parse --show-toplevel)"
