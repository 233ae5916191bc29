/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tags.h"

#include <gst/ensemble/meta.h>

#include "ensemble/result-select.h"

static void
clear_tags (gpointer data)
{
  GstEnsembleTags *tags = data;

  gst_structure_free (tags->structure);
  ens_result_unref (tags->result);
  ens_result_unref (tags->whole);
}

GstEnsembleTags *
gst_ensemble_tags_new (EnsResult *result, guint top_k, const GstEnsembleTags *origin)
{
  GstEnsembleTags *tags = g_atomic_rc_box_new (GstEnsembleTags);

  tags->whole = ens_result_ref (result);
  tags->result = ens_result_top (result, top_k);
  tags->structure = gst_ensemble_structure_new (tags->result);
  tags->running_time = origin->running_time;
  tags->stretch = origin->stretch;
  tags->ticket = origin->ticket;
  tags->submitted = origin->submitted;
  return tags;
}

GstEnsembleTags *
gst_ensemble_tags_ref (GstEnsembleTags *tags)
{
  return g_atomic_rc_box_acquire (tags);
}

void
gst_ensemble_tags_unref (GstEnsembleTags *tags)
{
  g_atomic_rc_box_release_full (tags, clear_tags);
}

static gboolean
have_same_states (const EnsResult *a, const EnsResult *b)
{
  for (guint c = 0; c < a->n_classes; c++)
    if (a->classes[c].state != b->classes[c].state)
      return FALSE;
  return TRUE;
}

/* With these classes' states. (transfer full) */
static EnsResult *
copy_with_classes (const EnsResult *result, const EnsClassResult *classes)
{
  g_autofree guint *all = g_new (guint, result->n_classes);
  EnsResult *copy;

  for (guint c = 0; c < result->n_classes; c++)
    all[c] = c;
  copy = ens_result_select (result, all, result->n_classes);
  for (guint c = 0; c < result->n_classes; c++) {
    copy->classes[c].smoothed = classes[c].smoothed;
    copy->classes[c].state = classes[c].state;
  }
  return copy;
}

GstEnsembleTags *
gst_ensemble_tags_repeat (const GstEnsembleTags *tags, GstEnsembleStateEvents *state_events,
                          const GstEnsembleRepeat *frame)
{
  const guint n_classes = tags->whole->n_classes;
  g_autofree EnsClassResult *classes =
      g_memdup2 (tags->whole->classes, n_classes * sizeof *tags->whole->classes);
  g_autoptr (EnsResult) again = NULL;
  EnsResult seen = *tags->whole;

  /* Still frames come by the dozen, and most change nothing: only classes are copied for each. */
  seen.classes = classes;
  gst_ensemble_state_events_take_result (state_events, tags->stretch, frame->time,
                                         frame->running_time, frame->pts, &seen);
  if (have_same_states (&seen, tags->whole))
    return NULL;
  again = copy_with_classes (tags->whole, classes);
  return gst_ensemble_tags_new (again, frame->top_k, tags);
}
