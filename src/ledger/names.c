/* SPDX-License-Identifier: MIT */
/*
 * The table `names`: a letter for the kind and the name -> its number, 2 or 4 bytes by kind.
 */
#include "ledger/names.h"

#include "ledger/inside.h"

#include <errno.h>

static const struct kind_row {
    char letter;
    uint8_t number_size; /* bytes */
    uint32_t room;       /* the last number there can be */
    const char *word;
} kinds[NAME_KIND_COUNT] = {
    [NAME_OPERATION] = {.letter = 'o',
                        .number_size = sizeof(uint16_t),
                        .room = UINT16_MAX,
                        .word = "operations"},
    [NAME_USER] = {.letter = 'u',
                   .number_size = sizeof(uint16_t),
                   .room = UINT16_MAX,
                   .word = "users"},
    [NAME_TARGET] = {.letter = 't',
                     .number_size = sizeof(uint32_t),
                     .room = 1u << 20,
                     .word = "label targets"},
    [NAME_BULK] = {.letter = 'b',
                   .number_size = sizeof(uint32_t),
                   .room = UINT32_MAX,
                   .word = "bulk actions"},
};

struct slice name_of_uuid(const struct uuid *id)
{
    return (struct slice){.at = (const char *)id->bytes, .size = sizeof(id->bytes)};
}

/* ---- rows ---- */

struct name_key {
    char bytes[1 + NAME_SIZE_MAX];
    size_t size;
};

/* False when the name is too long to be one. */
static bool name_key(enum name_kind kind, struct slice name, struct name_key *ret)
{
    if (name.size > NAME_SIZE_MAX)
        return false;
    ret->bytes[0] = kinds[kind].letter;
    if (name.size)
        memcpy(ret->bytes + 1, name.at, name.size);
    ret->size = 1 + name.size;
    return true;
}

static struct slice name_key_slice(const struct name_key *key)
{
    return (struct slice){.at = key->bytes, .size = key->size};
}

/* 0: it is none. */
static uint32_t number_decode(enum name_kind kind, struct slice value)
{
    uint16_t small = 0;
    uint32_t large = 0;

    if (value.size != kinds[kind].number_size)
        return 0;
    if (value.size == sizeof(large)) {
        memcpy(&large, value.at, sizeof(large));
        return large;
    }
    memcpy(&small, value.at, sizeof(small));
    return small;
}

static int number_write(struct txn *txn, enum name_kind kind, struct slice key, uint32_t number)
{
    uint16_t small = (uint16_t)number;
    struct slice value = {.at = (const char *)&number, .size = sizeof(number)};

    if (kinds[kind].number_size == sizeof(small))
        value = (struct slice){.at = (const char *)&small, .size = sizeof(small)};
    return table_put(txn, TABLE_NAMES, key, value);
}

struct slice names_begin(enum name_kind kind)
{
    return (struct slice){.at = &kinds[kind].letter, .size = 1};
}

bool names_row_decode(struct slice key, struct slice value, enum name_kind *ret_kind,
                      struct slice *ret_name, uint32_t *ret_number)
{
    for (unsigned kind = 0; kind < NAME_KIND_COUNT; kind++) {
        if (key.size == 0 || key.at[0] != kinds[kind].letter)
            continue;
        *ret_kind = kind;
        *ret_name = (struct slice){.at = key.at + 1, .size = key.size - 1};
        *ret_number = number_decode(kind, value);
        return true;
    }
    return false;
}

/* ---- find ---- */

static int name_get(struct txn *txn, enum name_kind kind, struct slice key, uint32_t *ret)
{
    struct slice value;
    int r = table_get(txn, TABLE_NAMES, key, &value);

    if (r)
        return r;
    uint32_t number = number_decode(kind, value);
    if (number == 0)
        return FAULT(-EUCLEAN);
    *ret = number;
    return 0;
}

int names_find(struct txn *txn, enum name_kind kind, struct slice name, uint32_t *ret)
{
    struct name_key key;

    if (!name_key(kind, name, &key))
        return OUTCOME_NOT_FOUND;
    return name_get(txn, kind, name_key_slice(&key), ret);
}

static bool begins_with(struct slice text, struct slice prefix)
{
    return text.size >= prefix.size && memcmp(text.at, prefix.at, prefix.size) == 0;
}

int names_find_prefix(struct txn *txn, enum name_kind kind, struct slice prefix, uint32_t *ret,
                      size_t max, size_t *ret_n)
{
    struct slice key, value;
    struct name_key first;
    size_t n = 0;
    int r = OUTCOME_NOT_FOUND;

    if (name_key(kind, prefix, &first))
        r = table_seek(txn, TABLE_NAMES, name_key_slice(&first), &key, &value);
    while (!r && begins_with(key, name_key_slice(&first))) {
        uint32_t number = number_decode(kind, value);
        if (number == 0)
            return FAULT(-EUCLEAN);
        if (n == max)
            return OUTCOME_TOO_LARGE;
        ret[n++] = number;
        r = table_next(txn, TABLE_NAMES, &key, &value);
    }
    if (r && r != OUTCOME_NOT_FOUND)
        return r;
    *ret_n = n;
    return 0;
}

/* ---- give ---- */

uint32_t names_last(const struct meta_row *meta, enum name_kind kind)
{
    switch (kind) {
    case NAME_OPERATION:
        return meta->n_operations;
    case NAME_USER:
        return meta->n_users;
    case NAME_TARGET:
        return meta->n_targets;
    case NAME_BULK:
        return meta->n_bulks;
    case NAME_KIND_COUNT:
        break;
    }
    return 0;
}

static void names_raise_last(struct meta_row *meta, enum name_kind kind)
{
    switch (kind) {
    case NAME_OPERATION:
        meta->n_operations++;
        break;
    case NAME_USER:
        meta->n_users++;
        break;
    case NAME_TARGET:
        meta->n_targets++;
        break;
    case NAME_BULK:
        meta->n_bulks++;
        break;
    case NAME_KIND_COUNT:
        break;
    }
}

const char *names_word(enum name_kind kind)
{
    return kinds[kind].word;
}

bool names_has_room(const struct meta_row *meta, enum name_kind kind, struct slice name)
{
    return name.size <= NAME_SIZE_MAX && names_last(meta, kind) < kinds[kind].room;
}

int names_number(struct ledger *ledger, enum name_kind kind, struct slice name, uint32_t *ret)
{
    struct name_key key;
    uint32_t number = 0;

    if (!name_key(kind, name, &key)) {
        *ret = 0;
        return 0;
    }
    int r = name_get(&ledger->txn, kind, name_key_slice(&key), &number);
    if (r == OUTCOME_NOT_FOUND && names_has_room(&ledger->meta, kind, name)) {
        names_raise_last(&ledger->meta, kind);
        ledger->names_added = true;
        number = names_last(&ledger->meta, kind);
        r = number_write(&ledger->txn, kind, name_key_slice(&key), number);
    }
    if (r && r != OUTCOME_NOT_FOUND)
        return r;
    *ret = number;
    return 0;
}
