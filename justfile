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

# Generate the TypeScript SDK anew from the document, and build it
sdk: openapi
    cd openapi/typescript && npm ci --ignore-scripts && npm run generate && npm run build

# Renew everything that tests compare with: the OpenAPI document, and the SDK where there is Node
bless: openapi
    if command -v npm >/dev/null; then {{ just_executable() }} sdk; else echo "no npm: the SDK stays as it is"; fi

# Migrate the configured database: up, status or down
migrate *verb="status":
    cargo run --locked -p eyemotion -- migrate {{ verb }}

# Measure requests a second and p99 beside their floors
bench *flags:
    cargo build --release --locked -p eyemotion
    cargo run --release --locked -p eyemotion-bench -- {{ flags }}

# Show that the time of an answer does not tell which addresses have an account
bench-timing pairs="500":
    cargo build --release --locked -p eyemotion
    cargo run --release --locked -p eyemotion-bench -- --timing {{ pairs }}

# Show how soon flags are obeyed elsewhere, and how fast a prefix is among a million keys
bench-kv changes="1000":
    cargo run --release --locked -p eyemotion-bench -- --kv {{ changes }}

# How soon Stripe's webhooks are answered, at two hundred a second
bench-webhooks seconds="10":
    cargo build --release --locked -p eyemotion
    cargo run --release --locked -p eyemotion-bench -- --webhooks {{ seconds }}

# Print what the server holds in memory when nobody asks for anything
bench-idle:
    cargo build --release --locked -p eyemotion
    cargo run --release --locked -p eyemotion-bench -- --idle

# Show that everybody else is served while very many people sign in
bench-pressure people="500":
    cargo build --release --locked -p eyemotion
    cargo run --release --locked -p eyemotion-bench -- --pressure {{ people }}
