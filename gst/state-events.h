/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gst-ensemble: from results to states of classes, and from what changes to events.
 *
 * A thread that analyses gives it each result in turn; events wait until the streaming thread sends
 * them, before the buffer that shows them. Any thread may call any function.
 *
 * An event is a structure “ensemble-event” with class (string), event (string: “appeared”, “left”),
 * pts and running-time (guint64) of the frame that showed it (running-time: later where a minimum
 * duration ended after it), probability (double, smoothed),
 * bundle (string); of “appeared” rect (GVariant (dddd): x, y, width, height in [0, 1]) where a
 * window shows the object; of “left” duration (guint64, nanoseconds that it was present) and reason
 * (string: “absent”; “gap”, no result for too long; “flush”; “model”, a new bundle does not know
 * the class; “end” of the stream). It goes downstream in a serialised GST_EVENT_CUSTOM_DOWNSTREAM,
 * and the same fields onto the bus in an element message “class-appeared” or “class-left”. */
#pragma once

#include <gst/gst.h>

#include "ensemble/bundle.h"

G_BEGIN_DECLS

#define GST_ENSEMBLE_EVENT_NAME "ensemble-event"

typedef struct _GstEnsembleStateEvents GstEnsembleStateEvents;

GstEnsembleStateEvents *gst_ensemble_state_events_new (void);
void gst_ensemble_state_events_free (GstEnsembleStateEvents *events);

/* Results are of this bundle from now on. Classes that it does not know leave. */
void gst_ensemble_state_events_set_bundle (GstEnsembleStateEvents *events, const EnsBundle *bundle);
/* The stretch of stream that frames belong to now: results of earlier ones count for nothing. */
guint gst_ensemble_state_events_get_stretch (GstEnsembleStateEvents *events);
/* A result of the bundle, shared with nobody yet: writes its classes' states. running_time, pts: of
 * the frame, which may be later than the one that was analysed, if it looks like it. */
void gst_ensemble_state_events_take_result (GstEnsembleStateEvents *events, guint stretch,
                                            const EnsTimeOverrides *overrides,
                                            GstClockTime running_time, GstClockTime pts,
                                            EnsResult *result);
/* Time has come to a frame, perhaps without a result of its own, or to the end of a gap. */
void gst_ensemble_state_events_advance (GstEnsembleStateEvents *events, GstClockTime running_time);
/* It needs none, because it looks like the last one that has. */
void gst_ensemble_state_events_hold (GstEnsembleStateEvents *events, GstClockTime running_time);
/* The stretch ends: what is present leaves. */
void gst_ensemble_state_events_end (GstEnsembleStateEvents *events, const char *reason);

/* Sends what waits: messages of the element if `post`, and events downstream of the pad unless
 * NULL. */
void gst_ensemble_state_events_send (GstEnsembleStateEvents *events, GstElement *element,
                                     gboolean post, GstPad *pad);

G_END_DECLS
