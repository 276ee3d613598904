#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Bulk actions: what a filter means is retried, cancelled or deleted, by whoever may do that.

load lib

setup_file()
{
    start_reeve --label group=web.dev
}

# Each test has an empty ledger.
setup()
{
    admin=$token
    bulk delete '{"until":"0s"}'
    answers 200
    total_is 0
}

teardown()
{
    let_agent
}

teardown_file()
{
    stop_reeve && "$reeve" ledger check --state "$state/controller" || return 1
    clean_up
}

# bulk ACTION FILTER [MEMBERS]: e.g. bulk cancel '{"user":"ann"}' '{"dry_run":true}'.
bulk()
{
    api POST "/job/$1" "$(jq -nc --argjson f "$2" --argjson m "${3:-{\}}" '{filter: $f} + $m')"
}

# as FLAG…: from here on with a token of its own.
as()
{
    token=$("$reeve" token generate --state "$state" "$@")
}

total_is()
{
    api GET "/job?${2:-}" && answers 200 && has .total_items "$1"
}

all_ended()
{
    api GET '/job?status=submitted,processing' && has .total_items 0
}

queries()
{
    for _ in $(seq "$1"); do
        submit_query
    done
}

# fail_one [QUERY]: a job that fails at once.
fail_one()
{
    api POST "/node/_any/command/exec${1:-}" '{"command":"/nonexistent"}' && answers 500
}

# hold_agent, let_agent: meanwhile jobs wait.
hold_agent()
{
    kill -STOP "$(child agent)"
}

let_agent()
{
    kill -CONT "$(child agent)"
}

# waiting N: jobs that wait for an hour.
waiting()
{
    for _ in $(seq "$1"); do
        submit_shell 'true' '?expires=1h'
    done
}

# ---- retry ----

@test "retry submits again what matches: in order, by the caller, found under the action's id" {
    queries 3
    fail_one
    as --subject ann --role admin
    bulk retry '{"operation":"node.","status":["completed"]}'
    answers 200
    holds '.matched == 3 and .taken == 3 and (has("next") | not)'
    bulk=$(member .bulk_id)
    has .watch "/job?bulk=$bulk"
    api GET "$(member .watch)"
    holds '.total_items == 3 and (.items | all(.user == "ann" and .operation.type == "node.hostname.get"))'
    holds '[.items[].id] | . == (sort | reverse)'
    wait_for 5 total_is 3 "bulk=$bulk&status=completed"
    api GET "/job/$job"
    holds '[.timeline[].event] | .[-1] == "retried"'
    total_is 7
    grep -qE "bulk\.done action=retry matched=3 taken=3 user=ann bulk=$bulk" "$log"
}

@test "a modify is retried with its input, and an old job's time to begin is kept" {
    api POST '/node/group:web/command/exec?expires=1h' '{"command":"echo","args":["\u00e4 1"]}'
    answers 202
    hold_agent
    bulk retry '{"operation":"command.exec.execute"}'
    holds '.taken == 1'
    watch=$(member .watch)
    sleep 2
    let_agent
    wait_for 10 total_is 1 "${watch#*\?}&status=completed"
    api GET "$watch"
    holds '.items[0] | .target == "group:web" and .operation.data.args == ["ä 1"] and .responses[].data.stdout == "ä 1\n"'
    hold_agent
    bulk retry '{"operation":"command.exec.execute"}' '{"expires":"1s"}'
    holds '.taken == 2'
    watch=$(member .watch)
    wait_for 10 total_is 2 "${watch#*\?}&code=expired"
    let_agent
}

@test "what can't be retried is left alone: sensitive jobs, and those whose host is gone" {
    api POST '/node/_any/command/exec?sensitive=true' '{"command":"true"}'
    answers 202
    submit_query
    bulk retry '{"until":"0s"}' '{"dry_run":true}'
    holds '.matched == 2 and .taken == 1'
    total_is 2
    bulk retry '{"until":"0s"}'
    holds '.matched == 2 and .taken == 1'
    total_is 3
}

# ---- cancel, delete ----

