# SPDX-License-Identifier: MIT
# What the controller tells those who look after it: /health/status and the metrics page.
load lib

setup_file()
{
    start_reeve --label group=web.dev
    metrics=http://127.0.0.1:$(sed -nE 's/.* metrics\.ready .* port=([0-9]+)$/\1/p' "$log")
    export metrics
}

teardown_file()
{
    clean_up
}

# page PATH: of the metrics address; sets body and status_code.
page()
{
    status_code=$(curl -sS -m 10 -o "$BATS_TEST_TMPDIR/page" -w '%{http_code}' "$metrics$1" "${@:2}") || return 1
    body=$(cat "$BATS_TEST_TMPDIR/page")
}

# metric NAME: its value.
metric()
{
    page /metrics || return 1
    awk -v name="$1" '$1 == name {print $2}' <<<"$body"
}

@test "the status has the ledger's own figures" {
    submit_query
    api POST /node/_any/command/exec '{"command": "false", "cwd": "/nonexistent"}'
    api GET /health/status && answers 200
    has .status ok
    has '.jobs | [.total, .completed, .failed, .unprocessed, .dlq]' '[2,1,1,0,0]'
    has '.agents | [.total, .ready, .agents[0].labels]' '[1,1,"group=web.dev"]'
    has '.components | map_values(.status)' '{"controller.core":"ok","controller.agents":"ok"}'
    holds '.ledger.bytes > 0 and .ledger.disk_free > 0'
    raw_api /health/status
    answers 401
}

@test "the metrics are Prometheus text, and agree with the ledger" {
    api GET /job
    total=$(member .status_counts.completed)
    [ "$(metric 'reeve_jobs{status="completed"}')" = "$total" ]
    submit_query
    [ "$(metric 'reeve_jobs{status="completed"}')" = $((total + 1)) ]
    [ "$(metric 'reeve_runs_total{operation="node.hostname.get",outcome="completed"}')" -ge 1 ]
    [ "$(metric 'reeve_runs_total{operation="command.exec.execute",outcome="error"}')" -ge 1 ]
    [ "$(metric 'reeve_http_replies_total{method="GET",route="/node/{hostname}/hostname",code="200"}')" -ge 1 ]
    [ "$(metric reeve_transitions_refused_total)" = 0 ]
    [ "$(metric reeve_ready)" = 1 ]
    [ "$(metric 'reeve_commit_seconds_bucket{le="+Inf"}')" = "$(metric reeve_commit_seconds_count)" ]
    page /metrics
    # Each sample is of a metric whose type was said, and is a number.
    python3 - "$BATS_TEST_TMPDIR/page" <<'PYTHON'
import re, sys
types, n = {}, 0
for line in open(sys.argv[1]):
    if line.startswith("# TYPE "):
        _, _, name, kind = line.split()
        assert name not in types, f"{name} twice"
        types[name] = kind
    elif not line.startswith("#"):
        match = re.fullmatch(r'([a-z_]+)(\{[a-z_]+="[^"]*"(,[a-z_]+="[^"]*")*\})? (\S+)\n', line)
        assert match, line
        name = match[1] if match[1] in types else re.sub("_(bucket|sum|count)$", "", match[1])
        assert name in types, line
        float(match[4])
        n += 1
assert n > 30
PYTHON
}

@test "the metrics address tells health without a token, and nothing else" {
    page /health
    [ "$body" = '{"status":"ok"}' ]
    page /health/ready
    [ "$status_code $body" = '200 {"status":"ready"}' ]
    page /job
    refused 404
    page /metrics -X POST
    refused 405
}

@test "a controller without an agent is degraded, and says so" {
    kill -STOP "$(child agent)"
    wait_for 45 is_degraded
    has '.components["controller.agents"].error' 'no agent is heard'
    wait_for 5 eval '[ "$(metric "reeve_agents{status=\"NotReady\"}")" = 1 ]'
    kill -CONT "$(child agent)"
    wait_for 20 agent_is_ready
}

is_degraded()
{
    api GET /health/status && answers 503 && has .status degraded
}
