/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Blocks of memory for numbers. Large ones are mappings of their own: the C library's heap, asked
 * again and again for large aligned memory by many threads, splits it up and grows for ever. */
#pragma once

#include <glib.h>

/* `size` bytes at a multiple of 64, from 2 MiB on at a huge page, which the kernel is asked for;
 * contents are undefined. NULL when there is no memory. Freed with ens_block_free (). Any thread.
 */
gpointer ens_block_try_new (gsize size);
/* The same, but aborts when there is no memory: for sizes that are a small multiple of what has
 * been read. */
gpointer ens_block_new (gsize size);
/* NULL is nothing to free. */
void ens_block_free (gpointer block);
