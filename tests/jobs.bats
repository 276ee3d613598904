#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Finding jobs: filters, cursors, views, entity tags and the export, over one list of jobs that setup makes.

load lib

setup_file()
{
    export big admin
    start_reeve --label group=web.dev
    admin=$token
    # Oldest first: 2 queries, one that is cancelled, a change by another user, a query for a label, and as many changes as
    # fill several pieces of an export.
    submit_query
    submit_query
    unique_sleep
    submit_shell "$nap"
    api POST "/job/$job/cancel" && answers 200
    wait_for 10 job_is_final "$job"
    token=$("$reeve" token generate --state "$state" --subject ann --role admin)
    submit_shell 'echo done'
    wait_for 10 job_is_final "$job"
    token=$admin
    api GET /node/group:web/hostname && answers 200
    big=20
    for _ in $(seq $big); do
        api POST /node/_any/command/shell '{"command": "head -c 8000 /dev/zero | tr \"\\0\" x"}' && answers 202
    done
}

setup()
{
    token=$admin
}

teardown_file()
{
    clean_up
}

# ids QUERY: of the page, newest first.
ids()
{
    api GET "/job?limit=100&$1" && answers 200 && member '[.items[].id]'
}

# walk next|prev QUERY [CURSOR]: the ids of a page and of all that follow in that direction, one a line.
walk()
{
    local cursor=${3:-}
    while :; do
        api GET "/job?$2${cursor:+&cursor=$cursor}" && answers 200 || return 1
        member '.items[].id'
        cursor=$(member ".$1 // empty")
        [ -n "$cursor" ] || break
    done
}

# export_jobs QUERY [CURL-OPTION…]: the lines, to standard output.
export_jobs()
{
    curl -sS -m 60 -H "Authorization: Bearer $token" "${@:2}" "$url/job/export?$1"
}

# ---- filters ----

@test "each filter finds the jobs that are so, and total_items counts them" {
    local all=$((big + 5))
    while read -r query n; do
        api GET "/job?limit=100&$query"
        answers 200
        has .total_items "$n" || { echo "of $query"; false; }
        has '.items | length' "$n"
    done <<END
view=full $all
status=failed 1
status=failed&status=completed $all
status=failed,completed $all
operation=node.hostname.get 3
operation=node. 3
operation=command. $((big + 2))
operation=node.hostname 0
operation=nothing.like.it 0
user=ann 1
user=nobody 0
hostname=$(hostname) $all
hostname=$(machine_id) $all
hostname=no-such-host 0
target=_any $((all - 1))
target=group:web 1
target=_all 0
changed=true $((big + 1))
changed=false 3
code=cancelled 1
code=error 0
code=none $((all - 1))
code=none&code=cancelled $all
code=none,cancelled $all
since=1h $all
until=1h 0
since=2h&until=1h 0
since=2020-01-01T00:00:00Z $all
until=2020-01-01T00:00:00Z 0
bulk=019ab3c1-0000-7000-8000-000000000001 0
operation=command.&status=failed&user=ann 0
operation=command.&changed=true&since=1h $((big + 1))
END
}

@test "since and until cut between two jobs" {
    api GET '/job?limit=100'
    middle=$(member '.items[10].created')
    [ "$(ids "since=$middle")" = "$(member '[.items[:11][].id]')" ]
    api GET '/job?limit=100'
    [ "$(ids "until=$middle")" = "$(member '[.items[11:][].id]')" ]
}

@test "status_counts are of all jobs, matching_counts of those that match but for status" {
    api GET '/job?status=failed'
    has '.status_counts | add' $((big + 5))
    has .matching_counts null
    api GET '/job?status=failed&operation=node.'
    has .total_items 0
    has '.status_counts | add' $((big + 5))
    has .matching_counts '{"submitted":0,"processing":0,"completed":3,"failed":0,"partial_failure":0,"skipped":0}'
}

@test "a wrong value of each parameter is refused by name" {
    while read -r field value; do
        api GET "/job?$field=$value"
        refused 400 "$field" || { echo "$field=$value"; false; }
    done <<'END'
status done
status failed,
operation node..disk
operation .
hostname
target a%20b
user
since yesterday
since 2026-13-01T00:00:00Z
until 5
changed maybe
code exploded
bulk 17
view short
cursor
END
    api GET "/job?user=$(printf 'u%.0s' {1..256})"
    refused 400 user
}

@test "since that is not before until is refused with both" {
    for query in 'since=1h&until=2h' 'since=1h&until=1h' 'since=2026-01-02T00:00:00Z&until=2026-01-01T00:00:00Z'; do
        api GET "/job?$query"
        refused 400 since
        [[ $(member .error) == *"$(sed -E 's/since=([^&]*).*/\1/' <<<"$query")"*"${query##*=}"* ]]
    done
}

# ---- summary ----

