/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "worker/leases.h"

#include <string.h>

typedef struct {
  char *id;
  char *job; /* NULL: it does not wait */
  gboolean offered;
  gint64 since; /* it has waited, without a lease */

  char *owner; /* of the highest epoch; NULL: nobody had it */
  guint64 epoch;
  guint lost;
  guint64 done, first; /* results; when its epoch was first seen */
  double position;     /* time in the file of the last of them */
  gboolean free;       /* handed back */
  gint64 expires;

  gboolean ended;
  gint64 end_time;
} Entry;

struct _WorkerLeases {
  WorkerLeasesParams params;
  char *worker;
  GHashTable *by_id;  /* id → Entry */
  GPtrArray *entries; /* Entry, in the order in which they came */
  Entry *mine;        /* claimed, or this worker's */
  gboolean running, closed;
  guint64 epoch; /* of this worker's lease */
  gint64 time;   /* of its claim, or when it was renewed */
};

static void
entry_free (gpointer data)
{
  Entry *entry = data;

  g_free (entry->id);
  g_free (entry->job);
  g_free (entry->owner);
  g_free (entry);
}

WorkerLeases *
worker_leases_new (const WorkerLeasesParams *params)
{
  WorkerLeases *self = g_new0 (WorkerLeases, 1);

  self->params = *params;
  self->worker = g_strdup (params->worker);
  self->by_id = g_hash_table_new (g_str_hash, g_str_equal);
  self->entries = g_ptr_array_new_with_free_func (entry_free);
  return self;
}

void
worker_leases_free (WorkerLeases *self)
{
  g_hash_table_unref (self->by_id);
  g_ptr_array_unref (self->entries);
  g_free (self->worker);
  g_free (self);
}

static Entry *
get_entry (WorkerLeases *self, const char *id)
{
  Entry *entry = g_hash_table_lookup (self->by_id, id);

  if (entry != NULL)
    return entry;
  entry = g_new0 (Entry, 1);
  entry->id = g_strdup (id);
  g_hash_table_insert (self->by_id, entry->id, entry);
  g_ptr_array_add (self->entries, entry);
  return entry;
}

static gboolean
is_mine (const WorkerLeases *self, const Entry *entry)
{
  return g_strcmp0 (entry->owner, self->worker) == 0 && entry->epoch == self->epoch;
}

/* ---- What is told ---- */

void
worker_leases_add_job (WorkerLeases *self, const char *id, const char *job, gboolean offered,
                       gint64 now)
{
  Entry *entry = get_entry (self, id);

  if (entry->job == NULL)
    entry->since = now;
  g_free (entry->job);
  entry->job = g_strdup (job);
  entry->offered |= offered;
}

void
worker_leases_remove_job (WorkerLeases *self, const char *id)
{
  Entry *entry = g_hash_table_lookup (self->by_id, id);

  if (entry == NULL)
    return;
  g_clear_pointer (&entry->job, g_free);
  entry->offered = FALSE;
}

void
worker_leases_observe (WorkerLeases *self, const char *id, const WorkerLease *lease, gint64 now)
{
  Entry *entry = get_entry (self, id);

  /* Of a worker that lost the job, or a claim that came second. */
  if (lease->epoch < entry->epoch
      || (lease->epoch == entry->epoch && entry->owner != NULL
          && strcmp (entry->owner, lease->worker) != 0))
    return;
  if (entry->owner == NULL || lease->epoch > entry->epoch)
    entry->first = lease->done;
  g_free (entry->owner);
  entry->owner = g_strdup (lease->worker);
  entry->epoch = lease->epoch;
  entry->lost = lease->lost;
  if (lease->done >= entry->done)
    entry->position = lease->position;
  entry->done = MAX (entry->done, lease->done);
  entry->free = lease->state == WORKER_LEASE_FREE;
  entry->offered = FALSE;
  entry->expires = entry->free ? now : now + lease->duration;
}

static void
forget_lease (Entry *entry)
{
  g_clear_pointer (&entry->owner, g_free);
  entry->epoch = entry->done = entry->first = 0;
  entry->position = 0;
  entry->lost = 0;
  entry->free = FALSE;
  entry->expires = 0;
}

/* One that waits may have been claimed since. */
void
worker_leases_clear_lease (WorkerLeases *self, const char *id)
{
  Entry *entry = g_hash_table_lookup (self->by_id, id);

  if (entry != NULL && entry != self->mine && entry->job == NULL)
    forget_lease (entry);
}

void
worker_leases_lose_worker (WorkerLeases *self, const char *worker, gint64 now)
{
  for (guint i = 0; i < self->entries->len; i++) {
    Entry *entry = self->entries->pdata[i];

    if (g_strcmp0 (entry->owner, worker) == 0)
      entry->expires = MIN (entry->expires, now);
  }
}

void
worker_leases_end (WorkerLeases *self, const char *id, gint64 now)
{
  Entry *entry = get_entry (self, id);

  entry->ended = TRUE;
  entry->end_time = now;
}

/* ---- What its owner does ---- */

void
worker_leases_set_done (WorkerLeases *self, guint64 done, double position)
{
  if (self->mine == NULL)
    return;
  self->mine->done = done;
  self->mine->position = position;
}

void
worker_leases_release (WorkerLeases *self)
{
  self->mine = NULL;
  self->running = FALSE;
}

void
worker_leases_close (WorkerLeases *self)
{
  self->closed = TRUE;
}

void
worker_leases_forget (WorkerLeases *self, gint64 now)
{
  if (!self->running)
    worker_leases_release (self);
  for (guint i = self->entries->len; i-- > 0;) {
    Entry *entry = self->entries->pdata[i];

    if (entry == self->mine)
      continue;
    g_hash_table_remove (self->by_id, entry->id);
    g_ptr_array_remove_index (self->entries, i);
  }
  /* It is renewed at once. */
  self->time = now - self->params.duration;
}

