#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# What clients may not do to the controller: too much, too slow, or not HTTP.

load lib

setup_file()
{
    start_reeve
}

teardown_file()
{
    clean_up
}

# Whatever a test did, the controller goes on, and nothing was submitted.
teardown()
{
    api GET /job
    answers 200
}

# exchange TEXT [SECONDS]: sends the bytes (printf escapes) on a connection of its own and prints the answer.
exchange()
{
    exec 9<>"/dev/tcp/127.0.0.1/$port"
    printf '%b' "$1" >&9
    timeout "${2:-5}" cat <&9
    exec 9>&-
}

# status_of TEXT: of the first answer; empty when the connection was closed without one.
status_of()
{
    exchange "$@" | sed -nE '1s/^HTTP\/1\.[01] ([0-9]{3}).*/\1/p'
}

# The controller holds a socket, in whatever state, as long as it has not closed it.
nobody_is_connected()
{
    [ -z "$(ss -Htn state connected exclude time-wait "sport = :$port")" ]
}

# ---- too much ----

@test "a body over 1 MiB is refused, announced or not" {
    head -c 2097152 /dev/zero | tr '\0' ' ' >"$BATS_TEST_TMPDIR/big"
    for option in 'Expect:' 'Expect: 100-continue' 'Transfer-Encoding: chunked'; do
        raw_api /node/_any/command/exec -H "Authorization: Bearer $token" -H 'Content-Type: application/json' \
            -H "$option" --data-binary "@$BATS_TEST_TMPDIR/big" || true
        refused 413
    done
}

@test "a body of 1 MiB is read to its end" {
    head -c 1048576 /dev/zero | tr '\0' ' ' >"$BATS_TEST_TMPDIR/full"
    raw_api /node/_any/command/exec -H "Authorization: Bearer $token" -H 'Content-Type: application/json' \
        --data-binary "@$BATS_TEST_TMPDIR/full"
    refused 400
}

@test "a body of very many or very deep values is refused at once" {
    { printf '{"args":[' && yes '{},' | head -n 340000 | tr -d '\n' && printf '{}]}'; } >"$BATS_TEST_TMPDIR/many"
    { printf '{"args":' && head -c 500000 /dev/zero | tr '\0' '['; } >"$BATS_TEST_TMPDIR/deep"
    for content in many deep; do
        from=$(date +%s%N)
        raw_api /node/_any/command/exec -H "Authorization: Bearer $token" -H 'Content-Type: application/json' \
            --data-binary "@$BATS_TEST_TMPDIR/$content"
        refused 400
        [ $((($(date +%s%N) - from) / 1000000)) -lt 1000 ]
    done
}

@test "a header over 16 KiB is refused" {
    big=$(head -c 20000 /dev/zero | tr '\0' x)
    [[ $(status_of "GET /health HTTP/1.1\r\nHost: x\r\nX: $big\r\n\r\n") = 431 ]]
    [[ $(status_of "GET /$big HTTP/1.1\r\nHost: x\r\n\r\n") = 4[13]4 ]]
    many=$(printf 'X-%s: y\\r\\n' $(seq 2000))
    [[ $(status_of "GET /health HTTP/1.1\r\nHost: x\r\n$many\r\n") = 431 ]]
}

@test "a page of very many parameters is refused" {
    api GET "/job?$(printf 'a%s=1&' $(seq 65))limit=1"
    refused 400
    # The HTTP library's own refusal, whose text is not ours (docs/decisions/http-library.md).
    api GET "/job?$(printf 'a%s=1&' $(seq 500))limit=1"
    answers 431
}

# ---- too slow ----

@test "a slow header and a slow body are cut after ten seconds" {
    drip()
    {
        exec 9<>"/dev/tcp/127.0.0.1/$port"
        printf '%b' "$1" >&9
        for _ in $(seq 30); do
            sleep 0.5
            printf "$2" >&9 2>/dev/null || break
        done &
        dripping=$!
        timeout 20 cat <&9 >/dev/null
        kill "$dripping" 2>/dev/null
    }
    from=$SECONDS
    (drip 'GET /health HTTP/1.1\r\nHost: x\r\nX: ' 'y') 3>&- &
    header=$!
    (drip "POST /node/_any/command/exec HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer $token\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{" ' ') 3>&- &
    body=$!
    wait "$header" "$body"
    [ $((SECONDS - from)) -ge 9 ] && [ $((SECONDS - from)) -le 14 ]
}

