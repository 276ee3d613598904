#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The REST contract of jobs, and the rules that hold for every route.

load lib

setup_file()
{
    start_reeve --label group=web.dev
}

teardown_file()
{
    clean_up
}

# ---- list ----

@test "an empty ledger has no jobs and counts every status as 0" {
    api GET /job
    answers 200
    has . '{"total_items":0,"status_counts":{"submitted":0,"processing":0,"completed":0,"failed":0,"partial_failure":0,"skipped":0},"items":[]}'
}

@test "a page shows ten jobs, newest first" {
    for _ in $(seq 12); do submit_query; done
    api GET /job
    answers 200
    has .total_items 12
    has '.items | length' 10
    has '.items[0].id' "$job"
    holds '[.items[].created] | . == (sort | reverse)'
    holds '[.items[].id] | . == (sort | reverse)'
}

@test "limit and offset walk through all jobs, each once" {
    api GET '/job?limit=100'
    all=$(member '[.items[].id]')
    walked=$(for offset in 0 5 10; do
        api GET "/job?limit=5&offset=$offset"
        member '.items[].id'
    done | jq -Rnc '[inputs]')
    [ "$walked" = "$all" ]
}

@test "an offset behind the last job gives no items and the same totals" {
    api GET '/job?offset=9223372036854775807'
    answers 200
    has '.items' '[]'
    has '.total_items' 12
    has '.status_counts.completed' 12
}

@test "a limit or offset outside its range is refused by name" {
    for value in 0 101 -1 ten 1.5 '' %201 99999999999999999999; do
        api GET "/job?limit=$value"
        refused 400 limit
    done
    for value in -1 ten ''; do
        api GET "/job?offset=$value"
        refused 400 offset
    done
    api GET '/job?limit=5&limit=6'
    refused 400 limit
}

@test "a status that is none is refused and told which there are" {
    for value in done COMPLETED ''; do
        api GET "/job?status=$value"
        refused 400 status
    done
    holds '.error | contains("partial_failure")'
}

@test "an unknown parameter or malformed query text is refused" {
    api GET '/job?page=2'
    refused 400 page
    for query in 'limit=%zz' 'limit=1;offset=2' '%00=1' 'limit'; do
        api GET "/job?$query"
        refused 400
    done
}

@test "a filter counts what matches while status_counts counts all" {
    api POST /node/_any/command/exec '{"command":"/nonexistent"}'
    refused 500
    submit_shell 'sleep 2.5'
    running=$job
    wait_for 5 job_is "$running" processing
    api GET '/job?status=failed'
    has .total_items 1
    has '.items | length' 1
    holds '.status_counts | .completed == 12 and .failed == 1 and .processing == 1'
    api GET '/job?status=processing'
    has .total_items 1
    has '.items[0].id' "$running"
    api GET '/job?status=skipped'
    has .total_items 0
    wait_for 5 job_is "$running" completed
}

@test "status_counts always add up to all jobs" {
    api GET '/job?limit=1'
    holds '.total_items == ([.status_counts[]] | add)'
}

@test "an item says what was asked, of whom, by whom, and what came of it" {
    submit_query
    api GET '/job?limit=1'
    holds '.items[0] | .status == "completed" and .changed == false and .target == "_any" and (.user | length > 0)'
    has '.items[0].operation.type' node.hostname.get
    has '.items[0].hostname' "$(hostname)"
    holds '.items[0].result | type == "object"'
    holds '.items[0] | .updated_at >= .created'
    holds '.items[0].timeline | [.[].event] | .[0] == "submitted" and .[-1] == "completed"'
    holds '.items[0].timeline | . == sort_by(.timestamp)'
    holds '.items[0].created | test("^[0-9-]{10}T[0-9:]{8}\\.[0-9]+Z$")'
}

@test "a failed job says why and that nothing is known to have changed" {
    api GET '/job?status=failed'
    holds '.items[0] | .error != "" and .changed == null and (has("result") | not)'
}

