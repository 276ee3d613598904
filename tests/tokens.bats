# SPDX-License-Identifier: MIT
# Tokens as an operator and an intruder meet them: roles, targets, revocation, limits.
load lib

setup()
{
    make_scratch
}

teardown()
{
    clean_up
}

# configure LINE…: the controller's file; tells a running supervisor.
configure()
{
    printf '%s\n' "$@" >"$scratch/reeve.yaml"
    [ -z "${supervisor:-}" ] || kill -HUP "$supervisor"
}

# token_with FLAG…: sets token to a new one.
token_with()
{
    token=$("$reeve" token generate --state "$state" --subject ann "$@")
}

# b64url: standard input as a token's part.
b64url()
{
    base64 -w0 | tr '+/' '-_' | tr -d =
}

# forge HEADER CLAIMS DIGEST: a token signed with the controller's own key.
forge()
{
    local text
    text=$(printf %s "$1" | b64url).$(printf %s "$2" | b64url)
    printf '%s.%s' "$text" "$(printf %s "$text" | openssl dgst -"$3" -hmac "$(cat "$state/controller/key")" -binary | b64url)"
}

asks()
{
    api GET "$1" && answers "$2"
}

@test "a role of the configuration grants what it says, and follows SIGHUP" {
    configure 'roles:' '  ops:' '    permissions: [job:read]'
    start_reeve --config "$scratch/reeve.yaml" </dev/null
    run "$reeve" token generate --state "$state" --subject ann --role opps --config "$scratch/reeve.yaml"
    [ "$status" = 2 ]
    [[ $output == *'no role opps; expected one of admin, write, read, ops'* ]]
    token_with --role ops --config "$scratch/reeve.yaml"
    asks /job 200
    asks /node/_any/hostname 403
    configure 'roles:' '  ops:' '    permissions: [job:read, node:read]'
    wait_for 5 asks /node/_any/hostname 200
    configure 'roles:' '  others:' '    permissions: [job:read]'
    wait_for 5 asks /job 401
    has .error 'Invalid token: roles is not a list of known roles'
    configure 'roles:' '  ops:' '    permissions: [job:raed]'
    wait_for 5 grep -q "config.refused.*there is no permission 'job:raed'" "$log"
}

@test "a revoked token is accepted no more, also right after it was used" {
    start_reeve
    token_with --role read
    asks /job 200
    run "$reeve" token revoke --state "$state" "$token"
    [ "$status" = 0 ]
    [[ $output =~ ^[0-9a-f-]{36}\ is\ revoked$ ]]
    wait_for 3 asks /job 401
    has .error 'Invalid token: token is revoked'
    run "$reeve" token revoke --state "$state" "$token"
    [ "$status" = 0 ]
    [[ $output == *'was revoked already'* ]]
    # By its id alone, and from standard input.
    token_with --role read
    asks /job 200
    id=$("$reeve" token validate --state "$state" "$token" | sed -nE 's/^id +//p')
    "$reeve" token revoke --state "$state" <<<"$id"
    wait_for 3 asks /job 401
    [ "$(stat -c '%a %U' "$state/controller/revoked")" = "600 $(stat -c %U "$state/controller")" ]
    run "$reeve" token revoke --state "$state" 'a b'
    [ "$status" = 2 ]
    [[ $output == *'neither a token nor the id of one'* ]]
    # It stays so.
    kill_child controller || true
    asks /job 401
}

@test "the command line follows no link that a controller has left in its directory" {
    mkdir -p "$scratch/planted/controller"
    echo aSecretThatOnlyRootMayReadAndThatLooksLikeAToken >"$scratch/secret"
    chmod 600 "$scratch/secret"
    echo http://127.0.0.1:1 >"$scratch/planted/controller/url"
    ln -s "$scratch/secret" "$scratch/planted/controller/token"
    ln -s "$scratch/secret" "$scratch/planted/controller/key"
    REEVE_TOKEN='' REEVE_STATE='' run "$reeve" job list --state "$scratch/planted"
    [ "$status" != 0 ]
    [[ $output == *"can't read $scratch/planted/token: Too many levels of symbolic links"* ]]
    run "$reeve" token generate --state "$scratch/planted" --subject ann --role read
    [ "$status" != 0 ]
    [[ $output == *"signing key $scratch/planted/controller/key Too many levels of symbolic links"* ]]
}