@test "cancel ends what is open and leaves the rest; whoever waits is answered" {
    submit_query
    hold_agent
    waiting 4
    api GET '/job?status=submitted'
    has .total_items 4
    curl -sS -m 60 -o "$scratch/answer" -w '%{http_code}' -H "Authorization: Bearer $token" -X POST \
        -H 'Content-Type: application/json' -d '{"command":"true"}' "$url/node/_any/command/exec?wait=50s" >"$scratch/code" &
    waiter=$!
    wait_for 5 total_is 5 status=submitted
    bulk cancel '{"until":"0s"}'
    holds '.matched == 6 and .taken == 5'
    watch=$(member .watch)
    api GET "$watch"
    holds '.total_items == 5 and (.items | all([.timeline[].event] | any(. == "cancelled")))'
    bulk cancel '{"until":"0s"}'
    holds '.matched == 6 and .taken == 0 and (has("bulk_id") | not)'
    let_agent
    wait "$waiter"
    [ "$(<"$scratch/code")" = 500 ]
    wait_for 10 total_is 5 "${watch#*\?}&code=cancelled"
}

@test "delete removes what matches, open jobs too; whoever waits is told" {
    queries 3
    hold_agent
    waiting 2
    kept=$job
    curl -sS -m 60 -o "$scratch/answer" -w '%{http_code}' -H "Authorization: Bearer $token" -X POST \
        -H 'Content-Type: application/json' -d '{"command":"true"}' "$url/node/_any/command/exec?wait=50s" >"$scratch/code" &
    waiter=$!
    wait_for 5 total_is 1 operation=command.exec.execute
    bulk delete '{"operation":"command.exec.execute"}'
    holds '.matched == 1 and .taken == 1 and (has("bulk_id") | not)'
    wait "$waiter"
    [ "$(<"$scratch/code")" = 409 ]
    grep -q 'was deleted while it was waited for' "$scratch/answer"
    bulk delete '{"status":["completed"]}'
    holds '.matched == 3 and .taken == 3'
    total_is 2
    has '.items[0].id' "$kept"
    let_agent
    wait_for 10 total_is 2 status=completed
}

# ---- which jobs ----

@test "a dry run counts and changes nothing" {
    queries 3
    for action in retry cancel delete; do
        bulk "$action" '{"operation":"node."}' '{"dry_run":true}'
        answers 200
        holds '.matched == 3 and (has("bulk_id") | not) and (has("watch") | not)'
    done
    has .taken 3
    bulk cancel '{"operation":"node."}' '{"dry_run":true}'
    has .taken 0
    total_is 3
    api GET "/job/$job"
    has '[.timeline[].event] | .[-1]' completed
}

@test "filters by host, user, time and outcome mean what the list means" {
    queries 2
    fail_one
    as --subject ann --role admin
    queries 3
    token=$admin
    for filter in '{"hostname":"'"$(hostname)"'"} 6' '{"hostname":"elsewhere"} 0' '{"user":"ann"} 3' '{"since":"1h"} 6' \
        '{"until":"1h"} 0' '{"code":["error"]} 1' '{"status":["failed","partial_failure"]} 1' '{"changed":false} 5' \
        '{"target":"_any","user":"ann"} 3' '{"operation":"command."} 1'; do
        bulk delete "${filter% *}" '{"dry_run":true}'
        answers 200
        holds ".matched == ${filter##* } and .taken == ${filter##* }"
    done
}

@test "beyond the limit a cursor leads on to the older ones, each once" {
    queries 7
    bulk retry '{"user":"ann","until":"0s"}'
    holds '.matched == 0 and .taken == 0'
    until=$(date -u +%Y-%m-%dT%H:%M:%S.%NZ)
    filter=$(jq -nc --arg u "$until" '{until: $u}')
    members='{"limit":3}'
    for taken in 3 3 1; do
        bulk retry "$filter" "$members"
        answers 200
        holds ".matched == 7 and .taken == $taken"
        next=$(member .next)
        members=$(jq -nc --arg n "$next" '{limit: 3, cursor: $n}')
    done
    [ "$next" = null ]
    wait_for 10 all_ended
    total_is 14
    api GET '/job?limit=100'
    holds '[.items[].timeline | map(select(.event == "retried")) | length] | sort == [0,0,0,0,0,0,0,1,1,1,1,1,1,1]'
}