@test "a job to all hosts answers by host" {
    api GET /node/_all/uptime
    answers 200
    has '.results | length' 1
    api GET "/job/$(member .job_id)"
    holds ".responses[\"$(hostname)\"] | .status == \"completed\" and .changed == false and .data.uptime != \"\""
    holds ".agent_states[\"$(hostname)\"] | .status == \"completed\" and .duration != \"\""
}

# ---- one job ----

@test "a job shows the same item alone as in the list" {
    api GET '/job?limit=1'
    item=$(member '.items[0]')
    api GET "/job/$(jq -r .id <<<"$item")"
    answers 200
    has . "$item"
}

@test "a job is found by its id in upper case, and refused in other forms" {
    submit_query
    api GET "/job/${job^^}"
    answers 200
    for form in "%7B$job%7D" "urn:uuid:$job" "${job//-/}" 1; do
        api GET "/job/$form"
        refused 400 id
    done
}

@test "an id that no job has is not found" {
    none=0193c0de-0000-7000-8000-000000000000
    api GET "/job/$none"
    refused 404
    api DELETE "/job/$none"
    refused 404
    api POST "/job/$none/retry"
    refused 404
    api POST "/job/$none/cancel"
    refused 404
}

@test "a deleted job is gone from item, list and counts" {
    submit_query
    api GET '/job?limit=1'
    before=$(member .total_items)
    api DELETE "/job/$job"
    answers 204
    [ -z "$body" ]
    api GET "/job/$job"
    refused 404
    api DELETE "/job/$job"
    refused 404
    api GET '/job?limit=1'
    has .total_items $((before - 1))
    holds ".items[0].id != \"$job\""
    holds '.total_items == ([.status_counts[]] | add)'
}

@test "deleting a running job kills what it runs" {
    unique_sleep
    submit_shell "$nap"
    wait_for 5 runs "$nap"
    api DELETE "/job/$job"
    answers 204
    wait_for 5 runs_no_more "$nap"
    api GET "/job/$job"
    refused 404
}

@test "a retry is a new job of the same operation and target" {
    api POST /node/_all/command/exec '{"command":"true"}'
    answers 202
    first=$(member .job_id)
    api POST "/job/$first/retry"
    answers 201
    has .status created
    again=$(member .job_id)
    [ "$again" != "$first" ]
    wait_for 5 job_is "$again" completed
    has .operation.type command.exec.execute
    has .operation.data.command true
    has .target _all
    api GET "/job/$first"
    holds '.timeline | any(.event == "retried")'
    has .status completed
}

@test "a retry goes to another target when it is told so" {
    submit_query
    api POST "/job/$job/retry" "{\"target_hostname\":\"$(hostname)\"}"
    answers 201
    again=$(member .job_id)
    wait_for 5 job_is "$again" completed
    has .target "$(hostname)"
}

@test "a retry takes an empty body, null and a null target, and nothing else" {
    submit_query
    for content in '' null '{}' '{"target_hostname":null}'; do
        api POST "/job/$job/retry" "$content"
        answers 201
    done
    for content in '{} x' '[]' '{"target":"_any"}' '{"target_hostname":""}' '{"target_hostname":7}'; do
        api POST "/job/$job/retry" "$content"
        refused 400
    done
    api POST "/job/$job/retry" '{"target_hostname":"no-such-host"}'
    refused 400 target_hostname
    raw_api "/job/$job/retry" -H "Authorization: Bearer $token" -d target_hostname=_any
    refused 415
}

@test "cancelling a running job kills it and says so" {
    unique_sleep
    submit_shell "$nap"
    wait_for 5 runs "$nap"
    api POST "/job/$job/cancel"
    answers 200
    has .job_id "$job"
    has .stopping 1
    wait_for 5 job_is "$job" failed
    holds '.error | contains("cancel")'
    holds '.timeline | any(.event == "cancelled")'
    runs_no_more "$nap"
}

# ---- submission ----

@test "POST /job answers as the operation's own route does" {
    api POST /job '{"operation":{"type":"node.hostname.get"},"target_hostname":"_any"}'
    answers 200
    has '.results[0].hostname' "$(hostname)"
    has '.results[0].status' ok
    api POST /job '{"operation":{"type":"command.exec.execute","data":{"command":"echo","args":["a"]}},"target_hostname":"_any"}'
    answers 202
    has '.results[0].stdout' a
}

