/* SPDX-License-Identifier: MIT */
/*
 * The table of verbs and its tree: a group is nothing but a prefix that several verbs share.
 */
#include "cli/verb.h"

#include "base/mem.h"
#include "cli/call.h"
#include "cli/config.h"
#include "cli/doctor.h"
#include "cli/ledger.h"
#include "cli/suggest.h"
#include "cli/supervise.h"
#include "cli/token.h"

/* Own verbs first: one whose words a row has too (version) is found here. */
static const struct verb verbs[] = {
    {.words = "start",
     .doc = "Run a controller and an agent on this machine",
     .in = &cli_start_in_schema,
     .run = start_run},
    {.words = "token generate",
     .doc = "Make a token with this machine's key",
     .in = &cli_token_generate_in_schema,
     .run = token_generate_run},
    {.words = "token validate",
     .doc = "Show what a token allows, if it is valid",
     .in = &cli_token_validate_in_schema,
     .run = token_validate_run},
    {.words = "ledger check",
     .doc = "Look for damage in this machine's ledger, whether or not a controller runs",
     .run = ledger_check_run},
    {.words = "ledger backup",
     .doc = "Copy this machine's ledger and key while the controller runs",
     .in = &cli_ledger_backup_in_schema,
     .run = ledger_backup_run},
    {.words = "token revoke",
     .doc = "Have a token accepted no more",
     .in = &cli_token_revoke_in_schema,
     .run = token_revoke_run},
    {.words = "config show",
     .doc = "Show what the configuration says, and where",
     .in = &cli_config_in_schema,
     .run = config_show_run},
    {.words = "config check",
     .doc = "Say whether a configuration is acceptable",
     .in = &cli_config_check_in_schema,
     .run = config_check_run},
    {.words = "config sample",
     .doc = "Print a configuration file with every key",
     .in = &cli_config_sample_in_schema,
     .run = config_sample_run},
    {.words = "doctor",
     .doc = "Say what is wrong on this machine, and what to do",
     .run = doctor_run},
    {.words = "version",
     .doc = "Show versions of this program and of the controller",
     .op = &op_catalog[OP_version_get],
     .run = version_run},
#define OP(id, type, method, path, permission, class, limit, in, out, code, verb, doc_)            \
    {.words = verb, .doc = doc_, .op = &op_catalog[OP_##id], .run = call_run},
#include "catalog/rows.h"
};

const struct verb *verb_find(struct slice words)
{
    for (size_t i = 0; i < COUNT_OF(verbs); i++) {
        if (slice_is(words, verbs[i].words))
            return &verbs[i];
    }
    return NULL;
}

const struct verb *verb_next(const struct verb *verb)
{
    for (verb = verb ? verb + 1 : verbs; verb < verbs + COUNT_OF(verbs); verb++) {
        if (verb_find(slice_of(verb->words)) == verb)
            return verb;
    }
    return NULL;
}

bool verb_is_below(const struct verb *verb, struct slice group)
{
    struct slice words = slice_of(verb->words);

    if (group.size == 0)
        return true;
    return words.size > group.size && memcmp(words.at, group.at, group.size) == 0 &&
           words.at[group.size] == ' ';
}

bool verb_is_group(struct slice words)
{
    for (const struct verb *verb = verb_next(NULL); verb; verb = verb_next(verb)) {
        if (verb_is_below(verb, words))
            return true;
    }
    return false;
}

struct slice verb_word_after(const struct verb *verb, struct slice group)
{
    struct slice rest = slice_of(verb->words + group.size + (group.size > 0));
    struct slice word;

    slice_cut(&rest, ' ', &word);
    return word;
}

const char *verb_suggestion(struct slice group, const char *word, struct arena *arena)
{
    struct suggestion suggestion = suggestion_for(slice_of(word));

    for (const struct verb *verb = verb_next(NULL); verb; verb = verb_next(verb)) {
        if (verb_is_below(verb, group))
            suggestion_offer(&suggestion, arena_copy(arena, verb_word_after(verb, group)));
    }
    return suggestion_best(&suggestion);
}