@test "a summary has the counts of runs instead of what they came to" {
    api GET '/job?limit=100'
    local full=$(member '[.items[] | del(.result, .responses, .agent_states, .timeline)]')
    api GET '/job?limit=100&view=summary'
    answers 200
    has '[.items[] | del(.runs)]' "$full"
    has '[.items[].runs] | unique' '[{"total":1,"completed":0,"failed":1,"skipped":0,"active":0},{"total":1,"completed":1,"failed":0,"skipped":0,"active":0}]'
    holds '.items[] | select(.status == "failed") | .error | length > 0'
}

# ---- cursors ----

@test "next walks from the newest job to the oldest, prev back, each job once" {
    local all=$(ids '' | jq -r '.[]')
    for limit in 3 100; do
        [ "$(walk next "limit=$limit")" = "$all" ]
    done
    api GET "/job?limit=3&offset=$((big + 2))"
    has .next null
    local oldest=$(member '.items[].id')
    [ "$(sort <<<"$(walk prev limit=8 "$(member .prev)")"$'\n'"$oldest")" = "$(sort <<<"$all")" ]
}

@test "a page and the one before it are each other's neighbours" {
    api GET '/job?limit=5'
    local first=$body
    has .prev null
    api GET "/job?limit=5&cursor=$(member .next)"
    refute [ "$(member '.items[0].id')" = "$(jq -r '.items[0].id' <<<"$first")" ]
    api GET "/job?limit=5&cursor=$(member .prev)"
    has '[.items[].id]' "$(jq -c '[.items[].id]' <<<"$first")"
    has .prev null
}

@test "a cursor goes on where it stood, whatever came and went meanwhile" {
    api GET '/job?limit=2&operation=command.'
    local cursor=$(member .next) rest
    rest=$(ids "operation=command.&cursor=$cursor")
    submit_shell 'echo new'
    wait_for 10 job_is_final "$job"
    [ "$(ids "operation=command.&cursor=$cursor")" = "$rest" ]
    api DELETE "/job/$job"
    answers 204
    [ "$(ids "operation=command.&cursor=$cursor")" = "$rest" ]
}

@test "a cursor of another filter is told from a mangled one, and none of them is taken" {
    api GET '/job?limit=2&operation=command.'
    local cursor=$(member .next)
    for query in '' 'operation=node.' 'operation=command.&status=completed' 'operation=command.&since=1h'; do
        api GET "/job?$query&cursor=$cursor"
        refused 400 cursor
        [[ $(member .error) == *'another filter'* ]]
    done
    for bad in "${cursor:1}" "${cursor}A" "${cursor::-1}" "A$cursor" "${cursor::20}x${cursor:21}" next AAAA; do
        [ "$bad" != "$cursor" ] || continue
        api GET "/job?operation=command.&cursor=$bad"
        refused 400 cursor
        [[ $(member .error) == *'none that was given here'* ]]
        api GET "/job/export?operation=command.&cursor=$bad"
        refused 400 cursor
    done
    api GET "/job?operation=command.&cursor=$(printf 'A%.0s' {1..129})"
    refused 400 cursor
}

@test "offset and cursor exclude each other" {
    api GET '/job?limit=2'
    api GET "/job?offset=0&cursor=$(member .next)"
    refused 400 offset
}

@test "a cursor is good beyond a restart" {
    api GET '/job?limit=2'
    local cursor=$(member .next) before
    before=$(ids "cursor=$cursor")
    kill_child controller
    [ "$(ids "cursor=$cursor")" = "$before" ]
}

# ---- entity tags ----

# tag PATH: of its reply; sets tag.
tag()
{
    api GET "$1" && answers 200 && tag=$(header ETag)
}

# steadily COMMAND…: once more when it fails: every ten seconds at most the controller writes its index, and that is a commit
# like any other.
steadily()
{
    "$@" || "$@"
}

