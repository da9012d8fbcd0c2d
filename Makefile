# Everything runs in .venv, which the first target that needs it makes.
export PATH := $(CURDIR)/.venv/bin:$(PATH)
VENV := .venv/.installed

help:  ## list these targets
	@grep --no-filename -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## */|/' | \
		while IFS='|' read -r target words; do printf 'make %-13s %s\n' "$$target" "$$words"; done

JOBS :=

repro: $(VENV)  ## run the pipeline: fetch, train, test, report; JOBS=N stages at once
	@python -m tools.repro $(if $(JOBS),--jobs "$(JOBS)")

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

lab: $(VENV)  ## the notebook's configuration; needs a GPU and internet access
	dvc exp run $(addprefix -S ,$(LAB))

draw: $(VENV)  ## a page to draw a digit on, with what every trained run says
	@python -m tools.predict.draw

# Markdown on what changed against BASE, in the working tree or, if given, in HEAD.
BASE := main
HEAD :=

review: $(VENV)  ## what changed against BASE=main, as Markdown
	@python -m tools.review "$(BASE)" $(if $(HEAD),"$(HEAD)")

pull-request: $(VENV)  ## what CI checks on a pull request: results that are up to date, and the review
	@python -m tools.review.gate "$(BASE)"

verify: $(VENV)  ## does this machine compute the committed bits?
	dvc repro --quiet fetch
	python -m tools.verify

mend: $(VENV)  ## remove corrupt objects from DVC's cache
	python -m tools.mend_cache

ssh: $(VENV)  ## install what a DVC remote over SSH needs
	python -m pip install --disable-pip-version-check --quiet --requirement requirements-ssh.txt

lint: $(VENV)  ## check style, workflows and how many lines there are
	ruff check
	ruff format --check
	actionlint
	.ci/size

audit:  ## check the pinned packages for known vulnerabilities
	python3 -m venv .venv/audit
	.venv/audit/bin/python -m pip install --disable-pip-version-check --quiet pip-audit==2.10.1
	.venv/audit/bin/pip-audit --strict --disable-pip --no-deps \
		--requirement requirements.txt --requirement requirements-ssh.txt

pins:  ## regenerate requirements.txt from pyproject.toml
	rm -rf .venv
	python3 -m venv .venv
	python -m pip install --quiet --upgrade 'pip>=25.1'
	python -m pip install --quiet --group all
	{ echo "# Made by make pins from pyproject.toml"; python -m pip freeze --all --exclude pip; } | sed -E \
		'/^(cuda|nvidia|triton)/s/$$/; sys_platform == "linux" and platform_machine == "x86_64"/' \
		> requirements.txt
	touch $(VENV)

clean:  ## remove .venv and what tools leave, but no data and no results
	rm -rf .venv .ruff_cache .hypothesis dvc_plots review-plots

# What .gitattributes names; git itself takes no command from a repository. Not a part of the recipe
# below: a clone may come by its .venv in another way.
merge-driver:
	-@git config merge.dvc-lock.driver 'PATH=.venv/bin:$$PATH python -m tools.merge_lock %O %A %B'

$(VENV): requirements.txt | merge-driver
	@python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "error: python3 is older than 3.11: install a newer one and run again" >&2; exit 1; }
	python3 -m venv .venv
	python -m pip install --disable-pip-version-check --quiet --requirement requirements.txt
	touch $@

.PHONY: help repro test test-slow lab draw review pull-request verify mend ssh lint audit pins clean merge-driver
