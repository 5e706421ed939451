# Every command is `python -m lm_utils COMMAND` (Windows: use that); this file only adds the set-up on first use.
.DEFAULT_GOAL := help
SHELL := /bin/sh
unexport PYTHONDONTWRITEBYTECODE  # each of some fifty Python processes would compile PyTorch and pandas again

# The first Python of at least 3.11 makes the environment ready, and names the Python that then runs the command.
define lm
@for base in $(or $(PYTHON),python3 python python3.14 python3.13 python3.12 python3.11) ""; do \
	$${base:-false} -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && break; \
done; \
[ "$$base" ] || { echo "Python 3.11 or newer is needed; install it, or name it with PYTHON=/path/to/python." >&2; exit 2; }; \
python=$$($$base -m lm_utils setup --print-python $(1)) || exit $$?; \
exec "$$python" -m lm_utils
endef

data = $${DATA:+"--data=$$DATA"}
seeds = $${SEEDS:+"--seeds=$$SEEDS"}
device = $${DEVICE:+"--device=$$DEVICE"}
jobs = $${JOBS:+"--jobs=$$JOBS"}
cluster = $${CLUSTER:+"--cluster=$$CLUSTER"}
parts = $${PARTS:+"--parts=$$PARTS"}
only = $${ONLY:+"--only=$$ONLY"}
grid = $(if $(filter-out 0,$(GRID)),--grid)
on_cluster = $${CLUSTER:+--extras=cluster}
quick = $(if $(filter-out 0,$(QUICK)),--quick)
fresh = $(if $(filter-out 0,$(FRESH)),--fresh)
translated = $(if $(filter-out 0,$(TRANSLATED)),--translated)

.PHONY: help run-all test lab explore check results robustness readme bench notebooks solutions site slides challenge card usb setup lock

help:
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-10s %s\n", $$1, $$2}' Makefile

run-all: ## set up, train what is missing, execute every notebook (DATA= SEEDS= DEVICE= JOBS= ONLY=08,11 FRESH=1)
	$(lm) run-all $(data) $(seeds) $(device) $(jobs) $(only) $(fresh)

test: ## set up with the test extras, then everything that CI runs (QUICK=1: no browser, nothing slow)
	$(call lm,--extras=test) test $(quick)

lab: ## JupyterLab at the start notebook
	$(lm) lab

explore: ## the explorer alone, as a web page
	$(lm) explore

check: ## what was found: Python, torch, device, data, fonts, browser
	$(lm) check

results: ## the reference results, every row with ten seeds, into results/ (DATA= SEEDS= DEVICE= JOBS= CLUSTER= GRID=1 for every combination)
	$(call lm,$(on_cluster)) results $(data) $(seeds) $(device) $(jobs) $(cluster) $(grid)

robustness: ## runs under changed conditions, on fresh seeds, into results/robustness/ (DATA= SEEDS= DEVICE= JOBS= CLUSTER=)
	$(call lm,$(on_cluster)) robustness $(data) $(seeds) $(device) $(jobs) $(cluster)

readme: ## draw the README's pictures, docs/results.md and the gallery from results/
	$(lm) readme

bench: ## speed beside the plain loop, skorch, Lightning and Keras, and how it grows (DATA= DEVICE= PARTS=speed,growth,scale,bf16)
	$(lm) bench $(data) $(device) $(parts)

notebooks: ## build notebooks/ from notebooks/src/ (TRANSLATED=1: the Korean follows the English as it stands now)
	$(lm) notebooks $(translated)

solutions: ## build the teacher's edition of the notebooks, with solutions
	$(lm) solutions

slides: ## slides of the notebooks, with speaker's notes, into build/slides/ (DATA= SEEDS= DEVICE= JOBS= ONLY=08,11)
	$(lm) slides $(data) $(seeds) $(device) $(jobs) $(only)

site: ## execute the notebooks that have not been, then the web site, into build/site/ (DATA= SEEDS= DEVICE= JOBS= for the notebooks)
	$(call lm,--extras=site) site $(data) $(seeds) $(device) $(jobs)

challenge: ## grade your repairs of the broken scripts in challenge/ (N=3 for one, HINT=1 for a hint)
	$(lm) challenge $${N:+"$$N"} $${HINT:+"--hint=$$HINT"}

card: ## write the decision card from the verdicts, as page and PDF
	$(lm) card

usb: ## everything for a classroom without a network, into one folder (FOLDER=/media/stick)
	$(lm) usb "$${FOLDER:?name the folder, as in: make usb FOLDER=/media/stick}"

setup: ## only the set-up (TORCH=cpu takes PyTorch's own CPU channel)
	$(lm) setup

lock: ## write constraints.txt from this environment (for maintainers)
	$(call lm,--extras=test) lock