@test "a client that leaves while it waits is forgotten, its job goes on" {
    for _ in 1 2 3 4 5; do
        curl -sS -m 0.5 -H "Authorization: Bearer $token" -H 'Content-Type: application/json' \
            -d '{"command":"sleep 2"}' "$url/node/_any/command/shell" >/dev/null 2>&1 3>&- &
    done
    wait
    wait_for 1 nobody_is_connected
    api GET '/job?limit=1'
    has '.items[0].operation.data.command' 'sleep 2'
    wait_for 10 job_is "$(member '.items[0].id')" completed
}

# ---- not HTTP ----

@test "a body that ends early is no request" {
    api GET '/job?limit=1'
    before=$(member .total_items)
    exec 9<>"/dev/tcp/127.0.0.1/$port"
    printf 'POST /node/_any/command/exec HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"command":"true"}' "$token" >&9
    exec 9>&-
    api GET '/job?limit=1'
    has .total_items "$before"
}

@test "ambiguous lengths are refused" {
    post="POST /job HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer $token\r\nContent-Type: application/json\r\n"
    for lengths in 'Content-Length: 2\r\nContent-Length: 2' 'Content-Length: 2\r\nContent-Length: 3' \
        'Content-Length: 2\r\nTransfer-Encoding: chunked' 'Transfer-Encoding: gzip' 'Transfer-Encoding: chunked, gzip' \
        'Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked' 'Content-Length: -1' 'Content-Length: 2x' \
        'Content-Length: 99999999999999999999'; do
        status=$(status_of "$post$lengths\r\n\r\n{}")
        [[ $status = 4[01]? || $status = 501 ]] || {
            echo "$lengths: $status"
            return 1
        }
    done
}

@test "a Host that is missing or stands twice is refused" {
    [ "$(status_of 'GET /health HTTP/1.1\r\n\r\n')" = 400 ]
    [ "$(status_of 'GET /health HTTP/1.1\r\nHost: x\r\nHost: x\r\n\r\n')" = 400 ]
}

@test "an odd Expect is refused" {
    [[ $(status_of 'GET /health HTTP/1.1\r\nHost: x\r\nExpect: miracle\r\nConnection: close\r\n\r\n') = 4[01][07] ]]
}

@test "what is no HTTP at all is answered 400 or cut" {
    for text in '\r\n\r\n\r\n' 'hello\r\n\r\n' '\0\0\0\0' '\026\003\001\002' 'GET / HTTP/9.9\r\nHost: x\r\n\r\n' 'GET  HTTP/1.1\r\n\r\n'; do
        status=$(status_of "$text" 1)
        [[ -z $status || $status = 400 || $status = 505 ]]
    done
}

@test "HTTP/1.0 is answered and the connection closed" {
    [ "$(status_of 'GET /health HTTP/1.0\r\n\r\n')" = 200 ]
}

@test "requests in a pipeline are all answered, in order" {
    get='HTTP/1.1\r\nHost: x\r\n'
    answers=$(exchange "GET /health $get\r\nGET /nowhere $get\r\nGET /version ${get}Connection: close\r\n\r\n" | grep -oE 'HTTP/1\.1 [0-9]+' | xargs)
    [ "$answers" = 'HTTP/1.1 200 HTTP/1.1 404 HTTP/1.1 200' ]
}

@test "128 and more keep-alive clients at the same instant are all answered" {
    "$REEVE_BUILD/tests/herd" "$port" "$(child controller)" 100 300
}

@test "two hundred requests that wait at once are all answered" {
    seq 200 | xargs -P 200 -I{} curl -sS -m 30 -o /dev/null -w '%{http_code}\n' -H "Authorization: Bearer $token" \
        "$url/node/_all/uptime" >"$BATS_TEST_TMPDIR/codes"
    [ "$(sort "$BATS_TEST_TMPDIR/codes" | uniq -c | xargs)" = '200 200' ]
}
