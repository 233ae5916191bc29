/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Batches lie in a ring. Workers take samples from the oldest batch that has some left; the caller
 * takes the batch at the ring's head and gives back the one that it had before. */
#include "train/loader.h"

#include <string.h>

#include "base/random.h"
#include "dataset/dataset.h"

/* A batch on its way. */
typedef struct {
  guint epoch, batch;
  guint32 *order; /* of the epoch */
  guint n_taken, n_done;
  float *tensors[ENS_LOADER_MAX_TENSORS];
  guint32 *items; /* by sample */
} Slot;

struct _EnsLoader {
  EnsLoaderSource source;
  guint n_slots, n_threads;
  GThread **threads;
  GMutex mutex;
  GCond work, done;
  /* Guarded by the mutex; what a taken sample writes to is its worker's until it is done. */
  Slot *slots;
  guint head;         /* the slot that the caller has, or gets next */
  gboolean is_out;    /* the caller has it */
  guint epoch, batch; /* that follow the ring's last ones */
  gboolean stop;
  GHashTable *broken;  /* items */
  GHashTable *told;    /* char *: what was said of broken items; several may be of one picture */
  GPtrArray *messages; /* of these, those that have not been noted */
};

/* -- positions -- */

guint
ens_loader_get_batches (const EnsLoader *loader)
{
  return loader->source.n_items / loader->source.batch;
}

static void
set_order (EnsLoader *loader, Slot *slot, guint epoch)
{
  const EnsLoaderSource *source = &loader->source;
  EnsRandom random;

  slot->epoch = epoch;
  if (source->order != NULL) {
    source->order (source->data, epoch, slot->order);
    return;
  }
  ens_random_init (&random, &(EnsRandomStream) {source->seed, ENS_RANDOM_ORDER, epoch, 0});
  ens_random_permutation (&random, slot->order, source->n_items);
}

/* Gives a slot the batch that follows all others. */
static void
assign (EnsLoader *loader, Slot *slot)
{
  if (slot->epoch != loader->epoch)
    set_order (loader, slot, loader->epoch);
  slot->batch = loader->batch;
  slot->n_taken = slot->n_done = 0;
  if (++loader->batch == ens_loader_get_batches (loader)) {
    loader->batch = 0;
    loader->epoch++;
  }
}

/* -- workers -- */

static void
add_broken (EnsLoader *loader, guint32 item, const char *message)
{
  g_mutex_lock (&loader->mutex);
  g_hash_table_add (loader->broken, GUINT_TO_POINTER (item));
  if (!g_hash_table_contains (loader->told, message)) {
    char *copy = g_strdup (message);

    g_hash_table_add (loader->told, copy);
    g_ptr_array_add (loader->messages, copy);
  }
  g_mutex_unlock (&loader->mutex);
}

/* Loads a sample, or the next ones that can be. Where all are broken its floats are 0, and the
 * caller learns of it. */
static void
load_sample (EnsLoader *loader, Slot *slot, guint sample)
{
  const EnsLoaderSource *source = &loader->source;
  guint first = slot->batch * source->batch + sample;
  float *tensors[ENS_LOADER_MAX_TENSORS];

  for (guint t = 0; t < source->n_tensors; t++)
    tensors[t] = slot->tensors[t] + sample * source->sizes[t];
  for (guint i = 0; i < source->n_items; i++) {
    g_autoptr (GError) error = NULL;

    slot->items[sample] = slot->order[(first + i) % source->n_items];
    if (source->load (source->data, slot->epoch, slot->items[sample], tensors, &error))
      return;
    add_broken (loader, slot->items[sample], error->message);
  }
  for (guint t = 0; t < source->n_tensors; t++)
    memset (tensors[t], 0, source->sizes[t] * sizeof (float));
}

/* The oldest slot with samples that nobody has taken, or NULL. */
static Slot *
find_work (EnsLoader *loader)
{
  for (guint i = loader->is_out ? 1 : 0; i < loader->n_slots; i++) {
    Slot *slot = &loader->slots[(loader->head + i) % loader->n_slots];

    if (slot->n_taken < loader->source.batch)
      return slot;
  }
  return NULL;
}

static gpointer
work (gpointer data)
{
  EnsLoader *loader = data;

  g_mutex_lock (&loader->mutex);
  while (!loader->stop) {
    Slot *slot = find_work (loader);
    guint sample;

    if (slot == NULL) {
      g_cond_wait (&loader->work, &loader->mutex);
      continue;
    }
    sample = slot->n_taken++;
    g_mutex_unlock (&loader->mutex);
    load_sample (loader, slot, sample);
    g_mutex_lock (&loader->mutex);
    if (++slot->n_done == slot->n_taken)
      g_cond_signal (&loader->done);
  }
  g_mutex_unlock (&loader->mutex);
  return NULL;
}

/* -- the caller's side -- */