/* ---- What to do ---- */

static WorkerAction
act (WorkerActionKind kind, const Entry *entry, guint64 epoch)
{
  return (WorkerAction) {kind, entry->id, epoch, entry->lost, entry->done, entry->position};
}

static WorkerAction
abandon (WorkerLeases *self)
{
  gboolean gone = (self->mine->job == NULL || self->mine->ended) && is_mine (self, self->mine);
  WorkerAction action = act (gone ? WORKER_DROP : WORKER_ABANDON, self->mine, self->epoch);

  worker_leases_release (self);
  return action;
}

static WorkerAction
keep_lease (WorkerLeases *self, gint64 now)
{
  if (self->mine->job == NULL || self->mine->ended || !is_mine (self, self->mine)
      || self->mine->free)
    return abandon (self);
  if (now < self->time + self->params.duration / 3)
    return (WorkerAction) {WORKER_NOTHING};
  self->time = now;
  return act (WORKER_RENEW, self->mine, self->epoch);
}

/* Whether this worker's claim came first. An answer that does not come is waited for as long as a
 * lease would last. */
static WorkerAction
await_claim (WorkerLeases *self, gint64 now)
{
  Entry *entry = self->mine;

  if (entry->job != NULL && !entry->ended && is_mine (self, entry)) {
    self->running = TRUE;
    self->time = now - self->params.duration;
    return act (WORKER_START, entry, self->epoch);
  }
  if (entry->job == NULL || entry->ended || entry->epoch >= self->epoch
      || now >= self->time + self->params.duration)
    worker_leases_release (self);
  return (WorkerAction) {WORKER_NOTHING};
}

static gboolean
can_be_claimed (const WorkerLeases *self, const Entry *entry, gint64 now)
{
  if (entry->job == NULL || entry->ended)
    return FALSE;
  if (entry->owner == NULL)
    return entry->offered || now >= entry->since + self->params.grace;
  return now >= MAX (entry->expires, entry->since) + self->params.grace;
}

/* Its owner may have lost the broker alone: those before one that got on are not counted. */
static WorkerAction
claim (WorkerLeases *self, Entry *entry, gint64 now)
{
  gboolean vanished = entry->owner != NULL && !entry->free;
  WorkerAction action = act (WORKER_CLAIM, entry, entry->epoch + 1);

  if (vanished)
    action.lost = 1 + (entry->done > entry->first ? 0 : entry->lost);
  if (action.lost >= self->params.max_lost) {
    action.kind = WORKER_GIVE_UP;
    entry->ended = TRUE;
    entry->end_time = now;
    return action;
  }
  self->mine = entry;
  self->epoch = action.epoch;
  self->time = now;
  return action;
}

/* Nobody needs to know of it any more. The job of a lease may still be on its way. */
static gboolean
is_past (const WorkerLeases *self, const Entry *entry, gint64 now)
{
  if (entry->job != NULL || entry == self->mine)
    return FALSE;
  if (entry->ended)
    return now >= entry->end_time + self->params.keep;
  return entry->owner == NULL || now >= entry->expires + self->params.duration;
}

/* Leases of jobs that were cancelled go from the broker, too. */
static WorkerAction
drop_past (WorkerLeases *self, gint64 now)
{
  for (guint i = self->entries->len; i-- > 0;) {
    Entry *entry = self->entries->pdata[i];

    if (!is_past (self, entry, now))
      continue;
    if (entry->owner != NULL && !entry->ended) {
      WorkerAction action = act (WORKER_CLEAR_LEASE, entry, entry->epoch);

      forget_lease (entry);
      return action;
    }
    g_hash_table_remove (self->by_id, entry->id);
    g_ptr_array_remove_index (self->entries, i);
  }
  return (WorkerAction) {WORKER_NOTHING};
}

/* What was offered to this worker comes before what others left. */
static Entry *
find_claimable (WorkerLeases *self, gint64 now)
{
  Entry *found = NULL;

  for (guint i = 0; i < self->entries->len; i++) {
    Entry *entry = self->entries->pdata[i];

    if (!can_be_claimed (self, entry, now))
      continue;
    if (entry->offered)
      return entry;
    if (found == NULL)
      found = entry;
  }
  return found;
}

/* Whoever did the job clears it; others do if that one could not. */
static WorkerAction
clear (WorkerLeases *self, gint64 now)
{
  for (guint i = 0; i < self->entries->len; i++) {
    Entry *entry = self->entries->pdata[i];

    if (!entry->ended || entry->job == NULL || entry == self->mine
        || now < MAX (entry->end_time, entry->since) + self->params.grace)
      continue;
    g_clear_pointer (&entry->job, g_free);
    return act (WORKER_CLEAR, entry, entry->epoch);
  }
  return (WorkerAction) {WORKER_NOTHING};
}

WorkerAction
worker_leases_next (WorkerLeases *self, gint64 now)
{
  WorkerAction action;
  Entry *entry;

  if (self->mine != NULL && self->running)
    return keep_lease (self, now);
  if (self->mine != NULL)
    return await_claim (self, now);
  action = drop_past (self, now);
  if (action.kind != WORKER_NOTHING)
    return action;
  entry = self->closed ? NULL : find_claimable (self, now);
  return entry != NULL ? claim (self, entry, now) : clear (self, now);
}

const char *
worker_leases_get_job (WorkerLeases *self, const char *id)
{
  const Entry *entry = g_hash_table_lookup (self->by_id, id);

  return entry != NULL ? entry->job : NULL;
}
