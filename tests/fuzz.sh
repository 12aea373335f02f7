#!/usr/bin/env bash
# Asks a Grace of its own whatever the OpenAPI document allows and what it forbids: nothing may be a server's error, and
# every answer is one that the document announces. Needs schemathesis (`pip install schemathesis`) in PATH.
#
#   tests/fuzz.sh 120                                                    for two minutes; CI's share
#   ASKERS=2 GRACE_BIN=target/release/grace tests/fuzz.sh 3000           100,000 requests on two cores
#
# Drawing a request takes far longer than answering it: each asker keeps a core busy.
set -euo pipefail
cd "$(dirname "$0")/.."
seconds=${1:-120}
workers=${WORKERS:-24}
askers=${ASKERS:-1}
program=$(realpath "${GRACE_BIN:-target/debug/grace}")
command -v schemathesis >/dev/null || { echo "schemathesis is missing: pip install schemathesis" >&2; exit 2; }
[ -x "$program" ] || cargo build --locked
room=target/fuzz.$$
mkdir -p "$room"
: >"$room/log"
"$program" run --data "$room/data" --listen 127.0.0.1:0 --interval 2s >"$room/log" 2>&1 &
grace=$!
trap 'kill "$grace" "${asking[@]}" 2>/dev/null || true; wait || true; rm -rf "$room"' EXIT
asking=()
for _ in $(seq 100); do
    address=$(sed -n 's/^listens \(http[^ ]*\).*/\1/p' "$room/log")
    [ -n "$address" ] && break
    sleep 0.1
done
token=$("$program" --data "$room/data" token create fuzz --role admin --for 1day 2>/dev/null)
ask() {
    # What it remembers stays in a room of its own.
    mkdir "$room/$1" && cp tests/fuzz/schemathesis.toml tests/fuzz/hooks.py "$room/$1"
    cd "$room/$1" && FUZZ_TOKEN=fuzz SCHEMATHESIS_HOOKS=hooks PYTHONPATH=. exec schemathesis run "$address/openapi.json" \
        --header "Authorization: Bearer $token" --max-time "$seconds" --workers "$workers" --no-color \
        --phases coverage,fuzzing --continue-on-failure --warnings off --suppress-health-check filter_too_much,too_slow \
        --checks not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance,response_headers_conformance,refusals_are_meant
}
for asker in $(seq "$askers"); do
    ask "$asker" >"$room/said.$asker" 2>&1 &
    asking+=($!)
done
failed=0
for asker in $(seq "$askers"); do
    wait "${asking[asker - 1]}" || failed=1
    cat "$room/said.$asker"
done
awk '/^answered/ { all += $2 } END { print "answered in all: " all " requests" }' "$room"/said.*
kill -0 "$grace" || { echo "Grace ended:" >&2; tail "$room/log" >&2; exit 1; }
exit "$failed"
