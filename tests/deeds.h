/* SPDX-License-Identifier: MIT */
/*
 * Bulk actions beside a load: each is done wholly or not at all, whatever is killed meanwhile, and
 * one that was answered is done.
 *
 * They act on jobs of their own: those for a label that the agent has and the load does not ask
 * for. One action is under way at a time.
 */
#ifndef REEVE_TESTS_DEEDS_H
#define REEVE_TESTS_DEEDS_H

#include "verdict.h"

struct deeds;

/* The controller is ready. Both must outlive the deeds. */
struct deeds *deeds_new(struct verdict *verdict, const char *url);
/* A thread asks for one more action, now. */
void deeds_begin(struct deeds *deeds);
/* The controller is ready again: waits for the answer, and judges what was done. */
void deeds_judge(struct deeds *deeds);
void deeds_free(struct deeds *deeds);

#endif
