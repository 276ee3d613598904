/* SPDX-License-Identifier: MIT */
/*
 * A text that is nobody's to read but the one it is for.
 *
 * A type of its own, so that what writes text (logs, printf, encoders, bufs) does not take it. Each
 * call of secret_reveal() is a place to look at.
 */
#ifndef REEVE_BASE_SECRET_H
#define REEVE_BASE_SECRET_H

#include "base/slice.h"

#define SECRET_SHOWN "***" /* what everybody else sees */

/* Somebody else owns the bytes, as with a slice; never read the member. */
struct secret {
    struct slice revealed_;
};

static inline struct secret secret_of(struct slice text)
{
    return (struct secret){.revealed_ = text};
}

static inline struct slice secret_reveal(const struct secret *secret)
{
    return secret->revealed_;
}

#endif
