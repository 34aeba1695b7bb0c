# What people type. Everything works from a clean clone; `deps` installs a Redis server where there is none.

.PHONY: help run demo test check deps

help:
	@echo "make run    start the service with a private Redis in ./data"
	@echo "make demo   the same, with an example organisation for each preset"
	@echo "make test   every test, against real Redis servers"
	@echo "make check  formatting, lints and documentation, warnings as errors"
	@echo "make deps   install a Redis server where there is none"

run: deps
	cargo run --release --locked -- serve

demo: deps
	cargo run --release --locked -- demo

test: deps
	cargo test --workspace --locked

check:
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --locked -- -D warnings
	RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --document-private-items --locked

deps:
	@scripts/deps