@test "a request without a condition, or with a wrong one, is refused and nothing is changed" {
    submit_query
    for action in retry cancel delete; do
        api POST "/job/$action"
        refused 400 body
        for content in '{}' '{"filter":null}' '{"filter":{}}' '{"filter":{"status":null}}'; do
            api POST "/job/$action" "$content"
            refused 400 filter
        done
        api GET "/job/$action"
        refused 400 id
    done
    bulk delete '{"status":[]}'
    refused 400 filter.status
    bulk delete '{"state":["failed"]}'
    refused 400 filter.state
    bulk delete '{"since":"1h","until":"2h"}'
    refused 400 filter.since
    for limit in 0 10001; do
        bulk delete '{"until":"0s"}' "{\"limit\":$limit}"
        refused 400 limit
    done
    bulk cancel '{"until":"0s"}' '{"expires":"1h"}'
    refused 400 expires
    submit_query
    bulk delete '{"until":"0s"}' '{"limit":1,"dry_run":true}'
    next=$(member .next)
    bulk delete '{"until":"1ms"}' "{\"cursor\":\"$next\"}"
    refused 400 cursor
    other=x
    [ "${next:40:1}" != x ] || other=y
    bulk delete '{"until":"0s"}' "{\"cursor\":\"${next:0:40}$other${next:41}\"}"
    refused 400 cursor
    api GET '/job?until=0s&limit=1&offset=1'
    bulk delete '{"until":"0s"}' "{\"cursor\":\"$(member .prev)\"}"
    refused 400 cursor
    total_is 2
}

@test "more actions at once than can wait are told so, the others are done" {
    hold_agent
    waiting 1
    for _ in $(seq 12); do
        bulk retry '{"until":"0s"}'
        answers 200
    done
    asked=()
    for _ in $(seq 60); do
        asked+=(-o /dev/null "$url/job/retry")
    done
    curl -sS -m 60 -Z --parallel-immediate --parallel-max 60 -H "Authorization: Bearer $token" -H 'Content-Type: application/json' \
        -d '{"filter":{"until":"0s"},"dry_run":true}' -w '%{http_code}\n' "${asked[@]}" | sort | uniq -c >"$scratch/answers"
    [ "$(awk '{ print $2 }' "$scratch/answers" | tr '\n' ' ')" = '200 429 ' ] || { cat "$scratch/answers" && false; }
    [ "$(awk '$2 == 200 { print $1 }' "$scratch/answers")" -ge 16 ]
    total_is 4096
    bulk delete '{"until":"0s"}'
    has .taken 4096
}

# ---- who may ----

@test "each job's own permission is asked for, and one that is missing refuses the whole" {
    queries 2
    fail_one
    api GET '/job?limit=1'
    forbidden=$(member '.items[0].id')
    as --subject bob --role write
    for action in retry delete; do
        for dry in true false; do
            bulk "$action" '{"until":"0s"}' "{\"dry_run\":$dry}"
            refused 403
            holds ".error | contains(\"command:execute\") and contains(\"$forbidden\")"
        done
    done
    total_is 3
    bulk cancel '{"until":"0s"}' # none is open
    holds '.taken == 0'
    bulk retry '{"operation":"node."}'
    holds '.taken == 2'
    as --subject eve --role read
    for action in retry cancel delete; do
        bulk "$action" '{"until":"0s"}'
        refused 403
    done
    token=$admin
    total_is 5
}

@test "retry asks for the token's targets" {
    queries 2
    as --subject ann --role admin --target elsewhere
    bulk retry '{"until":"0s"}'
    refused 403
    holds '.error | contains("elsewhere")'
    as --subject ann --role admin --target group:web
    bulk retry '{"until":"0s"}'
    answers 200
    has .taken 2
    wait_for 5 total_is 4 status=completed
}

@test "the command line takes the conditions as flags" {
    queries 2
    export REEVE_STATE=$state
    run "$reeve" job delete-matching
    [ "$status" = 2 ] || [ "$status" = 3 ]
    [[ $output == *filter* ]]
    run "$reeve" job retry-matching --status completed,failed --filter.operation node. --dry-run --json
    [ "$status" = 0 ]
    [ "$(jq -c '[.matched, .taken]' <<<"$output")" = '[2,2]' ]
    run "$reeve" job delete-matching --until 0s --limit 1 --json
    [ "$status" = 0 ]
    [ "$(jq -c '[.matched, .taken, has("next")]' <<<"$output")" = '[2,1,true]' ]
    unset REEVE_STATE
    total_is 1
}
