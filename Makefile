.PHONY: test check bench clean

test:  ## the quick tests
	.venv/bin/python -m pytest -q -n 2 -m "not slow"

check:  ## what CI runs
	bash .ci/run

bench:  ## CPU, wall and memory of a whole run against the hand-written limit
	.venv/bin/pip install -q -e '.[bench]'
	.venv/bin/python benchmarks/ingest.py

clean:
	rm -rf .docpipe build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
