#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Counting jobs, paging through the runs of one, and what the command line makes of it, over a ledger with hosts and
# broadcasts that is filled before the pair starts.

load lib
bats_require_minimum_version 1.5.0

setup_file()
{
    make_scratch
    export state=$scratch/state
    mkdir "$state"
    mkdir -m 700 "$state/controller"
    "$REEVE_BUILD/bench/fill" --jobs 70000 --hosts 300 --span 10h --state "$state/controller" >/dev/null
    # As root the controller is another user.
    [ "$(id -u)" != 0 ] || chown -R reeve: "$state/controller"
    start_reeve
    submit_query
}

setup()
{
    export REEVE_STATE=$state
}

teardown_file()
{
    clean_up
}

# total QUERY: how many jobs the list says match.
total()
{
    api GET "/job?limit=1&view=summary&$1" && answers 200 && member .total_items
}

# ---- counts ----

@test "what is counted by a name is what the list finds by it" {
    local stats name
    api GET '/job/stats?by=status,operation,hostname,user,code' && answers 200
    stats=$body
    has .total "$(total '')"
    for by in status operation user code; do
        for name in $(jq -r ".by.$by | keys[:4][]" <<<"$stats"); do
            [ "$(jq ".by.$by[\"$name\"]" <<<"$stats")" = "$(total "$by=$name")" ]
        done
    done
    for name in $(jq -r '.by.hostname | keys[:2][]' <<<"$stats"); do
        [ "$(jq ".by.hostname[\"$name\"]" <<<"$stats")" = "$(total "hostname=$name")" ]
    done
    body=$stats
    holds '[.by.status[]] | add == 70001'
    holds '[.by.operation[]] | add == 70001'
    holds '[.by.user[]] | add == 70001'
    # Broadcasts have several hosts.
    holds '[.by.hostname[]] | add > 70001'
}

@test "a filter, and times, leave out what the list leaves out" {
    for query in 'status=failed' 'operation=node.&since=3h' 'since=5h&until=2h' 'code=error&user=admin' 'status=failed,partial_failure&changed=true' \
        'hostname=no-such-host'; do
        api GET "/job/stats?by=operation&$query" && answers 200
        holds '(.by.operation | add // 0) == .total'
    done
    for query in 'status=failed' 'operation=node.' 'code=error' 'hostname=no-such-host' 'target=_all&status=failed,completed'; do
        api GET "/job/stats?$query" && answers 200
        has .total "$(total "$query")"
    done
}

@test "words of a list may be repeated or joined by commas, and by is status when nothing is said" {
    api GET '/job/stats?by=status,code' && answers 200
    joined=$body
    api GET '/job/stats?by=status&by=code' && answers 200
    [ "$body" = "$joined" ]
    api GET /job/stats && answers 200
    has '.by | keys' '["status"]'
}

@test "a series has no gaps, begins at multiples of its bucket, and its sum is the total" {
    api GET '/job/stats?since=12h&bucket=1h' && answers 200
    holds '.series | length == 13'
    holds '[.series[].start | test(":00:00.000000Z$")] | all'
    holds '[.series[].start[:19] + "Z" | fromdate] | . == [range(.[0]; .[0] + 13 * 3600; 3600)]'
    holds '([.series[].total] | add) == .total and .total == 70001'
    holds '.series | all(.total == .submitted + .processing + .completed + .failed + .partial_failure + .skipped)'
    for status in completed failed; do
        holds "([.series[].$status] | add) == .by.status.$status"
    done
    has .bucket 1h
    api GET '/job/stats?since=12h&bucket=45s' && answers 200
    holds '([.series[].total] | add) == 70001 and (.series | length) <= 1000'
}

@test "wrong questions are refused by name" {
    api GET '/job/stats?by=nothing'
    refused 400 by
    api GET '/job/stats?bucket=1h'
    refused 400 bucket
    api GET '/job/stats?since=24h&bucket=999ms'
    refused 400 bucket
    api GET '/job/stats?since=24h&bucket=1s'
    refused 400 bucket
    holds '.error | contains("at least 87s")'
    api GET '/job/stats?since=24h&bucket=87s' && answers 200
    api GET '/job/stats?since=2100-01-01T00:00:00Z&bucket=1h'
    refused 400 since
    api GET '/job/stats?since=1h&until=2h'
    refused 400 since
    api GET '/job/stats?status=nothing'
    refused 400 status
}

@test "who may not read jobs may not count them or see their runs" {
    local admin=$token
    submit_query
    token=$("$reeve" token generate --subject nobody --role admin --permission node:read)
    for path in /job/stats "/job/$job/run"; do
        api GET "$path"
        refused 403
    done
    token=$admin
}

# ---- runs ----

# a_broadcast: sets job to one with 100 runs.
a_broadcast()
{
    api GET '/job?target=_all&limit=1&view=summary' && answers 200 && job=$(member '.items[0].id')
    [ -n "$job" ]
}

@test "the runs of a job are paged in order, each once" {
    local cursor='' all='' pages=0
    a_broadcast
    holds '.items[0].runs.total as $n | $n > 50'
    while :; do
        api GET "/job/$job/run?limit=23${cursor:+&cursor=$cursor}" && answers 200
        holds '(.items | length) <= 23 and .total_items == ([.state_counts[]] | add)'
        all+=$(member '.items[] | "\(.run) \(.hostname)"')$'\n'
        cursor=$(member '.next // empty')
        pages=$((pages + 1))
        [ -n "$cursor" ] || break
    done
    [ "$(cut -d' ' -f1 <<<"$all" | grep -c .)" = "$(member .total_items)" ]
    [ "$(cut -d' ' -f1 <<<"$all" | grep . | paste -sd' ')" = "$(seq 0 $(($(member .total_items) - 1)) | paste -sd' ')" ]
    [ "$(cut -d' ' -f2 <<<"$all" | grep . | sort | uniq -d)" = '' ]
    [ "$pages" -gt 2 ]
}

@test "runs are chosen by state" {
    a_broadcast
    for state_wanted in waiting completed failed skipped; do
        api GET "/job/$job/run?limit=1000&status=$state_wanted" && answers 200
        holds ".items | all(.status == \"$state_wanted\")"
        holds ".total_items == .state_counts.$state_wanted and .total_items == (.items | length)"
    done
}

@test "a cursor of other runs, a mangled one and an unknown job are refused" {
    local cursor
    a_broadcast
    api GET "/job/$job/run?limit=5" && answers 200
    cursor=$(member .next)
    api GET "/job/$job/run?status=failed&cursor=$cursor"
    refused 400 cursor
    api GET "/job/$job/run?cursor=${cursor}A"
    refused 400 cursor
    api GET "/job/$job/run?cursor=%21"
    refused 400 cursor
    for limit in 0 1001 x; do
        api GET "/job/$job/run?limit=$limit"
        refused 400 limit
    done
    submit_query
    api GET "/job/$job/run?cursor=$cursor"
    refused 400 cursor
    api GET "/job?cursor=$cursor"
    refused 400 cursor
    api GET /job/0193c0de-0000-7000-8000-000000000000/run
    refused 404
    has .field id
    api GET /job/none/run
    refused 400 id
}

# ---- the command line ----

@test "job list takes states joined by commas, and says how many match and how to go on" {
    exits 0 "$reeve" job list --since 24h --status failed,partial_failure --limit 2
    [[ $output = *"total items: $(total 'since=24h&status=failed,partial_failure')"* ]]
    [[ $output = *"next: --cursor "* ]]
    next=$(sed -n 's/^next: //p' <<<"$output")
    exits 0 "$reeve" job list --since 24h --status failed,partial_failure --limit 2 $next
    [[ $output = *"prev: --cursor "* ]]
    exits 2 "$reeve" job list --status failed,nothing
    [[ $stderr = *"--status: 'nothing'"* ]]
}

@test "job stats draws bars and a sparkline, in ASCII where the locale has no UTF-8" {
    exits 0 "$reeve" job stats --by status,user --since 12h --bucket 1h
    [[ $output = *"status:"*"completed"*"█"*"user:"*"series:"*"total"*[▁▂▃▄▅▆▇█]*"at most"* ]]
    ! awk -v most=100 'length($0) > most { wide = 1 } END { exit !wide }' <<<"$output"
    LC_ALL=C exits 0 "$reeve" job stats --by status --since 12h --bucket 1h
    ! LC_ALL=C grep -qP '[^\x00-\x7f]' <<<"$output"
    [[ $output = *"completed"*"####"* ]]
    exits 0 "$reeve" job stats --by status --json
    body=$output
    holds '.by.status.completed > 0'
}

@test "job runs is a table of hosts" {
    a_broadcast
    exits 0 "$reeve" job runs "$job" --limit 3
    [[ $output = *HOSTNAME*STATUS*"total items: "*"next: --cursor "* ]]
}

@test "job export writes every matching job as a line, as it comes" {
    "$reeve" job export --status failed,partial_failure >"$BATS_TEST_TMPDIR/lines"
    [ "$(wc -l <"$BATS_TEST_TMPDIR/lines")" = "$(total 'status=failed,partial_failure')" ]
    [ "$(jq -r .status "$BATS_TEST_TMPDIR/lines" | sort -u | paste -sd' ')" = 'failed partial_failure' ]
    exits 0 "$reeve" job export --user no-such-user
    [ -z "$output" ]
    exits 3 env REEVE_TOKEN=x.y.z "$reeve" job export
    exits 4 "$reeve" --url http://127.0.0.1:1 --token x job export
}

# relay PORT BYTES: passes on one request, and so many bytes of the reply.
relay()
{
    python3 - "$1" "$port" "$2" <<'PY'
import socket, sys
own, to, left = int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
listener = socket.create_server(("127.0.0.1", own))
client, _ = listener.accept()
server = socket.create_connection(("127.0.0.1", to))
server.sendall(client.recv(65536))
while left > 0:
    piece = server.recv(min(left, 65536))
    if not piece:
        break
    client.sendall(piece)
    left -= len(piece)
PY
}

@test "an export that is cut says where to go on, and nothing of a half line is printed" {
    local own n
    own=$(free_port)
    relay "$own" 100000 3>&- &
    wait_for 5 grep -q ":$(printf %04X "$own") .* 0A " /proc/net/tcp
    exits 4 env REEVE_TOKEN="$token" "$reeve" --url "http://127.0.0.1:$own" job export --status failed
    [[ $stderr = *"cut off"*"go on with --cursor "* ]]
    jq -c .id <<<"$output" >"$BATS_TEST_TMPDIR/ids" # every line is whole
    n=$(wc -l <"$BATS_TEST_TMPDIR/ids")
    [ "$n" -gt 10 ]
    "$reeve" job export --status failed --cursor "${stderr##*--cursor }" | jq -c .id >>"$BATS_TEST_TMPDIR/ids"
    [ "$(wc -l <"$BATS_TEST_TMPDIR/ids")" = "$(total status=failed)" ]
    [ -z "$(sort "$BATS_TEST_TMPDIR/ids" | uniq -d)" ]
}
