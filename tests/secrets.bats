#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Secret input and sensitive jobs: the host gets them, and nothing else on this machine keeps or shows them.

load lib

setup()
{
    make_scratch
    # The test's own files are elsewhere, so that what is found is not what was planted.
    own=$(mktemp -d /tmp/reeve-own.XXXXXX)
    secret=pl4nted-$(od -An -N12 -tx1 /dev/urandom | tr -d ' \n')
    digest=$(printf %s "$secret" | sha256sum | cut -d' ' -f1)
}

teardown()
{
    local left=0
    clean_up || left=1
    [ $left = 1 ] || rm -rf "$own"
    return $left
}

# api_own METHOD PATH BODY [CURL-OPTION…]: what is sent and answered touches nothing but $own.
api_own()
{
    local BATS_TEST_TMPDIR=$own
    printf %s "$3" >"$own/request"
    api "$1" "$2" '' -H 'Content-Type: application/json' --data-binary "@$own/request" "${@:4}"
}

# In the bytes of every file of both programs and in what they have logged, the database's free pages included.
is_on_disk()
{
    grep -rqaF -- "$1" "$scratch"
}

# For tests: what is negated there, Bats does not see.
not_on_disk()
{
    ! is_on_disk "$1"
}

not_in_reply()
{
    ! grep -qF -- "$1" <<<"$body$headers"
}

# shows PATH: the reply holds it, or there is none.
shows()
{
    api GET "$1" || return 0
    ! not_in_reply "$secret"
}

# Everything that anybody but the host and the waiting client can look at.
hidden()
{
    local pid found=0
    for pid in "$supervisor" $(descendants_of "$supervisor"); do
        ! tr '\0' '\n' <"/proc/$pid/cmdline" | grep -F -- "$secret" || found=1
        ! tr '\0' '\n' <"/proc/$pid/environ" | grep -F -- "$secret" || found=1
    done
    not_on_disk "$secret" || { grep -rlaF -- "$secret" "$scratch"; found=1; }
    ! shows "/job/$job" || { echo "GET /job/$job shows it: $body"; found=1; }
    ! shows '/job?limit=100' || { echo "GET /job shows it: $body"; found=1; }
    return $found
}

stdin_job()
{
    jq -nc --arg s "$secret" --arg c "$1" '{command: $c, stdin: $s, timeout: 60}'
}

freeze()
{
    frozen=$(child "$1")
    kill -STOP "$frozen"
}

thaw()
{
    kill -CONT "$frozen"
}

# ---- secrets ----

@test "a secret reaches the program, and is shown and kept nowhere, before, while and after it runs" {
    log_level=debug start_reeve
    freeze agent
    api_own POST /node/_any/command/shell "$(stdin_job 'sleep 1; sha256sum')" -H 'Prefer: respond-async'
    answers 202
    job=$(member .job_id)
    hidden
    api GET "/job/$job"
    has .operation.data.stdin '***'
    has .operation.data.command 'sleep 1; sha256sum'
    thaw
    wait_for 5 job_is "$job" processing
    hidden
    wait_for 5 job_is "$job" completed
    holds ".result.stdout | startswith(\"$digest\")"
    hidden
    api DELETE "/job/$job"
    answers 204
    not_on_disk "$secret"
    stop_reeve
    not_on_disk "$secret"
}

@test "a secret survives kill -9 of both programs while its run waits, sealed" {
    log_level=debug start_reeve
    freeze agent
    api_own POST '/node/_any/command/exec?expires=60s' "$(stdin_job sha256sum)" -H 'Prefer: respond-async'
    answers 202
    job=$(member .job_id)
    old=$(child controller)
    kill -KILL "$old"
    wait_for 10 is_another controller "$old"
    not_on_disk "$secret"
    kill -KILL "$frozen"
    wait_for 10 job_is "$job" completed
    holds ".result.stdout | startswith(\"$digest\")"
    hidden
}

