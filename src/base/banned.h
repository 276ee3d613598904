/* SPDX-License-Identifier: MIT */
/*
 * Force-included into every file of ours: calls that are never right here do not compile.
 *
 * The system headers that declare them come first. malloc and friends are macros and not poisoned,
 * since foreign headers use these words as attributes and as names of members; base/mem.c alone
 * undefines them.
 */
#ifndef REEVE_BASE_BANNED_H
#define REEVE_BASE_BANNED_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <alloca.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#if __has_include(<mm_malloc.h>)
#include <mm_malloc.h> /* calls malloc itself */
#endif

#undef alloca
#undef sprintf /* macros where clang fortifies */
#undef vsprintf
#pragma GCC poison strcpy strcat sprintf vsprintf atoi atol atoll strtok localtime gmtime system   \
    popen alloca gets

#undef strdup
#undef strndup
#define malloc(size)         use_mem_alloc_not_malloc
#define calloc(count, size)  use_mem_alloc_not_calloc
#define realloc(block, size) use_mem_realloc_not_realloc
#define strdup(text)         use_mem_strdup_not_strdup
#define strndup(text, size)  use_arena_copy_not_strndup

#endif
