/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "graph/packed-table.h"

static guint
hash_key (gconstpointer data)
{
  const EnsPackedKey *key = data;

  return g_direct_hash (key->constant) * 31 + g_direct_hash (key->kind);
}

static gboolean
equal_keys (gconstpointer a, gconstpointer b)
{
  const EnsPackedKey *x = a, *y = b;

  return x->constant == y->constant && x->kind == y->kind;
}

GHashTable *
ens_packed_table_new (GDestroyNotify free_entry)
{
  return g_hash_table_new_full (hash_key, equal_keys, free_entry, NULL);
}

gpointer
ens_packed_table_find (GHashTable *table, EnsTensor *constant, const char *kind)
{
  const EnsPackedKey key = {constant, g_intern_string (kind)};

  return g_hash_table_lookup (table, &key);
}

void
ens_packed_table_add (GHashTable *table, EnsPackedKey *entry, EnsTensor *constant, const char *kind)
{
  *entry = (EnsPackedKey) {ens_tensor_ref (constant), g_intern_string (kind)};
  g_hash_table_add (table, entry);
}
