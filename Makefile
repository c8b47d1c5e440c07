# What you do with a checkout. `make` alone lists it.

SHELL := bash
.DEFAULT_GOAL := help
.NOTPARALLEL:

# Where cargo puts the program.
TARGET_DIR := $(abspath $(or $(CARGO_TARGET_DIR),target))
GATEWAY_BIN := $(TARGET_DIR)/debug/agent-gateway

FRONT_SOURCES := $(shell find static \( -name node_modules -o -path static/dist -o -path static/npm/dist -o -name '*.tgz' \) -prune -o -type f -print 2>/dev/null)
NPM_CI := npm ci --no-audit --no-fund --loglevel=error

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

.PHONY: run
run: need-cargo static/dist ## broker, front end and the gateway with a demo conversation; prints a link
	@AMQP_URL="$$(scripts/broker up)" && export AMQP_URL && exec cargo run --locked -- dev --demo

.PHONY: run-replicas
run-replicas: need-cargo static/dist ## three replicas behind nginx, and the playground with a button that kills one; prints a link
	@AMQP_URL="$$(scripts/broker up)" && NGINX="$$(scripts/nginx)" && export AMQP_URL NGINX && \
	exec cargo run --locked -- dev --replicas

.PHONY: build
build: need-cargo static/dist ## the program for production: target/release/agent-gateway
	cargo build --release --locked

.PHONY: test
test: test-front test-rust test-js ## everything: front end, Rust, real clients and a real browser

.PHONY: test-front
test-front: static/dist ## the front end's own tests
	cd static && npm test

.PHONY: test-rust
test-rust: need-cargo static/dist ## the Rust tests, against a real broker; BROKER=4 as root: RabbitMQ 4
	@AMQP_URL="$$(scripts/broker up)" && export AMQP_URL && set -x && cargo test --workspace --locked

.PHONY: test-js
test-js: need-cargo static/dist tests/js/node_modules/.package-lock.json ## Socket.IO clients and a browser against the built program
	cargo test --locked --no-run
	@AMQP_URL="$$(scripts/broker up)" && CHROMIUM="$$(scripts/chromium)" && NGINX="$$(scripts/nginx)" && GATEWAY_BIN='$(GATEWAY_BIN)' && \
	export AMQP_URL CHROMIUM NGINX GATEWAY_BIN && cd tests/js && set -x && npm test

.PHONY: screenshots
screenshots: need-cargo static/dist tests/js/node_modules/.package-lock.json ## the pictures of docs/, from the built program; SCENES='widget widget-dark' for some
	cargo build --locked
	@AMQP_URL="$$(scripts/broker up)" && CHROMIUM="$$(scripts/chromium)" && GATEWAY_BIN='$(GATEWAY_BIN)' && \
	export AMQP_URL CHROMIUM GATEWAY_BIN && cd tests/js && npm run --silent screenshots -- ../../docs $(SCENES)

.PHONY: docs
docs: need-cargo static/dist ## what docs/ has of the program itself: docs/configuration.md
	cargo build --locked
	@scripts/docs '$(GATEWAY_BIN)'

.PHONY: soak
soak: need-cargo static/dist ## minutes of chance and faults; SECONDS=600 SEED=7 MEMBERS=40 WITHOUT=restarts,broker,clients; REPLICAS=3 JOURNAL=stream BROKERS=3
	@AMQP_URL="$$(scripts/broker up)" && export AMQP_URL && \
	export SOAK_SECONDS='$(SECONDS)' SOAK_SEED='$(SEED)' SOAK_MEMBERS='$(MEMBERS)' SOAK_WITHOUT='$(WITHOUT)' && \
	export SOAK_REPLICAS='$(REPLICAS)' SOAK_JOURNAL='$(JOURNAL)' SOAK_BROKERS='$(BROKERS)' && \
	export SOAK_PROXY='$(PROXY)' SOAK_EVENTS='$(EVENTS)' && \
	cargo test --locked --test soak

