/* SPDX-License-Identifier: MIT */
/*
 * The token verbs.
 */
#include "cli/token.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "cli/command.h"
#include "cli/locate.h"
#include "cli/text.h"
#include "http/token.h"

#include <errno.h>
#include <unistd.h>

static int load_key(const struct command *command, struct token_key *ret, struct refusal *why)
{
    const char *state = locate_state(&command->options, command->arena);

    return token_key_load(arena_printf(command->arena, "%s/controller/key", state), ret, why);
}

/*
 * generate
 */

static int roles_of(const struct str_list *words, unsigned *ret, struct refusal *why)
{
    unsigned roles = 0;

    for (size_t i = 0; i < words->n; i++) {
        int role = role_find(slice_of(words->v[i]));
        if (role < 0)
            return refuse(why, OUTCOME_USAGE, NULL,
                          "--role: there is no role %s; expected %s, %s or %s", words->v[i],
                          role_word(ROLE_ADMIN), role_word(ROLE_WRITE), role_word(ROLE_READ));
        roles |= 1u << role;
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

static uint64_t permissions_of_roles(unsigned roles)
{
    uint64_t permissions = 0;

    for (int role = 0; role < ROLE_COUNT; role++) {
        if (roles & (1u << role))
            permissions |= role_permissions((enum role)role);
    }
    return permissions;
}

static int token_of(const struct cli_token_generate_in *in, struct token *ret, struct refusal *why)
{
    /* LENGTH counts characters, the token bytes. */
    if (strlen(in->subject) > TOKEN_SUBJECT_MAX)
        return refuse(why, OUTCOME_USAGE, NULL, "--subject is longer than %d bytes",
                      TOKEN_SUBJECT_MAX);
    struct token token;
    token_init(&token, in->subject, clock_now_us(), in->expires);
    int r = roles_of(&in->role, &token.roles, why);
    if (!r)
        r = permissions_of(&in->permission, &token.permissions, why);
    if (r)
        return r;
    if (!in->has_permission)
        token.permissions = permissions_of_roles(token.roles);
    *ret = token;
    return 0;
}

int token_generate_run(struct command *command, struct refusal *why)
{
    struct cli_token_generate_in in;
    struct token_key key;
    struct token token;
    CLEANUP(buf_release) struct buf text;
    buf_init(&text, TOKEN_TEXT_MAX);

    int r = command_input(command, &in, why);
    if (!r)
        r = token_of(&in, &token, why);
    if (!r)
        r = load_key(command, &key, why);
    if (r)
        return r;
    token_make(&key, &token, &text);
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

static void print_token(const struct token *token)
{
    CLEANUP(buf_release) struct buf subject;
    buf_init(&subject, TOKEN_TEXT_MAX);
    const char *separator = "";

    text_clean(&subject, slice_of(token->subject), TEXT_ONE_LINE);
    printf("%-13s%s\n%-13s", "subject", buf_text(&subject), "roles");
    for (int role = 0; role < ROLE_COUNT; role++) {
        if (token->roles & (1u << role)) {
            printf("%s%s", separator, role_word((enum role)role));
            separator = ", ";
        }
    }
    putchar('\n');
    const char *label = "permissions";
    for (int permission = 0; permission < PERMISSION_COUNT; permission++) {
        if (token->permissions & (UINT64_C(1) << permission)) {
            printf("%-13s%s\n", label, permission_word(permission));
            label = "";
        }
    }
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
    struct token_key key;
    struct token token;

    int r = command_input(command, &in, why);
    if (!r && !in.has_token)
        r = token_from_stdin(command->arena, &in.token, why);
    if (!r)
        r = load_key(command, &key, why);
    if (r)
        return r;
    r = token_verify(&key, slice_of(in.token), clock_now_us(), &token, why);
    explicit_bzero(&key, sizeof(key));
    if (r)
        return r;
    print_token(&token);
    return fflush(stdout) ? FAULT(-errno) : 0;
}
