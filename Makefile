# Everything runs in .venv, which the first target that needs it makes.
export PATH := $(CURDIR)/.venv/bin:$(PATH)
VENV := .venv/.installed

repro: $(VENV)
	dvc repro

test: $(VENV)
	python -m pytest

# The notebook's own configuration, for a GPU and a network.
LAB := schedule=constant lr=0.001 batch_size=32 train_images=60000 validation_images=0 \
	weights.resnet18=imagenet weights.alexnet=imagenet \
	models.alexnet.dropout=0.5 \
	$(foreach model,resnet18 alexnet model_a model_b,models.$(model).image_size=224 \
		models.$(model).epochs=10)

lab: $(VENV)
	dvc exp run $(addprefix -S ,$(LAB))

# Markdown on what changed against BASE, in the working tree or, if given, in HEAD.
BASE := main
HEAD :=

review: $(VENV)
	@python -m review "$(BASE)" $(if $(HEAD),"$(HEAD)")

lint: $(VENV)
	ruff check
	ruff format --check
	actionlint

# Removes what is damaged from DVC's cache.
mend: $(VENV)
	python -m tools.mend_cache

# For a remote over SSH.
ssh: $(VENV)
	python -m pip install --disable-pip-version-check --quiet --requirement requirements-ssh.txt

# What CI asks of a pull request; make --silent prints nothing but the review.
pull-request: $(VENV)
	.ci/pull-request $(BASE)

# Known vulnerabilities of what is pinned; a package that cannot be looked up is a failure, not a pass.
audit:
	python3 -m venv .venv/audit
	.venv/audit/bin/python -m pip install --disable-pip-version-check --quiet pip-audit==2.10.1
	.venv/audit/bin/pip-audit --strict --disable-pip --no-deps \
		--requirement requirements.txt --requirement requirements-ssh.txt

# Short runs, killed at random moments and run again: ROUNDS=1000 for a night.
soak: $(VENV)
	python -m benchmarks.soak $(ROUNDS)

$(VENV): requirements.txt
	@python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "error: python3 is older than 3.11: install a newer one and run again" >&2; exit 1; }
	python3 -m venv .venv
	python -m pip install --disable-pip-version-check --quiet --requirement requirements.txt
	touch $@

# What requirements.in leads to, pinned; the CUDA libraries exist for Linux on x86-64 alone.
pins:
	rm -rf .venv
	python3 -m venv .venv
	python -m pip install --disable-pip-version-check --quiet --requirement requirements.in
	{ echo "# Made by make pins from requirements.in"; python -m pip freeze --all --exclude pip; } | sed -E \
		'/^(cuda|nvidia|triton)/s/$$/; sys_platform == "linux" and platform_machine == "x86_64"/' \
		> requirements.txt
	touch $(VENV)

clean:
	rm -rf .venv .ruff_cache review-plots

.PHONY: repro test lab review lint mend audit soak ssh pull-request pins clean
