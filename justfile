# What there is to do here, a line each. `just` lists them.

_list:
    @just --list --unsorted

# Serve on the embedded database, with a demo concert
run *ARGS:
    cargo run --release -- {{ARGS}}

# Run every test there is, installing what is missing
test:
    tests/run

# Run every test while busy loops keep all cores busy: none may hang on how fast the machine is
test-under-load *ARGS:
    tests/under-load {{ARGS}}

# Everything that decides whether a change lands
ci:
    .ci/run

# Format all code
fmt:
    cargo fmt --all

# Lint all code
lint:
    cargo clippy --workspace --all-targets -- -D warnings

# Ask whether a crate that Usher is built from has a known weakness
advisories:
    .ci/deny advisories

# List anew whose code the programs carry, after a change of Cargo.lock
notices:
    .ci/notices --write

# Send hostile requests to every route of the OpenAPI document
fuzz-api:
    tests/fuzz-api

# Read the OpenAPI document of a real server with two linters: no error, no warning
lint-api:
    tests/lint-api

# Play 100,000 people for 10,000 seats on a throw-away PostgreSQL, two servers and a scheduler, and audit what is left
rehearse *ARGS:
    tests/rehearse {{ARGS}}

# The same while servers, scheduler and database are killed at random moments
rehearse-crash *ARGS:
    tests/rehearse --kill 1 {{ARGS}}

# Measure the whole table of figures to reach; with --write it goes into docs/performance.md
bench *ARGS:
    bench/table {{ARGS}}

# Measure the SQLite build over HTTP against /healthz of the same process
bench-sqlite:
    bench/sqlite-http

# Measure the PostgreSQL storage against pgbench on the same throw-away cluster
bench-storage:
    bench/storage

# Measure this checkout beside another one, of the commit before a change say: both in one run
bench-paired BEFORE:
    bench/paired {{BEFORE}}

# Count the instructions of each request beside those of another checkout, which a busy machine does not change
bench-instructions BEFORE:
    bench/instructions {{BEFORE}}

# Measure the waiting line with a million in it against /healthz, a bare actix route and pgbench
bench-line:
    bench/line

# Measure how late 300 people learn of their turn when a line that was held opens
bench-opening:
    bench/opening

# Measure how long the audit takes and how much memory, with a million rows and with ten
bench-audit:
    bench/audit
