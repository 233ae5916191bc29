/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Tables of packed weights, on whatever device: a packed form is known by the constant that it was
 * made of, and by its kind (see ens_packed_weights_get ()). */
#pragma once

#include "base/tensor.h"

/* What an entry of a table begins with. */
typedef struct {
  EnsTensor *constant; /* referenced; the entry's to unref */
  const char *kind;    /* interned */
} EnsPackedKey;

/* free_entry: for each entry. (transfer full) */
GHashTable *ens_packed_table_new (GDestroyNotify free_entry);
/* The entry, or NULL. */
gpointer ens_packed_table_find (GHashTable *table, EnsTensor *constant, const char *kind);
/* Adds an entry, whose key is set here. */
void ens_packed_table_add (GHashTable *table, EnsPackedKey *entry, EnsTensor *constant,
                           const char *kind);
