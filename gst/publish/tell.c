/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "publish/tell.h"

#include "publish/destination.h"

#define GST_CAT_DEFAULT publish_debug

#define PERIOD (30 * G_TIME_SPAN_SECOND) /* between two warnings of one kind */

void
publish_teller_init (PublishTeller *self, GstElement *element, PublishReport report,
                     const char *location)
{
  *self = (PublishTeller) {.report = report, .location = location};
  g_weak_ref_init (&self->element, element);
}

void
publish_teller_clear (PublishTeller *self)
{
  g_weak_ref_clear (&self->element);
  g_free (self->reason);
}

static void
tell (PublishTeller *self, gboolean warning, const char *text)
{
  GstElement *element = g_weak_ref_get (&self->element);

  if (element == NULL)
    return;
  self->report (element, warning, text);
  gst_object_unref (element);
}

static gboolean
is_due (PublishTeller *self, PublishTell kind)
{
  gint64 now = g_get_monotonic_time ();

  if (now < self->next[kind])
    return FALSE;
  self->next[kind] = now + PERIOD;
  return TRUE;
}

static void
set_reason (PublishTeller *self, const char *reason)
{
  g_free (self->reason);
  self->reason = g_strdup (reason);
}

void
publish_tell_log (PublishTeller *self, const char *what)
{
  GstElement *element = g_weak_ref_get (&self->element);

  GST_INFO_OBJECT (element, "%s %s", what, self->location);
  g_clear_pointer (&element, gst_object_unref);
}

void
publish_tell_warning (PublishTeller *self, PublishTell kind, const char *text)
{
  if (kind == PUBLISH_TELL_SPOOL)
    set_reason (self, text);
  if (is_due (self, kind))
    tell (self, TRUE, text);
}

void
publish_tell_away (PublishTeller *self, const GError *error, gboolean quiet)
{
  GST_DEBUG ("%s", error->message);
  set_reason (self, error->message);
  if (quiet || self->told_away || !is_due (self, PUBLISH_TELL_AWAY))
    return;
  self->told_away = TRUE;
  tell (self, TRUE, error->message);
}

void
publish_tell_back (PublishTeller *self)
{
  g_autofree char *text = NULL;

  set_reason (self, NULL);
  if (!self->told_away)
    return;
  self->told_away = FALSE;
  text = g_strdup_printf ("%s: results arrive again", self->location);
  tell (self, FALSE, text);
}

void
publish_tell_refused (PublishTeller *self, const GError *reason)
{
  set_reason (self, reason->message);
}

void
publish_tell_losses (PublishTeller *self, guint64 total, gboolean last)
{
  g_autofree char *text = NULL;

  if (total == self->reported || (!is_due (self, PUBLISH_TELL_LOSSES) && !last))
    return;
  text = g_strdup_printf ("%s: results are being lost: %" G_GUINT64_FORMAT " so far%s%s",
                          self->location, total, self->reason != NULL ? ": " : "",
                          self->reason != NULL ? self->reason : "");
  self->reported = total;
  tell (self, TRUE, text);
}

gint64
publish_tell_losses_time (const PublishTeller *self, guint64 total)
{
  return self->reported < total ? self->next[PUBLISH_TELL_LOSSES] : G_MAXINT64;
}