@test "a run whose seal can't be broken fails and says why" {
    start_reeve
    freeze agent
    api_own POST '/node/_any/command/exec?expires=60s' "$(stdin_job sha256sum)" -H 'Prefer: respond-async'
    answers 202
    job=$(member .job_id)
    kill -KILL "$supervisor" "$(child controller)" "$frozen"
    wait_for 10 is_gone "$supervisor"
    rm "$state/controller/seal.key"
    start_reeve
    wait_for 10 failed_with "$job" seal.key
    api_own POST '/node/_any/command/exec' "$(stdin_job sha256sum)"
    answers 202
    holds ".results[0].stdout | startswith(\"$digest\")"
}

@test "a cancelled, an expired and a deleted run leave nothing sealed behind" {
    start_reeve
    freeze agent
    for end in cancel delete expire; do
        api_own POST '/node/_any/command/exec?expires=2s' "$(stdin_job sha256sum)" -H 'Prefer: respond-async'
        answers 202
        jobs+=("$(member .job_id)")
    done
    api POST "/job/${jobs[0]}/cancel"
    api DELETE "/job/${jobs[1]}"
    wait_for 10 failed_with "${jobs[2]}" deadline
    thaw
    wait_for 10 failed_with "${jobs[0]}" cancel
    stop_reeve
    "$reeve" ledger check --state "$state"
}

@test "a job with a secret can't be retried, and the reply names the member" {
    start_reeve
    api_own POST /node/_any/command/exec "$(stdin_job cat)"
    answers 202
    job=$(member .job_id)
    api POST "/job/$job/retry"
    refused 409
    has .field operation.data.stdin
    holds '.error | contains("secret")'
    # Nor can what stands for it be sent as the secret itself.
    api POST /job "$(api GET "/job/$job" && member '{operation, target_hostname: .target}')"
    refused 400
    has .field operation.data.stdin
}

@test "POST /job takes a secret too, and a wrong one is refused without being shown" {
    log_level=debug start_reeve
    api_own POST /job "$(jq -nc --argjson d "$(stdin_job sha256sum)" \
        '{target_hostname: "_any", operation: {type: "command.exec.execute", data: $d}}')"
    answers 202
    holds ".results[0].stdout | startswith(\"$digest\")"
    job=$(member .job_id)
    hidden
    api_own POST /node/_any/command/exec "{\"command\":\"cat\",\"stdin\":[\"$secret\"]}"
    refused 400 stdin
    not_in_reply "$secret"
    not_on_disk "$secret"
}

@test "a secret is a password in the OpenAPI document" {
    start_reeve
    api GET /openapi.json
    has '.components.schemas.command_exec_in.properties.stdin | {type, format, writeOnly}' \
        '{"type":"string","format":"password","writeOnly":true}'
}

# ---- sensitive jobs ----

sensitive_job()
{
    jq -nc --arg s "$secret" '{command: "sh", args: ["-c", "sleep 1; echo out-$0; echo err-$0 >&2", $s], timeout: 60}'
}

@test "a sensitive job shows input and result in its reply alone" {
    log_level=debug start_reeve
    freeze agent
    { api_own POST '/node/_any/command/exec?sensitive=true&wait=20s' "$(sensitive_job)" && answers 202 && printf %s "$body" >"$own/reply"; } &
    reply=$!
    wait_for 5 eval 'api GET /job && holds ".total_items == 1"'
    job=$(member '.items[0].id')
    hidden
    has '.items[0].operation.data' '***'
    has '.items[0].sensitive' true
    thaw
    wait_for 5 job_is "$job" processing
    not_on_disk "$secret"
    wait $reply
    jq -e --arg s "out-$secret" '.results[0].stdout | startswith($s)' "$own/reply"
    wait_for 5 job_is "$job" completed
    has .result '***'
    hidden
    stop_reeve
    not_on_disk "$secret"
}