@test "POST /job refuses what the operation's own route refuses" {
    api POST /job '{"operation":{"type":"no.such.operation"},"target_hostname":"_any"}'
    refused 400
    api POST /job '{"operation":{"type":"command.exec.execute","data":{"command":""}},"target_hostname":"_any"}'
    refused 400
    holds '.field | contains("command")'
    api POST /job '{"operation":{"type":"job.list"},"target_hostname":"_any"}'
    refused 400
    api POST /job '{"operation":{"type":"node.hostname.get"}}'
    refused 400 target_hostname
}

@test "POST /job needs the permission of the operation as well" {
    token=$("$reeve" token generate --state "$state" --subject writer --role write)
    api POST /job '{"operation":{"type":"node.hostname.get"},"target_hostname":"_any"}'
    answers 200
    api POST /job '{"operation":{"type":"command.shell.execute","data":{"command":"true"}},"target_hostname":"_any"}'
    refused 403
}

@test "retrying a job needs the permission of its operation as well" {
    api POST /node/_any/command/exec '{"command":"true"}'
    answers 202
    job=$(member .job_id)
    token=$("$reeve" token generate --state "$state" --subject writer --role write)
    api POST "/job/$job/retry"
    refused 403
}

@test "respond-async and wait=0s answer 202 at once with the job's address" {
    for how in '-H Prefer:respond-async /node/_any/uptime' '-s /node/_any/uptime?wait=0s'; do
        path=${how##* }
        api GET "$path" '' ${how% *}
        answers 202
        has .status submitted
        holds '(has("results") | not)'
        [ "$(header Location)" = "/job/$(member .job_id)" ]
        wait_for 5 job_is "$(member .job_id)" completed
    done
}

@test "a wait that ends first answers 504 with the state of each run" {
    api POST '/node/_any/command/shell?wait=1500ms' '{"command":"sleep 2; echo late"}'
    refused 504
    job=$(member .job_id)
    holds '.details | contains("started")'
    wait_for 5 job_is "$job" completed
    has .result.stdout late
}

@test "an unknown host or label is refused and told what exists" {
    api GET /node/no-such-host/uptime
    refused 400 hostname
    holds ".error | contains(\"$(hostname)\")"
    api GET /node/group:db/uptime
    refused 400 hostname
    for target in _local 'a:b:c' ':x' 'x:' 'a%20b'; do
        api GET "/node/$target/uptime"
        refused 400
    done
}

@test "a host is reached by name, machine id, label and the label's parent" {
    for target in "$(hostname)" "$(machine_id)" group:web.dev group:web; do
        api GET "/node/$target/hostname"
        answers 200
        has '.results[0].hostname' "$(hostname)"
    done
    has '.results[0].labels' '{"group":"web.dev"}'
}

# ---- every route ----

@test "every path answers the same beneath /api" {
    api GET '/job?limit=3'
    plain=$body
    api GET '/api/job?limit=3'
    has . "$plain"
    api GET /api/api/job
    refused 404
}

@test "a path that is none is not found, a wrong method is told the right ones" {
    for path in / /jobs /job/ /node/_any/disk/more /%6Aob/; do
        api GET "$path"
        [[ $status_code = 40[04] ]]
    done
    api PUT /job
    refused 405
    [ "$(header Allow | tr -d ' ' | tr , '\n' | grep -v HEAD | sort | xargs)" = "GET POST" ]
    api PATCH /api/job/0193c0de-0000-7000-8000-000000000000
    refused 405
    api BREW /health
    [ "$status_code" -ge 400 ] && [ "$status_code" -le 501 ]
}

@test "an empty host name in the path is a bad request" {
    api GET /node//load
    refused 400
}

@test "escapes in a path are decoded after routing" {
    api GET /node/%5Fany/uptime
    answers 200
    api GET /node/a%2Fuptime
    refused 400 hostname
}

@test "without a valid token nothing of the body is looked at" {
    for authorization in 'Basic YTpi' "bearer $token" "Bearer  $token" "Bearer $token x" "Bearer ${token}x" 'Bearer x.y.z' 'Bearer'; do
        raw_api /job -X POST -H "Authorization: $authorization" -H 'Content-Type: application/json' -d '{"broken'
        refused 401
    done
    raw_api /job -X POST -H 'Content-Type: text/plain' -d '{"broken'
    refused 401
    raw_api '/job?limit=zero'
    refused 401
}

@test "a token may do what its role holds and no more" {
    token=$("$reeve" token generate --state "$state" --subject reader --role read)
    api GET /job
    answers 200
    api GET /node/_any/uptime
    answers 200
    api POST /node/_any/command/exec '{"broken'
    refused 403
    holds '.error | contains("command:execute")'
    api DELETE /job/0193c0de-0000-7000-8000-000000000000
    refused 403
}

@test "a token with exact permissions has those alone" {
    token=$("$reeve" token generate --state "$state" --subject narrow --role admin --permission job:read)
    api GET /job
    answers 200
    api GET /agent
    refused 403
}

@test "an expired token is refused" {
    token=$("$reeve" token generate --state "$state" --subject brief --role read --expires 1s)
    api GET /job
    answers 200
    sleep 2.1
    api GET /job
    refused 401
    holds '.error | contains("expired")'
}

@test "a job carries the subject of its token" {
    token=$("$reeve" token generate --state "$state" --subject alice@example.org --role write)
    submit_query
    api GET "/job/$job"
    has .user alice@example.org
}

@test "a request id is taken over when it is harmless, and made otherwise" {
    api GET /nowhere '' -H 'X-Request-ID: my.id_1-2'
    has .request_id my.id_1-2
    [ "$(header X-Request-ID)" = my.id_1-2 ]
    for id in 'a b' '<x>' "$(printf 'x%.0s' {1..65})" 'a"b'; do
        api GET /nowhere '' -H "X-Request-ID: $id"
        [ "$(header X-Request-ID)" != "$id" ]
        [[ $(header X-Request-ID) =~ ^[A-Za-z0-9._-]{1,64}$ ]]
    done
}

@test "HEAD has the headers of GET and no body" {
    raw_api /health -X GET
    size=$(header Content-Length)
    raw_api /health --head
    answers 200
    [ "$(header Content-Length)" = "$size" ]
    raw_api /job --head
    answers 401
}

@test "a content type may carry parameters, and must be JSON" {
    for type in 'application/json' 'application/json; charset=utf-8' 'Application/JSON'; do
        raw_api /node/_any/command/exec -H "Authorization: Bearer $token" -H "Content-Type: $type" -d '{"command":"true"}'
        answers 202
    done
    for type in text/plain application/jsonx application/x-www-form-urlencoded; do
        raw_api /node/_any/command/exec -H "Authorization: Bearer $token" -H "Content-Type: $type" -d '{"command":"true"}'
        refused 415
    done
}

@test "numbers and text of any kind pass through a job byte for byte" {
    text='  \u00e9 é 漢字 🐧 \" \\ \/ \t'
    api POST /node/_any/command/exec "{\"command\":\"printf\",\"args\":[\"%s\",\"$text\"]}"
    answers 202
    has '.results[0].stdout' "$(printf '{"a":"%s"}' "${text//\\/\\}" | jq -r .a)"
}

@test "the OpenAPI document is valid and names every route" {
    raw_api /openapi.json
    answers 200
    echo "$body" >"$BATS_TEST_TMPDIR/openapi.json"
    "${REEVE_VENV:-$root/build/venv}/bin/openapi-spec-validator" "$BATS_TEST_TMPDIR/openapi.json"
    [ "$(member '[.paths[][] | objects | .operationId] | length')" = "$("$REEVE_BUILD/tests/matrix" --operations | wc -l)" ]
}

@test "health and version need no token" {
    raw_api /health
    answers 200
    has .status ok
    raw_api /api/health/ready
    answers 200
    has .status ready
    raw_api /version
    answers 200
    has '. | keys' '["api","built","commit","version"]'
}