.PHONY: drill
drill: export NGINX ?= $(shell scripts/nginx)
drill: REPLICAS = 3
drill: JOURNAL = stream
drill: BROKERS = 3
drill: PROXY = nginx
drill: MEMBERS := $(or $(MEMBERS),300)
drill: EVENTS := $(or $(EVENTS),20000)
drill: SECONDS := $(or $(SECONDS),240)
drill: soak ## three replicas behind nginx, a RabbitMQ of three servers, 300 members, 20,000 events; one replica killed every ten seconds

# Its own code optimized, and the rest as the tests have it: so nothing else is built again.
.PHONY: model
model: need-cargo static/dist ## two replicas and their broker, every order of events within bounds; prints how many states that are
	cargo test --locked --lib --config 'profile.test.package.agent-gateway.opt-level=2' -- \
		--include-ignored --nocapture --test-threads 1 model::

.PHONY: siege
siege: need-cargo static/dist ## latencies while the gateway is attacked, in a table
	@AMQP_URL="$$(scripts/broker up)" && export AMQP_URL && cargo test --release --locked --test siege

.PHONY: observability
observability: need-cargo static/dist ## the alerts' tests, and each query of the dashboard in a real Prometheus
	@AMQP_URL="$$(scripts/broker up)" && PROMETHEUS="$$(scripts/prometheus)" && export AMQP_URL PROMETHEUS && \
	cargo test --locked --test observability

.PHONY: openapi
openapi: need-cargo static/dist ## the description of the internal listener, held against the program by schemathesis
	@AMQP_URL="$$(scripts/broker up)" && SCHEMATHESIS="$$(scripts/schemathesis)" && export AMQP_URL SCHEMATHESIS && \
	cargo test --locked --test openapi

# Chosen by SCENARIOS, ROUNDS, OURS, PEER and RESULTS, which make hands on: docs/performance.md.
.PHONY: bench bench-quick
bench: need-cargo static/dist benches/peer/node_modules/.package-lock.json ## CPU, latency and memory beside a Node process; SCENARIOS='rooms-1000 drain' ROUNDS=3 PEER=another/agent-gateway
	cargo build --release --locked --bin agent-gateway
	cargo build --release --locked --package agent-gateway-load
	@AMQP_URL="$$(scripts/broker up)" && OURS="$${OURS:-$(TARGET_DIR)/release/agent-gateway}" && \
	export AMQP_URL OURS && exec '$(TARGET_DIR)/release/agent-gateway-load'

bench-quick: export QUICK := yes
bench-quick: bench ## the same, each scenario shortened: under three minutes

# Sockets, rooms and rate, each from few to many: shortened trials, one of each.
GROWTH := 50x2@1000 150x2@1000 500x2@1000 1500x2@1000 5000x2@1000 7500x2@1000 \
	1x1@1000 10x1@1000 100x1@1000 1000x1@1000 5000x1@1000 15000x1@1000 \
	500x2@100 500x2@300 500x2@3000 500x2@6000 500x2@10000 500x2@15000

.PHONY: bench-growth
bench-growth: export QUICK := yes
bench-growth: export ROUNDS := 1
bench-growth: export SCENARIOS := $(GROWTH)
bench-growth: export RESULTS := $(TARGET_DIR)/growth.jsonl
bench-growth: ## how cost grows with sockets, rooms and rate: the plots of docs/performance.md
	@rm -f '$(TARGET_DIR)/growth.jsonl'
	@$(MAKE) --no-print-directory bench
	node benches/plots/growth.js '$(TARGET_DIR)/growth.jsonl' docs/performance

.PHONY: fuzz
fuzz: need-cargo static/dist ## input that nobody thought of, SECONDS=60 for each target
	cd fuzz && ./run $(or $(SECONDS),60)

