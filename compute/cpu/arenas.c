/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cpu/arenas.h"

#include "base/block.h"

struct _EnsArenas {
  gatomicrefcount references;
  GMutex lock;
  GArray *reserved; /* gsize: what plans need, in no order */
  gsize size;       /* of each idle block: the largest of the above */
  GPtrArray *idle;
  GHashTable *lent; /* block → its size */
};

EnsArenas *
ens_arenas_new (void)
{
  EnsArenas *arenas = g_new0 (EnsArenas, 1);

  g_atomic_ref_count_init (&arenas->references);
  g_mutex_init (&arenas->lock);
  arenas->reserved = g_array_new (FALSE, FALSE, sizeof (gsize));
  arenas->idle = g_ptr_array_new_with_free_func (ens_block_free);
  arenas->lent = g_hash_table_new (NULL, NULL);
  return arenas;
}

EnsArenas *
ens_arenas_ref (EnsArenas *arenas)
{
  g_atomic_ref_count_inc (&arenas->references);
  return arenas;
}

void
ens_arenas_unref (EnsArenas *arenas)
{
  if (!g_atomic_ref_count_dec (&arenas->references))
    return;
  g_array_unref (arenas->reserved);
  g_ptr_array_unref (arenas->idle);
  g_hash_table_unref (arenas->lent);
  g_mutex_clear (&arenas->lock);
  g_free (arenas);
}

static gpointer
fail_block (gsize size, GError **error)
{
  g_autofree char *text = g_format_size (size);

  g_set_error (error, ENS_ERROR, ENS_ERROR_RESOURCE,
               "there is no memory left for %s of intermediate values; take smaller images, or "
               "fewer at a time",
               text);
  return NULL;
}

/* Adapts the idle blocks after a change of what is reserved or lent. FALSE if there should be one
 * and there is no memory for it. */
static gboolean
fit_idle_blocks (EnsArenas *arenas)
{
  gpointer block;
  gsize size = 0;

  for (guint i = 0; i < arenas->reserved->len; i++)
    size = MAX (size, g_array_index (arenas->reserved, gsize, i));
  if (size != arenas->size)
    g_ptr_array_set_size (arenas->idle, 0);
  arenas->size = size;
  if (size == 0 || arenas->idle->len > 0 || g_hash_table_size (arenas->lent) > 0)
    return TRUE;
  block = ens_block_try_new (size);
  if (block != NULL)
    g_ptr_array_add (arenas->idle, block);
  return block != NULL;
}

/* Lock held. */
static void
release (EnsArenas *arenas, gsize size)
{
  for (guint i = 0; i < arenas->reserved->len; i++)
    if (g_array_index (arenas->reserved, gsize, i) == size) {
      g_array_remove_index_fast (arenas->reserved, i);
      break;
    }
  fit_idle_blocks (arenas);
}

gboolean
ens_arenas_reserve (EnsArenas *arenas, gsize size, GError **error)
{
  gboolean done;

  g_mutex_lock (&arenas->lock);
  g_array_append_val (arenas->reserved, size);
  done = fit_idle_blocks (arenas);
  if (!done)
    release (arenas, size);
  g_mutex_unlock (&arenas->lock);
  return done || fail_block (size, error) != NULL;
}

void
ens_arenas_release (EnsArenas *arenas, gsize size)
{
  g_mutex_lock (&arenas->lock);
  release (arenas, size);
  g_mutex_unlock (&arenas->lock);
}

gpointer
ens_arenas_borrow (EnsArenas *arenas, GError **error)
{
  gpointer block;
  gsize size;

  g_mutex_lock (&arenas->lock);
  size = arenas->size;
  block = arenas->idle->len > 0 ? g_ptr_array_steal_index_fast (arenas->idle, arenas->idle->len - 1)
                                : ens_block_try_new (size);
  if (block != NULL)
    g_hash_table_insert (arenas->lent, block, GSIZE_TO_POINTER (size));
  g_mutex_unlock (&arenas->lock);
  return block != NULL ? block : fail_block (size, error);
}

void
ens_arenas_return (EnsArenas *arenas, gpointer block)
{
  g_mutex_lock (&arenas->lock);
  if (GPOINTER_TO_SIZE (g_hash_table_lookup (arenas->lent, block)) == arenas->size)
    g_ptr_array_add (arenas->idle, block);
  else
    ens_block_free (block);
  g_hash_table_remove (arenas->lent, block);
  fit_idle_blocks (arenas);
  g_mutex_unlock (&arenas->lock);
}
