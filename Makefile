UV_VERSION := 0.13.9
UV := .cache/uv/bin/uv

.cache/uv/bin/uv:
	python3 -m venv .cache/uv
	.cache/uv/bin/pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)

lock: $(UV) ## resolve the dependencies again (after an edit of pyproject.toml)
	$(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --extra dev --extra registry --extra broker pyproject.toml -o requirements.lock

.venv/installed: requirements.lock pyproject.toml | $(UV)
	$(UV) venv --quiet --allow-existing .venv
	$(UV) pip sync --quiet --python .venv/bin/python --require-hashes requirements.lock
	$(UV) pip install --quiet --python .venv/bin/python --no-deps --no-build-isolation -e .
	touch $@

setup: .venv/installed ## make the environment