EnsLoader *
ens_loader_new (const EnsLoaderSource *source, guint n_threads, guint n_ahead)
{
  EnsLoader *loader = g_new0 (EnsLoader, 1);

  g_return_val_if_fail (source->batch > 0 && source->batch <= source->n_items, NULL);
  loader->source = *source;
  loader->n_slots = n_ahead + 1;
  loader->n_threads = n_threads;
  loader->slots = g_new0 (Slot, loader->n_slots);
  loader->broken = g_hash_table_new (NULL, NULL);
  loader->told = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  loader->messages = g_ptr_array_new ();
  g_mutex_init (&loader->mutex);
  g_cond_init (&loader->work);
  g_cond_init (&loader->done);
  for (guint i = 0; i < loader->n_slots; i++) {
    Slot *slot = &loader->slots[i];

    slot->order = g_new (guint32, source->n_items);
    slot->items = g_new0 (guint32, source->batch);
    for (guint t = 0; t < source->n_tensors; t++)
      slot->tensors[t] = g_new (float, source->batch * source->sizes[t]);
    slot->epoch = G_MAXUINT;
    slot->n_taken = slot->n_done = source->batch; /* nothing to do yet */
  }
  loader->threads = g_new (GThread *, n_threads);
  for (guint i = 0; i < n_threads; i++)
    loader->threads[i] = g_thread_new ("loader", work, loader);
  return loader;
}

void
ens_loader_free (EnsLoader *loader)
{
  g_mutex_lock (&loader->mutex);
  loader->stop = TRUE;
  g_cond_broadcast (&loader->work);
  g_mutex_unlock (&loader->mutex);
  for (guint i = 0; i < loader->n_threads; i++)
    g_thread_join (loader->threads[i]);
  for (guint i = 0; i < loader->n_slots; i++) {
    g_free (loader->slots[i].order);
    g_free (loader->slots[i].items);
    for (guint t = 0; t < loader->source.n_tensors; t++)
      g_free (loader->slots[i].tensors[t]);
  }
  g_free (loader->slots);
  g_free (loader->threads);
  g_hash_table_unref (loader->broken);
  g_ptr_array_unref (loader->messages);
  g_hash_table_unref (loader->told);
  g_cond_clear (&loader->done);
  g_cond_clear (&loader->work);
  g_mutex_clear (&loader->mutex);
  g_free (loader);
}

/* Lets the ring begin at another position. */
static void
seek (EnsLoader *loader, guint epoch, guint batch)
{
  for (guint i = 0; i < loader->n_slots; i++) {
    Slot *slot = &loader->slots[i];

    while (slot->n_done < slot->n_taken)
      g_cond_wait (&loader->done, &loader->mutex);
    slot->n_taken = slot->n_done = loader->source.batch;
  }
  loader->epoch = epoch;
  loader->batch = batch;
  loader->is_out = FALSE;
  for (guint i = 0; i < loader->n_slots; i++)
    assign (loader, &loader->slots[(loader->head + i) % loader->n_slots]);
}

static gboolean
tell_broken (EnsLoader *loader, const EnsMonitor *monitor, GError **error)
{
  guint n_broken = g_hash_table_size (loader->broken), n = loader->source.n_items;

  for (guint i = 0; i < loader->messages->len; i++)
    ens_monitor_note (monitor, "skipped %s", (const char *)loader->messages->pdata[i]);
  if (n_broken * ENS_MIN_IMAGES_PER_BROKEN <= n) {
    g_ptr_array_set_size (loader->messages, 0);
    return TRUE;
  }
  g_set_error (error, ENS_ERROR, ENS_ERROR_DATA,
               "%u of %u training samples can't be read; more than one in %u is too many, such "
               "as %s",
               n_broken, n, ENS_MIN_IMAGES_PER_BROKEN,
               loader->messages->len > 0 ? (const char *)loader->messages->pdata[0] : "before");
  return FALSE;
}

gboolean
ens_loader_next (EnsLoader *loader, guint epoch, guint batch, const EnsMonitor *monitor,
                 EnsLoaderBatch *out, GError **error)
{
  Slot *slot;
  gboolean sound;

  g_return_val_if_fail (batch < ens_loader_get_batches (loader), FALSE);
  g_mutex_lock (&loader->mutex);
  if (loader->is_out) {
    assign (loader, &loader->slots[loader->head]);
    loader->head = (loader->head + 1) % loader->n_slots;
    loader->is_out = FALSE;
  }
  slot = &loader->slots[loader->head];
  if (slot->epoch != epoch || slot->batch != batch) {
    seek (loader, epoch, batch);
    slot = &loader->slots[loader->head];
  }
  g_cond_broadcast (&loader->work);
  while (slot->n_done < loader->source.batch)
    g_cond_wait (&loader->done, &loader->mutex);
  loader->is_out = TRUE;
  sound = tell_broken (loader, monitor, error);
  g_mutex_unlock (&loader->mutex);
  for (guint t = 0; t < loader->source.n_tensors; t++)
    out->tensors[t] = slot->tensors[t];
  out->items = slot->items;
  return sound;
}