.PHONY: lint
lint: need-cargo need-cargo-deny static/dist ## formatting, clippy, dependencies, the front end's types, ESLint and Prettier
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --locked -- -D warnings
	cargo clippy --test soak --test siege --test observability --test openapi --locked -- -D warnings
	cargo deny --offline --locked check bans licenses sources
	cd static && npm run check && npm run lint

.PHONY: advisories
advisories: need-cargo-deny ## known weaknesses of dependencies; fetches the RustSec database from its repository
	cargo deny --locked check advisories

.PHONY: package
package: static/node_modules/.package-lock.json | need-npm ## the npm package of the client module: static/npm/*.tgz
	cd static/npm && npm pack

.PHONY: deb deb-check
deb: build need-cargo-deb ## Debian's package: target/debian/*.deb
	@scripts/deb build

deb-check: deb tests/js/node_modules/.package-lock.json ## the same, installed on a clean Debian 12, started, asked, removed; as root
	@AMQP_URL="$$(scripts/broker up)" && export AMQP_URL && scripts/deb check "$$(scripts/deb build)"

.PHONY: sbom
sbom: need-cargo-cyclonedx ## what the program is made of, in CycloneDX: target/sbom/agent-gateway.cdx.json
	@scripts/sbom '$(TARGET_DIR)/sbom/agent-gateway.cdx.json'

.PHONY: image-check
image-check: ## the image, built and asked whether it is ready; without docker or podman its files, made twice, as root
	@if ! { docker info || podman info; } >/dev/null 2>&1; then $(MAKE) --no-print-directory build; fi
	@scripts/image check

.PHONY: front
front: static/dist ## the front end: static/dist, which the program embeds

.PHONY: broker
broker: ## make a RabbitMQ answer, and print its URL
	@scripts/broker up

.PHONY: broker-down
broker-down: ## end the RabbitMQ that was started here
	@scripts/broker down

.PHONY: clean
clean: ## remove what was built; the broker and its data stay
	rm -rf static/dist static/npm/dist static/node_modules tests/js/node_modules benches/peer/node_modules
	cargo clean

# A folder's time stands for what is in it: it is touched when that is complete, and half a build is removed.
static/dist: $(FRONT_SOURCES) static/node_modules/.package-lock.json | need-npm
	cd static && npm run build || { rm -rf dist; exit 1; }
	@touch $@

# npm writes this file last.
%/node_modules/.package-lock.json: %/package.json %/package-lock.json | need-npm
	cd $* && $(NPM_CI)
	@touch $@

# Cargo's tools, of versions that this was tried with, built where they are missing.
CARGO_DENY := 0.20.2
CARGO_DEB := 3.8.0
CARGO_CYCLONEDX := 0.5.9
tool = command -v $(1) >/dev/null || { \
	echo '$(1) is missing: building version $(2), once; that takes minutes' >&2; \
	cargo install --locked --quiet --version $(2) $(1) >&2; } || { \
	echo '$(1) could not be installed. Without a network: run "cargo install --locked --version $(2) $(1)" on a' >&2; \
	echo 'machine that has one, and copy ~/.cargo/bin/$(1) to this one' >&2; exit 1; }

.PHONY: need-cargo-deny need-cargo-deb need-cargo-cyclonedx
need-cargo-deny: need-cargo
	@$(call tool,cargo-deny,$(CARGO_DENY))
need-cargo-deb: need-cargo
	@$(call tool,cargo-deb,$(CARGO_DEB))
need-cargo-cyclonedx: need-cargo
	@$(call tool,cargo-cyclonedx,$(CARGO_CYCLONEDX))

.PHONY: need-cargo need-npm
need-cargo:
	@command -v cargo >/dev/null || { echo 'cargo is missing: install Rust 1.95 or newer with rustup' >&2; exit 1; }
need-npm:
	@command -v npm >/dev/null && command -v node >/dev/null || { echo 'node or npm is missing: install Node.js 20.19 or newer' >&2; exit 1; }
