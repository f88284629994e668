# Short names for what one does here. `just` alone lists them.

export CARGO_TERM_COLOR := env("CARGO_TERM_COLOR", "auto")

_list:
    @{{ just_executable() }} --list --unsorted

# Start the server with embedded defaults, on http://localhost:8000
dev *flags:
    ./run serve {{ flags }}

# Run the tests: all, or those that the flags choose (`just test -p eyemotion-auth`)
test *flags:
    ./run test {{ flags }}

# Everything that must pass before a change lands
ci:
    .ci/run

# Format the code
fmt:
    cargo fmt --all

# Report what rustfmt and clippy would say in CI
lint:
    cargo fmt --all --check
    cargo clippy --workspace --all-targets --locked -- -D warnings

# Write the OpenAPI document anew
openapi:
    cargo run --locked -q -p eyemotion -- openapi > openapi/eyemotion.json

# Renew everything that tests compare with: the OpenAPI document and the snapshots
bless: openapi
    INSTA_UPDATE=always ./run test

# Migrate the configured database: up, status or down
migrate *verb="status":
    cargo run --locked -p eyemotion -- migrate {{ verb }}

# Say what this machine and its configuration lack
doctor:
    cargo run --locked -p eyemotion -- doctor

# Measure requests a second and p99 beside their floors
bench *flags:
    cargo run --release --locked -p eyemotion-bench -- {{ flags }}
