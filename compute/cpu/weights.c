#include "cpu/weights.h"

#include <stdlib.h>

#include "cpu/memory.h"

/* A packed form, and what it is known by. */
typedef struct {
  EnsTensor *constant;
  const char *kind; /* interned */
  gpointer packed;
} Entry;

struct _EnsPackedWeights {
  gatomicrefcount references;
  GMutex lock;
  GHashTable *entries; /* Entry → itself */
  gsize size;
};

static guint
hash_entry (gconstpointer key)
{
  const Entry *entry = key;

  return g_direct_hash (entry->constant) * 31 + g_direct_hash (entry->kind);
}

static gboolean
equal_entries (gconstpointer a, gconstpointer b)
{
  const Entry *x = a, *y = b;

  return x->constant == y->constant && x->kind == y->kind;
}

static void
free_entry (gpointer data)
{
  Entry *entry = data;

  ens_tensor_unref (entry->constant);
  free (entry->packed);
  g_free (entry);
}

EnsPackedWeights *
ens_packed_weights_new (void)
{
  EnsPackedWeights *weights = g_new0 (EnsPackedWeights, 1);

  g_atomic_ref_count_init (&weights->references);
  g_mutex_init (&weights->lock);
  weights->entries = g_hash_table_new_full (hash_entry, equal_entries, free_entry, NULL);
  return weights;
}

EnsPackedWeights *
ens_packed_weights_ref (EnsPackedWeights *weights)
{
  g_atomic_ref_count_inc (&weights->references);
  return weights;
}

void
ens_packed_weights_unref (EnsPackedWeights *weights)
{
  if (!g_atomic_ref_count_dec (&weights->references))
    return;
  g_hash_table_unref (weights->entries);
  g_mutex_clear (&weights->lock);
  g_free (weights);
}

gsize
ens_packed_weights_get_size (EnsPackedWeights *weights)
{
  gsize size;

  g_mutex_lock (&weights->lock);
  size = weights->size;
  g_mutex_unlock (&weights->lock);
  return size;
}

gconstpointer
ens_packed_weights_get (EnsPackedWeights *weights, EnsTensor *constant, const char *kind,
                        gsize size, EnsPackFunc pack, gpointer state)
{
  Entry key = {.constant = constant, .kind = g_intern_string (kind)}, *entry;

  g_mutex_lock (&weights->lock);
  entry = g_hash_table_lookup (weights->entries, &key);
  if (entry == NULL) {
    entry = g_new (Entry, 1);
    *entry = (Entry) {ens_tensor_ref (constant), key.kind, ens_block_new (size)};
    pack (state, constant, entry->packed);
    g_hash_table_add (weights->entries, entry);
    weights->size += size;
  }
  g_mutex_unlock (&weights->lock);
  return entry->packed;
}