@test "a list of revoked tokens that can't be understood lets nobody in" {
    start_reeve
    echo garbage >"$state/controller/revoked"
    wait_for 3 asks /job 503
    [[ $(member .error) == *'line 1 is not a token id'* ]]
    : >"$state/controller/revoked"
    wait_for 3 asks /job 200
}

@test "a token for some hosts makes jobs there and nowhere else" {
    start_reeve --hostname web-01 --label group=web.dev
    admin=$token
    for target in web-01 group:web "$(machine_id)"; do
        token_with --role admin --target "$target"
        asks /node/web-01/hostname 200
        asks /node/_any/hostname 200
        asks /node/_all/hostname 200
    done
    token_with --role admin --target web-02 --target group:db
    "$reeve" token validate --state "$state" "$token" | grep -A1 '^targets  *web-02'
    for target in web-01 _any _all group:web; do
        api GET "/node/$target/hostname"
        refused 403 hostname
    done
    [[ $(member .error) == *'is not for web-01; it is for web-02, group:db'* ]]
    api POST /job '{"operation": {"type": "node.hostname.get"}, "target_hostname": "web-01"}'
    refused 403 target_hostname
    mine=$token token=$admin
    submit_query
    token=$mine
    api POST "/job/$job/retry" '{}'
    refused 403
    run "$reeve" token generate --state "$state" --subject ann --role read --target _all
    [ "$status" = 2 ]
    [[ $output == *"'_all' is not accepted; expected a host name"* ]]
}

@test "what is not signed as ours is refused" {
    start_reeve
    now=$(date +%s)
    claims=$(jq -nc --argjson e $((now + 600)) '{sub: "eve", roles: ["admin"], exp: $e}')
    token=$(forge '{"alg":"HS256","typ":"JWT"}' "$claims" sha256)
    asks /job 200
    token=$(forge '{"alg":"HS512","typ":"JWT"}' "$claims" sha512)
    asks /job 401
    token=$(forge '{"alg":"none"}' "$claims" sha256)
    asks /job 401
    token=$(forge '{"alg":"HS256"}' "$(jq -nc --argjson e $((now - 5)) '{sub: "eve", roles: ["admin"], exp: $e}')" sha256)
    asks /job 401
    [[ $(member .error) == 'Invalid token: token is expired by '* ]]
    token=$(forge '{"alg":"HS256"}' "$(jq -nc --argjson e $((now + 600)) '{sub: "eve", roles: ["admin"], exp: $e, targets: []}')" sha256)
    asks /job 401
    has .error 'Invalid token: targets is empty: it allows nothing'
}

@test "a token that asks too often is told when to come again" {
    configure 'limits:' '  requests_per_second: 2' '  burst: 5'
    start_reeve --config "$scratch/reeve.yaml" </dev/null
    token_with --role read
    for _ in 1 2 3 4 5; do
        asks /job 200
    done
    until api GET /job && [ "$status_code" = 429 ]; do
        [ "$SECONDS" -lt 30 ]
    done
    has .reason busy
    [ "$(header Retry-After)" = 1 ]
    [[ $(member .error) == *'limits.requests_per_second'* ]]
    # Another token has a bucket of its own, and this one's fills again.
    mine=$token
    token_with --role read
    asks /job 200
    token=$mine
    wait_for 5 asks /job 200
}

@test "an address that keeps sending bad tokens is locked out for a while" {
    configure 'limits:' '  bad_tokens: 3' '  lockout: 2s'
    start_reeve --config "$scratch/reeve.yaml" </dev/null
    known=$token
    asks /job 200
    token=not.a.token
    for _ in 1 2 3; do
        asks /job 401
    done
    asks /job 429
    [ "$(header Retry-After)" -ge 1 ]
    [ "$(grep -c 'auth.locked_out address=127.0.0.1' "$log")" = 1 ]
    # Who was known before is let in; another has to wait.
    token=$known
    token_with --role read
    fresh=$token
    asks /job 429
    token=$known
    asks /job 200
    token=$fresh
    wait_for 5 asks /job 200
}
