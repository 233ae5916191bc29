/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cpu/weights.h"

#include "base/block.h"
#include "graph/packed-table.h"

typedef struct {
  EnsPackedKey key;
  gpointer packed;
} Entry;

struct _EnsPackedWeights {
  gatomicrefcount references;
  GMutex lock;
  GHashTable *entries; /* Entry */
  gsize size;
};

static void
free_entry (gpointer data)
{
  Entry *entry = data;

  ens_tensor_unref (entry->key.constant);
  ens_block_free (entry->packed);
  g_free (entry);
}

EnsPackedWeights *
ens_packed_weights_new (void)
{
  EnsPackedWeights *weights = g_new0 (EnsPackedWeights, 1);

  g_atomic_ref_count_init (&weights->references);
  g_mutex_init (&weights->lock);
  weights->entries = ens_packed_table_new (free_entry);
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

/* NULL if there is no memory, or it was cancelled. */
static Entry *
make_entry (const EnsCpuPlan *plan, const EnsTensor *constant, gsize size, EnsPackFunc pack,
            gpointer state)
{
  gpointer packed = ens_block_try_new (size);
  Entry *entry;

  if (packed != NULL)
    pack (state, constant, packed, plan->pool);
  if (packed == NULL || ens_thread_pool_is_cancelled (plan->pool)) {
    ens_block_free (packed);
    return NULL;
  }
  entry = g_new0 (Entry, 1);
  entry->packed = packed;
  return entry;
}

gconstpointer
ens_packed_weights_get (EnsCpuPlan *plan, EnsTensor *constant, const char *kind, gsize size,
                        EnsPackFunc pack, gpointer state)
{
  EnsPackedWeights *weights = plan->weights;
  Entry *entry;

  g_mutex_lock (&weights->lock);
  entry = ens_packed_table_find (weights->entries, constant, kind);
  if (entry == NULL && (entry = make_entry (plan, constant, size, pack, state)) != NULL) {
    ens_packed_table_add (weights->entries, &entry->key, constant, kind);
    weights->size += size;
  }
  g_mutex_unlock (&weights->lock);
  plan->failed = plan->failed || entry == NULL;
  return entry != NULL ? entry->packed : NULL;
}
