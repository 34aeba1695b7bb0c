# What people type. Everything works from a clean clone; `deps` installs a Redis server where there is none.

.PHONY: help run serve test check deps

help:
	@echo "make run    start the demonstration: an organisation for each preset, a private Redis in ./data"
	@echo "make serve  start the service, built for speed, as the settings in the environment say"
	@echo "make test   every test, against real Redis servers"
	@echo "make check  formatting, lints and documentation, warnings as errors"
	@echo "make deps   install a Redis server where there is none"

run: deps
	cargo run --locked -- demo

serve: deps
	cargo run --release --locked -- serve

test:
	@scripts/deps test
	cargo test --workspace --locked

check:
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --locked -- -D warnings
	RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --document-private-items --locked

deps:
	@scripts/deps
