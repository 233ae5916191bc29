/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/batch-former.h"

/* Who is longer between two frames than so many timeouts, and than so many microseconds, is not
 * awaited: also cameras of few frames with a short timeout can be in step. */
#define AWAY_TIMEOUTS 10
#define AWAY_TIME G_USEC_PER_SEC

struct _EnsBatchFormer {
  GEqualFunc alike;
  GPtrArray *streams; /* EnsBatchStream */
  GQueue waiting;     /* of them, in the order of waiting */
  guint64 n_batches;
};

struct _EnsBatchStream {
  gpointer data;
  EnsBatchSettings settings; /* of the frame */
  gint64 patience;           /* what is left of the timeout */
  gboolean in_frame;
  gint64 ended;  /* the last frame, if not in one */
  guint64 party; /* the number of the batch that the frame went in last; 0: in none so far */
  gboolean waits, alone;
  gconstpointer work;
  guint most;
  gint64 since;
};

EnsBatchFormer *
ens_batch_former_new (GEqualFunc alike)
{
  EnsBatchFormer *former = g_new0 (EnsBatchFormer, 1);

  former->alike = alike;
  former->streams = g_ptr_array_new_with_free_func (g_free);
  g_queue_init (&former->waiting);
  return former;
}

void
ens_batch_former_free (EnsBatchFormer *former)
{
  g_return_if_fail (former->streams->len == 0);
  g_ptr_array_unref (former->streams);
  g_free (former);
}

EnsBatchStream *
ens_batch_former_join (EnsBatchFormer *former, gpointer data)
{
  EnsBatchStream *stream = g_new0 (EnsBatchStream, 1);

  stream->data = data;
  g_ptr_array_add (former->streams, stream);
  return stream;
}

void
ens_batch_former_leave (EnsBatchFormer *former, EnsBatchStream *stream)
{
  ens_batch_former_withdraw (former, stream);
  g_ptr_array_remove (former->streams, stream);
}

gpointer
ens_batch_stream_get_data (const EnsBatchStream *stream)
{
  return stream->data;
}

void
ens_batch_stream_begin (EnsBatchStream *stream, const EnsBatchSettings *settings)
{
  stream->settings = *settings;
  stream->patience = settings->timeout;
  stream->in_frame = TRUE;
  stream->party = 0;
}

void
ens_batch_stream_end (EnsBatchStream *stream, gint64 now)
{
  stream->ended = now;
  stream->in_frame = FALSE;
  stream->party = 0;
}

void
ens_batch_former_wait (EnsBatchFormer *former, EnsBatchStream *stream,
                       const EnsBatchRequest *request)
{
  g_return_if_fail (!stream->waits);
  stream->waits = TRUE;
  stream->alone = FALSE;
  stream->work = request->work;
  stream->most = request->most;
  stream->since = request->now;
  g_queue_push_tail (&former->waiting, stream);
}

void
ens_batch_former_withdraw (EnsBatchFormer *former, EnsBatchStream *stream)
{
  if (stream->waits)
    g_queue_remove (&former->waiting, stream);
  stream->waits = FALSE;
}

void
ens_batch_former_put_back (EnsBatchFormer *former, EnsBatchStream *stream)
{
  g_return_if_fail (!stream->waits);
  stream->waits = stream->alone = TRUE;
  g_queue_push_head (&former->waiting, stream);
}

static guint
get_limit (const EnsBatchStream *stream)
{
  return stream->alone ? 1 : MAX (MIN (stream->settings.size, stream->most), 1);
}

/* The batch that a stream leads, and how many it may hold. */
static guint
gather (const EnsBatchFormer *former, EnsBatchStream *leader, GPtrArray *batch)
{
  guint limit = get_limit (leader);

  g_ptr_array_set_size (batch, 0);
  g_ptr_array_add (batch, leader);
  for (const GList *link = former->waiting.head; link != NULL && batch->len < limit;
       link = link->next) {
    EnsBatchStream *stream = link->data;
    guint most = get_limit (stream);

    if (stream == leader || most <= batch->len || !former->alike (leader->work, stream->work))
      continue;
    g_ptr_array_add (batch, stream);
    limit = MIN (limit, most);
  }
  return limit;
}

static gboolean
is_away (const EnsBatchStream *leader, const EnsBatchStream *stream, gint64 now)
{
  return !stream->in_frame
         && now - stream->ended > MAX (AWAY_TIMEOUTS * leader->settings.timeout, AWAY_TIME);
}

/* Whether a stream that does not wait yet may come in time. A frame that begins waits for any that
 * is not away; one that has gone in a batch for those that went with it, which are about to come
 * with the same work. */
static gboolean
may_come (const EnsBatchStream *leader, const EnsBatchStream *stream, gint64 now)
{
  if (stream->waits || stream->settings.size < 2 || is_away (leader, stream, now))
    return FALSE;
  return leader->party == 0 || (stream->in_frame && stream->party == leader->party);
}

static gboolean
any_may_come (const EnsBatchFormer *former, const EnsBatchStream *leader, gint64 now)
{
  for (guint i = 0; i < former->streams->len; i++)
    if (may_come (leader, g_ptr_array_index (former->streams, i), now))
      return TRUE;
  return FALSE;
}

/* All lose of their patience what they have waited while nothing ran. For those who stay the next
 * wait begins when this batch has ended. */
static void
use_patience (EnsBatchFormer *former, gint64 free_since, gint64 now)
{
  for (const GList *link = former->waiting.head; link != NULL; link = link->next) {
    EnsBatchStream *stream = link->data;

    stream->patience -= MIN (MAX (now - MAX (stream->since, free_since), 0), stream->patience);
  }
}

/* Those in the batch no longer wait. */
static void
take (EnsBatchFormer *former, gint64 free_since, gint64 now, const GPtrArray *batch)
{
  former->n_batches++;
  use_patience (former, free_since, now);
  for (guint i = 0; i < batch->len; i++) {
    EnsBatchStream *stream = g_ptr_array_index (batch, i);

    ens_batch_former_withdraw (former, stream);
    stream->party = former->n_batches;
  }
}

gboolean
ens_batch_former_next (EnsBatchFormer *former, gint64 free_since, gint64 now, GPtrArray *batch,
                       gint64 *until)
{
  *until = G_MAXINT64;
  for (GList *link = former->waiting.head; link != NULL; link = link->next) {
    EnsBatchStream *leader = link->data;
    gint64 deadline = MAX (leader->since, free_since) + leader->patience;

    if (gather (former, leader, batch) == batch->len || now >= deadline
        || !any_may_come (former, leader, now)) {
      take (former, free_since, now, batch);
      return TRUE;
    }
    *until = MIN (*until, deadline);
  }
  g_ptr_array_set_size (batch, 0);
  return FALSE;
}
