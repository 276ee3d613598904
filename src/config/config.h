/* SPDX-License-Identifier: MIT */
/*
 * Configuration: from file, environment and command line to the struct of a row
 * (catalog/config.def).
 *
 * A key is named by its path, "retention.queries". It may stand in the file, in the environment
 * (REEVE_RETENTION_QUERIES) and on the command line (--retention.queries 12h); what stands later in
 * this list wins, without any the row's default holds. In the environment lists and maps are
 * written as in the file, on one line: [a, b] and {group: web}. On the command line a list's flag
 * is repeated, and a map's key is part of the flag: --labels.group web.
 *
 * Whatever is not acceptable is refused with the place it stands in: "FILE:LINE: ", "REEVE_PORT: "
 * or "--port: ".
 */
#ifndef REEVE_CONFIG_CONFIG_H
#define REEVE_CONFIG_CONFIG_H

#include "catalog/catalog.h"

#define CONFIG_FILE_MAX     ((size_t)1 << 20) /* bytes */
#define CONFIG_DEPTH_MAX    8
#define CONFIG_SETTINGS_MAX 10000 /* values of all keys */
#define CONFIG_NAME_MAX     64    /* bytes of a name of one's own, such as a role's */

/* Whose configuration it is. */
struct config_program {
    const char *name, *doc; /* of the program */
    const struct schema *schema;
    const char *file;        /* read when it is there and no other was named */
    const char *environment; /* what its variables begin with */
    int (*check)(const void *values, struct refusal *why); /* of single values; NULL: none */
    /* The file and its directory must belong to root, or to the user of this process, and be
       nobody else's to write: it is the host's own word (docs/configuration.md). */
    bool is_guarded;
};
extern const struct config_program config_controller, config_agent;

/* One value that was given. */
struct setting {
    const char *path;
    const char *text;   /* NULL: an object or a list is there, maybe empty */
    const char *origin; /* "/etc/reeve/reeve.yaml:12", "REEVE_PORT", "--port" */
    const struct field *field;
};

/* All that was given, in the order of precedence: of two with one path the later holds, unless they
   are the values of one list. Everything is in the arena. */
struct config {
    struct arena *arena;
    const struct config_program *program;
    const char *file; /* that was read; NULL: none */
    struct setting *settings;
    size_t n, room;
};

/* What a command line says besides keys. */
struct config_flags {
    const char *file; /* --config */
    int64_t ready_fd; /* --ready-fd; -1: not given */
    bool help, version;
};

/*
 * Reads all three and fills *ret (of program->schema), which points into the arena; *ret_config
 * tells where each value came from. With --help or --version only *ret_flags is filled. 0;
 * OUTCOME_USAGE not acceptable; OUTCOME_UNAVAILABLE the file can't be read, or is not guarded.
 */
int config_read(const struct config_program *program, char **argv, struct arena *arena,
                struct config_flags *ret_flags, struct config *ret_config, void *ret,
                struct refusal *why);

/* A configuration with the memory it lives in. */
struct config_generation {
    struct arena arena;
    struct config config;
    void *values; /* the schema's struct */
};
/* As config_read(). *ret is NULL after a refusal, and with --help or --version. */
int config_generation_read(const struct config_program *program, char **argv,
                           struct config_flags *ret_flags, struct config_generation **ret,
                           struct refusal *why);
void config_generation_free(struct config_generation *generation); /* accepts NULL */

/* What a running program goes by: the configuration of its start, to which its parts may point for
   as long as they live, and that of now, which may be the same. */
struct config_followed {
    const struct config_program *program;
    char **argv; /* flags */
    struct config_generation *first, *now;
};

struct config_follower {
    /* Hands on the keys of place RELOAD. Not 0: a refusal, and nothing was handed on. */
    int (*take)(void *owner, const void *values, struct refusal *why);
    /* Every key of place RELOAD that is not what it was, and of the others that is not what the
       program started with: those wait for the next start. */
    void (*note)(void *owner, const char *path, const struct field *field);
    void *owner;
};
/* At the start, before any thread. As config_read(); ret->first is NULL after a refusal, and with
   --help or --version. */
int config_follow(const struct config_program *program, char **argv, struct config_flags *ret_flags,
                  struct config_followed *ret, struct refusal *why);
/* Reads it again. 0, and it is that of now; otherwise as config_read() or take(), and all stays as
   it was. */
int config_follow_again(struct config_followed *followed, const struct config_follower *follower,
                        struct refusal *why);
void config_followed_release(struct config_followed *followed);

/* File (NULL: none) and environment, as the program itself would read them before its flags; `ret`
   is of its schema. Outcomes as above. */
int config_read_file(const struct config_program *program, const char *file, struct arena *arena,
                     struct config *ret_config, void *ret, struct refusal *why);

/* The parts of config_read(), for those who look at a configuration that is not theirs. */
void config_init(struct config *config, const struct config_program *program, struct arena *arena);
int config_add_file(struct config *config, const char *path, struct refusal *why);
int config_add_environment(struct config *config, struct refusal *why);
/* "--name VALUE" at argv[0], or "--name=VALUE": *ret_taken words. */
int config_add_flag(struct config *config, char **argv, int *ret_taken, struct refusal *why);
int config_decode(const struct config *config, void *ret, struct refusal *why);

/* ---- keys ---- */

/* Each key of the schema that holds a value, a list or a map, in order of the rows. A non-zero
   return of `each` stops the walk and is returned. */
int config_each_key(const struct schema *schema,
                    int (*each)(void *owner, const char *path, const struct field *field),
                    void *owner);
/* The variable of a key, in the arena. */
const char *config_variable(const struct config_program *program, const char *path,
                            struct arena *arena);
/* What holds for a key as one line of YAML, its default if it was not given; NULL when it has
   neither. *ret_origin: NULL for a default. */
const char *config_value(const struct config *config, const char *path, const struct field *field,
                         const char **ret_origin);

/* Calls `each` for every key whose value is not the same in both. */
int config_each_change(const struct config *before, const struct config *after,
                       void (*each)(void *owner, const char *path, const struct field *field),
                       void *owner);

/* ---- documents ---- */

/* --help of a program. */
void config_write_help(const struct config_program *program, struct buf *to);
/* A manual page of a program, for man(1). */
void config_write_man(const struct config_program *program, struct buf *to);
/* A file of all keys with their defaults, each commented out. */
void config_write_sample(const struct config_program *program, struct buf *to);
/* docs/configuration.md */
void config_write_document(struct buf *to);

#endif