@test "the reply to a sensitive request has the result, of every host, and of a failure the text" {
    log_level=debug start_reeve
    api_own POST '/node/_any/command/exec?sensitive=true' "$(sensitive_job)"
    answers 202
    holds ".results[0].stdout | startswith(\"out-$secret\")"
    job=$(member .job_id)
    hidden
    api_own POST '/node/_all/command/exec?sensitive=true' "$(sensitive_job)"
    answers 202
    holds ".results[0].stderr | startswith(\"err-$secret\")"
    job=$(member .job_id)
    hidden
    api GET "/job/$job"
    has '.responses[].data' '***'
    api_own POST '/node/_any/command/exec?sensitive=true' "{\"command\":\"/nowhere/$secret\"}"
    answers 500
    holds ".error | contains(\"$secret\")"
    job=$(member .job_id)
    hidden
    api GET "/job/$job"
    holds '.error == "***" and .timeline[-1].error == "***"'
    api GET '/node/_any/hostname?sensitive=true'
    answers 200
    holds '.results[0].hostname | length > 0'
    api GET "/job/$(member .job_id)"
    has .result '***'
}

@test "a sensitive result that its agent took to the grave is said to be lost, and the run is not" {
    REEVE_FAULT=list "$REEVE_BUILD/reeve-agent" | grep -q '^runlog' || skip 'this build has no fault points'
    # The third time: after the outcome was written down, before it is told.
    export REEVE_FAULT=runlog.sync:3:kill:$own/killed
    log_level=debug start_reeve
    api_own POST '/node/_any/command/exec?sensitive=true&wait=20s' "{\"command\":\"echo\",\"args\":[\"$secret\"]}"
    unset REEVE_FAULT
    [ -e "$own/killed" ]
    answers 202
    has '.results[0].status' ok
    holds '.results[0].error | startswith("***") and contains("lost")'
    job=$(member .job_id)
    job_is "$job" completed
    has .result '***'
    hidden
}

@test "a sensitive result survives a controller that is started anew, but nobody is told" {
    log_level=debug start_reeve
    api_own POST '/node/_any/command/exec?sensitive=true&wait=20s' "$(sensitive_job)" >/dev/null 2>&1 &
    wait_for 5 eval 'api GET /job && holds ".items[0].status == \"processing\""'
    job=$(member '.items[0].id')
    old=$(child controller)
    kill -KILL "$old"
    wait_for 10 is_another controller "$old"
    wait_for 15 job_is "$job" completed
    has .result '***'
    hidden
}

@test "a sensitive result that nobody waits for any more is dropped" {
    log_level=debug start_reeve
    api_own POST '/node/_any/command/exec?sensitive=true&wait=200ms&expires=5s' "$(sensitive_job)"
    refused 504
    job=$(member .job_id)
    wait_for 10 job_is "$job" completed
    has .result '***'
    hidden
}

@test "a sensitive job can't be retried" {
    start_reeve
    api_own POST '/node/_any/command/exec?sensitive=true' "$(sensitive_job)"
    answers 202
    api POST "/job/$(member .job_id)/retry"
    refused 409
    holds '.error | contains("sensitive")'
}

# ---- the command line ----

@test "the command line reads a secret from a file or its input, and hides one that was given" {
    log_level=debug start_reeve
    printf %s "$secret" >"$own/secret"
    "$reeve" --state "$state" node command exec --target _any --command sha256sum --stdin "@$own/secret" | grep -F "$digest"
    "$reeve" --state "$state" node command exec --target _any --command sha256sum --stdin @- <"$own/secret" | grep -F "$digest"
    "$reeve" --state "$state" node command exec --target _any --command sh --stdin "$secret" -- -c 'sleep 2; sha256sum' >"$own/out" &
    cli=$!
    wait_for 5 eval '! grep -qaF "$secret" "/proc/$cli/cmdline"'
    wait $cli
    grep -F "$digest" "$own/out"
    api GET /job
    job=$(member '.items[0].id')
    hidden
}

# ---- the processes ----

@test "no memory of the daemons can be dumped or read by their user" {
    start_reeve
    for pid in "$(child controller)" "$(child agent)"; do
        grep -E '^Max core file size +0 +0 ' "/proc/$pid/limits"
        [ "$(stat -c %U "/proc/$pid/mem")" = root ]
    done
}

@test "the key that seals is the controller's alone" {
    start_reeve
    [ "$(stat -c '%a %s' "$state/controller/seal.key")" = '600 32' ]
}
