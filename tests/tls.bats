#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# TLS on the HTTP port: certificates, their renewal, and that limits and refusals hold behind it too.

bats_require_minimum_version 1.5.0
load lib

setup_file()
{
    make_scratch
    make_authority
    make_certificate first 30
    use_certificate first
    cat >"$scratch/reeve.yaml" <<YAML
tls:
  certificate: $scratch/certificate
  key: $scratch/key
YAML
    chmod 644 "$scratch/reeve.yaml"
    export CURL_CA_BUNDLE=$scratch/ca
    start_reeve --config "$scratch/reeve.yaml"
}

teardown_file()
{
    clean_up
}

setup()
{
    export REEVE_CA=$scratch/ca
}

# Whatever a test did, the controller goes on.
teardown()
{
    api GET /job
    answers 200
}

# ---- certificates ----

new_key='-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes'

make_authority()
{
    openssl req -x509 $new_key -keyout "$scratch/ca.key" -out "$scratch/ca" -subj /CN=authority -days 30 2>/dev/null
    chmod 644 "$scratch/ca"
}

# make_certificate NAME DAYS: NAME.pem and NAME.key, for 127.0.0.1.
make_certificate()
{
    openssl req $new_key -keyout "$scratch/$1.key" -out "$scratch/$1.csr" -subj "/CN=$1" 2>/dev/null
    openssl x509 -req -in "$scratch/$1.csr" -CA "$scratch/ca" -CAkey "$scratch/ca.key" -CAcreateserial \
        -extfile <(echo subjectAltName=IP:127.0.0.1) -days "$2" -out "$scratch/$1.pem" 2>/dev/null
}

# use_certificate NAME [KEY]: puts them where the configuration says.
use_certificate()
{
    install -m 644 "$scratch/$1.pem" "$scratch/certificate"
    install -m 600 "$scratch/${2:-$1}.key" "$scratch/key"
    [ "$(id -u)" != 0 ] || chown reeve "$scratch/key"
}

shown_name()
{
    openssl s_client -connect "127.0.0.1:$port" </dev/null 2>/dev/null | sed -nE 's/^subject=.*CN ?= ?//p'
}

shows()
{
    [ "$(shown_name)" = "$1" ]
}

reload()
{
    kill -HUP "$(child controller)"
}

# exchange TEXT [SECONDS]: sends the bytes (printf escapes) on a connection of its own and prints the answer.
exchange()
{
    { printf '%b' "$1" && sleep "${2:-1}"; } | timeout 20 openssl s_client -quiet -connect "127.0.0.1:$port" 2>/dev/null
}

status_of()
{
    exchange "$@" | sed -nE '1s/^HTTP\/1\.[01] ([0-9]{3}).*/\1/p'
}

# ---- who speaks to whom ----

@test "the API and the command line speak TLS" {
    [ "$url" = "https://127.0.0.1:$port" ]
    api GET /version
    answers 200
    "$reeve" --state "$state" job list
}

@test "the command line trusts only what it is told to" {
    run -4 env -u REEVE_CA "$reeve" --state "$state" job list
    [[ $output = *"is not to be trusted"*"--ca"* ]]
    env -u REEVE_CA "$reeve" --state "$state" --ca "$scratch/ca" job list
    run -4 "$reeve" --state "$state" --ca /nowhere job list
    [[ $output = *"/nowhere"* ]]
    run -4 "$reeve" --state "$state" --url "https://localhost:$port" job list
    [[ $output = *"is not to be trusted"* ]]
}

@test "plain HTTP is told that the port speaks TLS" {
    url=http://127.0.0.1:$port raw_api /health
    refused 400
    holds '.error | contains("https://")'
}

@test "a client that connects and never shakes hands is cut after ten seconds" {
    from=$SECONDS
    exec 9<>"/dev/tcp/127.0.0.1/$port"
    timeout 20 cat <&9 >/dev/null
    exec 9>&-
    [ $((SECONDS - from)) -ge 9 ] && [ $((SECONDS - from)) -le 13 ]
}

# ---- another certificate ----

@test "a renewed certificate comes into place with SIGHUP, and nobody is cut" {
    make_certificate second 30
    curl -sS -m 20 -o "$BATS_TEST_TMPDIR/waiting" -H "Authorization: Bearer $token" -H 'Content-Type: application/json' \
        -d '{"command":"sleep 2"}' "$url/node/_any/command/shell" 3>&- &
    waiting=$!
    sleep 0.5
    use_certificate second
    reload
    wait_for 5 shows second
    wait "$waiting"
    [ "$(jq -r '.results[0].status' "$BATS_TEST_TMPDIR/waiting")" = ok ]
}