# unchanged PATH: its tag stays the same, and whoever has it gets 304. Leaves the tag in tag.
unchanged()
{
    local was list
    tag "$1" && was=$tag && tag "$1" && [[ $tag == \"*\" && $tag == "$was" ]] || return 1
    [ "$(header Vary)" = Authorization ] || return 1
    for list in "$was" "W/$was" "\"other\", $was" '*'; do
        api GET "$1" '' -H "If-None-Match: $list" && answers 304 && [ -z "$body" ] && [ "$(header ETag)" = "$was" ] &&
            [ "$(header Vary)" = Authorization ] || return 1
    done
}

@test "what has not changed is answered 304 and nothing more, until it has" {
    for path in '/job?limit=3' "/job/$(ids '' | jq -r '.[0]')"; do
        steadily unchanged "$path"
        for list in '"other"' "${tag#\"}" ''; do
            api GET "$path" '' -H "If-None-Match: $list"
            answers 200
        done
    done
    steadily unchanged '/job?limit=3'
    local was=$tag
    submit_query
    api GET '/job?limit=3' '' -H "If-None-Match: $was"
    answers 200
    has '.items[0].id' "$job"
    refute [ "$(header ETag)" = "$was" ]
}

@test "what is asked for again and again is always what there is now" {
    for _ in 1 2 3; do
        submit_query
        for _ in 1 2 3 4; do
            api GET '/job?limit=1'
            has '.items[0].id' "$job"
        done
    done
}

@test "a tag is of one query, one view and one start of the controller" {
    tag '/job?limit=3'
    local was=$tag
    for path in /job '/job?limit=4' '/job?limit=3&view=summary' '/job?limit=3&status=failed'; do
        api GET "$path" '' -H "If-None-Match: $was"
        answers 200
        refute [ "$(header ETag)" = "$was" ]
    done
    kill_child controller
    api GET '/job?limit=3' '' -H "If-None-Match: $was"
    answers 200
}

@test "who may not read gets no 304, and what is refused stays so" {
    tag /job
    raw_api /job -H "If-None-Match: $tag"
    refused 401
    api GET /job/019ab3c1-0000-7000-8000-000000000001 '' -H 'If-None-Match: *'
    refused 404
    api GET '/job?limit=0' '' -H 'If-None-Match: *'
    refused 400 limit
}

@test "what depends on the time, or on more than the ledger, has no tag" {
    for path in '/job?since=1h' '/job?until=1s' /agent /health/status; do
        tag "$path"
        [ -z "$tag" ]
        api GET "$path" '' -H 'If-None-Match: *'
        answers 200
    done
    tag '/job?since=2020-01-01T00:00:00Z'
    [ -n "$tag" ]
}

# ---- HEAD ----

# head_is_get PATH: status and headers are the same. The same id, since it stands in the body of a refusal.
head_is_get()
{
    local code length etag
    api GET "$1" '' -H 'X-Request-ID: x' || return 1
    code=$status_code length=$(header Content-Length) etag=$(header ETag)
    api HEAD "$1" '' -I -H 'X-Request-ID: x' && answers "$code" && [ "$(header Content-Length)" = "$length" ] &&
        [ "$(header ETag)" = "$etag" ]
}

@test "HEAD answers as GET does, without the body" {
    for path in '/job?limit=3' "/job/$(ids '' | jq -r '.[0]')" /health /job/no-such-job '/job?limit=0'; do
        steadily head_is_get "$path"
    done
    api HEAD '/job/export' '' -I
    answers 200
    [ "$(header Content-Type)" = application/x-ndjson ]
}

# ---- export ----

@test "an export has every matching job as the item it is, newest first, behind its cursor" {
    api GET '/job?limit=100'
    local items=$(member '.items[]')
    export_jobs '' -D "$BATS_TEST_TMPDIR/headers" >"$BATS_TEST_TMPDIR/lines"
    grep -qi '^content-type: application/x-ndjson' "$BATS_TEST_TMPDIR/headers"
    [ "$(stat -c %s "$BATS_TEST_TMPDIR/lines")" -gt 131072 ]
    [ "$(jq -c 'del(.cursor)' "$BATS_TEST_TMPDIR/lines")" = "$items" ]
    refute grep -qv '^{"cursor":"[A-Za-z0-9_-]*","id":"' "$BATS_TEST_TMPDIR/lines"
    [ "$(export_jobs 'operation=node.' | jq -r .id)" = "$(ids 'operation=node.' | jq -r '.[]')" ]
    [ -z "$(export_jobs 'user=nobody')" ]
}

@test "an export that was cut goes on behind its last whole line" {
    local whole=$(export_jobs '') part last
    for bytes in 1000 20000 70000 150000; do
        part=$(head -c $bytes <<<"$whole" | sed '$d')
        last=$(tail -n 1 <<<"$part" | jq -r '.cursor // empty')
        [ "$(printf '%s' "$part"; [ -z "$part" ] || echo; export_jobs "${last:+cursor=$last}")" = "$whole" ]
    done
}

@test "a line's cursor is the list's too" {
    local cursor=$(export_jobs 'operation=command.' | sed -n 3p | jq -r .cursor)
    local rest=$(ids 'operation=command.' | jq -c '.[3:]')
    [ "$(ids "operation=command.&cursor=$cursor")" = "$rest" ]
}

@test "to HTTP/1.0 an export is what comes until the connection ends" {
    [ "$(export_jobs '' --http1.0)" = "$(export_jobs '')" ]
}

@test "the filter of an export is checked before its first line" {
    api GET '/job/export?status=done'
    refused 400 status
    api GET '/job/export?since=1h&until=2h'
    refused 400 since
    api GET '/job/export?limit=5'
    refused 400 limit
    raw_api /job/export
    refused 401
}
