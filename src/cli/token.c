/* SPDX-License-Identifier: MIT */
/*
 * The token verbs.
 */
#include "cli/token.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "cli/command.h"
#include "cli/ledger.h"
#include "cli/locate.h"
#include "cli/text.h"
#include "config/config.h"
#include "http/revoked.h"
#include "http/token.h"

#include <errno.h>
#include <sys/wait.h>
#include <unistd.h>

static int load_key(const struct command *command, struct token_key *ret, struct refusal *why)
{
    const char *state = locate_state(&command->options, command->arena);

    return token_key_load(arena_printf(command->arena, "%s/controller/key", state), ret, why);
}

/* The built-in roles and those of the controller's configuration. */
static int load_roles(const char *file, struct arena *arena, struct role_set *ret,
                      struct refusal *why)
{
    struct controller_config values;
    struct config config;

    if (!file && access(config_controller.file, R_OK) == 0)
        file = config_controller.file;
    int r = config_read_file(&config_controller, file, arena, &config, &values, why);
    role_set_init(ret);
    return r ? r : role_set_add(ret, &values.roles, why);
}

/*
 * generate
 */

static int roles_of(const struct str_list *words, const struct role_set *known, uint64_t *ret,
                    struct refusal *why)
{
    uint64_t roles = 0;

    for (size_t i = 0; i < words->n; i++) {
        int role = role_set_find(known, slice_of(words->v[i]));
        if (role < 0) {
            CLEANUP(buf_release) struct buf names;
            buf_init(&names, REFUSAL_TEXT_SIZE);
            role_set_names(known, &names);
            return refuse(why, OUTCOME_USAGE, NULL,
                          "--role: there is no role %.64s; expected one of %s", words->v[i],
                          buf_text(&names));
        }
        roles |= UINT64_C(1) << role;
    }
    *ret = roles;
    return 0;
}

static int permissions_of(const struct str_list *words, uint64_t *ret, struct refusal *why)
{
    uint64_t permissions = 0;

    for (size_t i = 0; i < words->n; i++) {
        int permission = permission_find(slice_of(words->v[i]));
        if (permission < 0)
            return refuse(why, OUTCOME_USAGE, NULL, "--permission: there is no permission %s",
                          words->v[i]);
        permissions |= UINT64_C(1) << permission;
    }
    *ret = permissions;
    return 0;
}

static int add_targets(const struct str_list *targets, struct token *token, struct refusal *why)
{
    for (size_t i = 0; i < targets->n; i++) {
        if (!token_add_target(token, targets->v[i]))
            return refuse(why, OUTCOME_USAGE, NULL,
                          "--target: '%.100s' is not accepted; expected a host name, a machine id "
                          "or a label such as group:web, at most %d of them and %d bytes together",
                          targets->v[i], TOKEN_TARGETS_MAX, TOKEN_TARGETS_SIZE);
    }
    return 0;
}

static int token_of(const struct cli_token_generate_in *in, const struct role_set *roles,
                    struct token *ret, struct refusal *why)
{
    /* LENGTH counts characters, the token bytes. */
    if (strlen(in->subject) > TOKEN_SUBJECT_MAX)
        return refuse(why, OUTCOME_USAGE, NULL, "--subject is longer than %d bytes",
                      TOKEN_SUBJECT_MAX);
    struct token token;
    token_init(&token, in->subject, clock_now_us(), in->expires);
    int r = roles_of(&in->role, roles, &token.roles, why);
    if (!r)
        r = permissions_of(&in->permission, &token.permissions, why);
    if (!r)
        r = add_targets(&in->target, &token, why);
    if (r)
        return r;
    if (!in->has_permission)
        token.permissions = role_set_permissions(roles, token.roles);
    *ret = token;
    return 0;
}

int token_generate_run(struct command *command, struct refusal *why)
{
    struct cli_token_generate_in in;
    struct role_set roles;
    struct token_key key;
    struct token token;
    CLEANUP(buf_release) struct buf text;
    buf_init(&text, TOKEN_TEXT_MAX);

    int r = command_input(command, &in, why);
    if (!r)
        r = load_roles(in.has_config ? in.config : NULL, command->arena, &roles, why);
    if (!r)
        r = token_of(&in, &roles, &token, why);
    if (!r)
        r = load_key(command, &key, why);
    if (r)
        return r;
    token_make(&key, &roles, &token, &text);
    explicit_bzero(&key, sizeof(key));
    if (buf_overflowed(&text))
        return refuse(why, OUTCOME_USAGE, NULL, "the token would be longer than %d bytes",
                      TOKEN_TEXT_MAX);
    puts(buf_text(&text));
    return fflush(stdout) ? FAULT(-errno) : 0;
}

/*
 * validate
 */

static void print_time(const char *label, int64_t time_s)
{
    char text[TIME_TEXT_SIZE];

    time_format(time_s * US_PER_S, text);
    printf("%-13s%s\n", label, time_s ? text : "-");
}

static void print_targets(const struct token *token)
{
    const char *label = "targets";

    if (!token->targets_size)
        printf("%-13sall hosts\n", label);
    for (const char *target = token_next_target(token, NULL); target;
         target = token_next_target(token, target)) {
        printf("%-13s%s\n", label, target);
        label = "";
    }
}