@test "a certificate that can't be used leaves the old one, and an error in the log" {
    make_certificate third 30
    before=$(shown_name)
    use_certificate third first
    reload
    wait_for 5 grep -q 'config.refused .*is not the key of the certificate' "$log"
    shows "$before"
    use_certificate third
    reload
    wait_for 5 shows third
}

@test "a certificate that ends soon is warned of" {
    make_certificate short 3
    use_certificate short
    reload
    wait_for 5 shows short
    wait_for 5 grep -q 'warning .*tls.expires_soon' "$log"
}

@test "a start with unusable files names them" {
    declare -A wrong=(
        [mismatch]='is not the key of the certificate' [open]='chmod 600' [missing]='No such file' [text]='no certificate chain in PEM'
    )
    cp "$scratch/first.pem" "$BATS_TEST_TMPDIR/certificate"
    make_certificate fourth 30
    for case in "${!wrong[@]}"; do
        cp "$scratch/first.pem" "$BATS_TEST_TMPDIR/certificate"
        install -m 600 "$scratch/first.key" "$BATS_TEST_TMPDIR/key"
        case $case in
        mismatch) install -m 600 "$scratch/fourth.key" "$BATS_TEST_TMPDIR/key" ;;
        open) chmod 644 "$BATS_TEST_TMPDIR/key" ;;
        missing) rm "$BATS_TEST_TMPDIR/key" ;;
        text) echo hello >"$BATS_TEST_TMPDIR/certificate" ;;
        esac
        run -1 timeout 20 "$REEVE_BUILD/reeve-controller" --state "$BATS_TEST_TMPDIR/state" --port 0 \
            --tls.certificate "$BATS_TEST_TMPDIR/certificate" --tls.key "$BATS_TEST_TMPDIR/key"
        [[ $output = *"${wrong[$case]}"* && $output = *"$BATS_TEST_TMPDIR/"* ]] || {
            echo "$case: $output"
            return 1
        }
    done
}

# ---- limits hold behind it ----

@test "a body over 1 MiB is refused" {
    head -c 2097152 /dev/zero | tr '\0' ' ' >"$BATS_TEST_TMPDIR/big"
    for option in 'Expect:' 'Expect: 100-continue' 'Transfer-Encoding: chunked'; do
        raw_api /node/_any/command/exec -H "Authorization: Bearer $token" -H 'Content-Type: application/json' \
            -H "$option" --data-binary "@$BATS_TEST_TMPDIR/big" || true
        refused 413
    done
}

@test "a body of 1 MiB is read to its end" {
    head -c 1048576 /dev/zero | tr '\0' ' ' >"$BATS_TEST_TMPDIR/full"
    api POST /node/_any/command/exec "@$BATS_TEST_TMPDIR/full"
    refused 400
}

@test "headers that do not fit, and too many parameters, are refused" {
    big=$(head -c 20000 /dev/zero | tr '\0' x)
    [ "$(status_of "GET /health HTTP/1.1\r\nHost: x\r\nX: $big\r\n\r\n")" = 431 ]
    [ "$(status_of "GET /$big HTTP/1.1\r\nHost: x\r\n\r\n")" = 414 ]
    api GET "/job?$(printf 'a%s=1&' $(seq 500))limit=1"
    refused 414
}

@test "ambiguous lengths, encodings and hosts are refused" {
    post="POST /job HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer $token\r\nContent-Type: application/json\r\n"
    for lengths in 'Content-Length: 2\r\nContent-Length: 3' 'Content-Length: 2\r\nTransfer-Encoding: chunked' \
        'Transfer-Encoding: gzip' 'Content-Length: 2\r\nHost: y'; do
        [ "$(status_of "$post$lengths\r\n\r\n{}")" = 400 ]
    done
    [ "$(status_of "${post}Content-Length: 2\r\nContent-Encoding: gzip\r\n\r\n{}")" = 415 ]
}

@test "requests in a pipeline are all answered, in order" {
    get='HTTP/1.1\r\nHost: x\r\n'
    answers=$(exchange "GET /health $get\r\nGET /nowhere $get\r\nGET /version ${get}Connection: close\r\n\r\n" | grep -oE 'HTTP/1\.1 [0-9]+' | xargs)
    [ "$answers" = 'HTTP/1.1 200 HTTP/1.1 404 HTTP/1.1 200' ]
}

@test "a slow request is cut after ten seconds, with an answer" {
    [ "$(status_of 'GET /health HTTP/1.1\r\nHost: x\r\nX: ' 12)" = 408 ]
}

@test "128 requests that wait at once are all answered" {
    seq 128 | xargs -P 128 -I{} curl -sS -m 30 -o /dev/null -w '%{http_code}\n' -H "Authorization: Bearer $token" \
        "$url/node/_all/uptime" >"$BATS_TEST_TMPDIR/codes"
    [ "$(sort "$BATS_TEST_TMPDIR/codes" | uniq -c | xargs)" = '128 200' ]
}