static void print_token(const struct token *token, const struct role_set *roles)
{
    CLEANUP(buf_release) struct buf subject;
    buf_init(&subject, TOKEN_TEXT_MAX);
    const char *separator = "", *label = "permissions";

    text_clean(&subject, slice_of(token->subject), TEXT_ONE_LINE);
    printf("%-13s%s\n%-13s%s\n%-13s", "subject", buf_text(&subject), "id",
           token->jti[0] ? token->jti : "-", "roles");
    for (unsigned role = 0; role < roles->n; role++) {
        if (token->roles >> role & 1) {
            printf("%s%s", separator, roles->v[role].name);
            separator = ", ";
        }
    }
    putchar('\n');
    for (int permission = 0; permission < PERMISSION_COUNT; permission++) {
        if (token->permissions & (UINT64_C(1) << permission)) {
            printf("%-13s%s\n", label, permission_word(permission));
            label = "";
        }
    }
    print_targets(token);
    print_time("issued", token->issued_s);
    print_time("expires", token->expires_s);
}

/* The first word of standard input. */
static int token_from_stdin(struct arena *arena, const char **ret, struct refusal *why)
{
    CLEANUP(buf_release) struct buf text;
    buf_init(&text, TOKEN_TEXT_MAX + 1);

    int r = fd_read_to_end(STDIN_FILENO, &text);
    if (r)
        return refuse(why, OUTCOME_USAGE, NULL, "no token: can't read standard input: %s",
                      strerror(-r));
    size_t size = strcspn(buf_text(&text), " \t\r\n");
    if (size == 0)
        return refuse(why, OUTCOME_USAGE, NULL, "no token: neither given nor on standard input");
    *ret = arena_copy(arena, (struct slice){.at = text.at, .size = size});
    return 0;
}

int token_validate_run(struct command *command, struct refusal *why)
{
    struct cli_token_validate_in in;
    struct role_set roles;
    struct token_key key;
    struct token token;

    int r = command_input(command, &in, why);
    if (!r && !in.has_token)
        r = token_from_stdin(command->arena, &in.token, why);
    if (!r)
        r = load_key(command, &key, why);
    if (r)
        return r;
    r = load_roles(NULL, command->arena, &roles, why);
    if (!r)
        r = token_verify(&key, &roles, slice_of(in.token), clock_now_us(), &token, why);
    explicit_bzero(&key, sizeof(key));
    if (r)
        return r;
    print_token(&token, &roles);
    return fflush(stdout) ? FAULT(-errno) : 0;
}

/*
 * revoke
 */

/* Of a token without its key, that is only looked up: id and expiry. */
struct revocation {
    const char *jti;
    int64_t expires_s;
};

/* A whole token tells both. Of an id alone the expiry is not known: it stays for ever. */
static int revocation_of(const struct command *command, const char *text, struct revocation *ret,
                         struct refusal *why)
{
    struct role_set roles;
    struct token_key key;
    struct token token;

    if (!strchr(text, '.')) {
        if (!revoked_jti_is_good(slice_of(text)))
            return refuse(why, OUTCOME_USAGE, NULL,
                          "neither a token nor the id of one: 1 to %d printable characters",
                          REVOKED_JTI_MAX);
        *ret = (struct revocation){.jti = text, .expires_s = INT64_MAX};
        return 0;
    }
    int r = load_key(command, &key, why);
    if (!r)
        r = load_roles(NULL, command->arena, &roles, why);
    if (!r)
        r = token_verify(&key, &roles, slice_of(text), clock_now_us(), &token, why);
    explicit_bzero(&key, sizeof(key));
    if (r)
        return r;
    if (!token.jti[0])
        return refuse(why, OUTCOME_USAGE, NULL,
                      "the token has no id (jti) by which it could be revoked: change the key");
    *ret = (struct revocation){.jti = arena_strdup(command->arena, token.jti),
                               .expires_s = token.expires_s};
    return 0;
}

/* In a process of its own, which has become the controller's user. */
static _Noreturn void add_revocation(const struct ledger_place *place,
                                     const struct revocation *revocation)
{
    struct refusal why = {.text = ""};
    bool was = false;

    int r = ledger_place_enter(place);
    if (!r)
        r = revoked_add(REVOKED_FILE, revocation->jti, revocation->expires_s, clock_now_us(), &was,
                        &why);
    if (r)
        fprintf(stderr, "reeve: in %s: %s\n", place->path, r < 0 ? strerror(-r) : why.text);
    else
        printf("%s %s\n", revocation->jti, was ? "was revoked already" : "is revoked");
    fflush(NULL);
    _exit(r ? outcome_exit(OUTCOME_UNAVAILABLE) : 0);
}

int token_revoke_run(struct command *command, struct refusal *why)
{
    struct cli_token_revoke_in in;
    struct revocation revocation;
    struct ledger_place place;
    int status;

    int r = command_input(command, &in, why);
    if (!r && !in.has_token)
        r = token_from_stdin(command->arena, &in.token, why);
    if (!r)
        r = revocation_of(command, in.token, &revocation, why);
    if (!r)
        r = ledger_place_find(command, &place, why);
    if (r)
        return r;
    fflush(NULL);
    pid_t child = fork();
    if (child == 0)
        add_revocation(&place, &revocation);
    close(place.fd);
    if (child < 0)
        return FAULT(-errno);
    while (waitpid(child, &status, 0) < 0) {
        if (errno != EINTR)
            return FAULT(-errno);
    }
    command->exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : outcome_exit(OUTCOME_FAULT);
    return 0;
}
