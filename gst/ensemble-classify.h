/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gst-ensemble: the element ensembleclassify.
 *
 * ensemble-classify.c holds the object: bundle and states. classify-properties.c holds its
 * properties, classify-events.c those of states and events, classify-style.c its style,
 * classify-stream.c what happens to buffers, events and queries, classify-failures.c what is told
 * of frames that can't be analysed. */
#pragma once

#include <gst/base/gstbasetransform.h>
#include <gst/video/video.h>

#include "analyser.h"
#include "collector.h"
#include "frame-gate.h"
#include "known-streams.h"
#include "latency-window.h"
#include "state-events.h"
#include "vision/motion.h"

G_BEGIN_DECLS

typedef enum {
  GST_ENSEMBLE_MODE_AUTO,
  GST_ENSEMBLE_MODE_SYNC,
  GST_ENSEMBLE_MODE_ASYNC,
} GstEnsembleMode;

/* What is classified beside the whole frame. */
typedef enum {
  GST_ENSEMBLE_INFERENCE_REGION_FULL_FRAME, /* region proposals */
  GST_ENSEMBLE_INFERENCE_REGION_ROI_LIST,   /* regions of upstream */
} GstEnsembleInferenceRegion;

#define GST_TYPE_ENSEMBLE_INFERENCE_REGION (gst_ensemble_inference_region_get_type ())
GType gst_ensemble_inference_region_get_type (void);

/* Which frames are still. */
typedef struct {
  /* Properties, guarded by the object lock. */
  double least;        /* share of the frame that has to have changed; 0: none */
  GstClockTime period; /* a frame this much later is analysed however still it is; 0: never */
  guint64 n_still;     /* not analysed; the same lock */
  /* Of the streaming thread. */
  EnsMotion *state;
  GstClockTime analysed; /* running time */
  guint revision;
  GstEnsembleRegions *regions; /* NULL: none, or not asked for */
} GstEnsembleMotion;

/* A frame that is due. */
typedef struct {
  GstBuffer *buffer;
  GstClockTime running_time;
  const GstEnsembleRegions *regions; /* of upstream, which are classified; NULL: none are */
  const GstEnsembleSettings *settings;
  guint revision; /* of the settings, read with them */
} GstEnsembleDueFrame;

#define GST_TYPE_ENSEMBLE_CLASSIFY (gst_ensemble_classify_get_type ())
G_DECLARE_FINAL_TYPE (GstEnsembleClassify, gst_ensemble_classify, GST, ENSEMBLE_CLASSIFY,
                      GstBaseTransform)

typedef struct _GstEnsembleModelWatch GstEnsembleModelWatch;

/* What an application has been told of frames that could not be analysed. */
typedef struct {
  guint64 next; /* the number of failures that is told in any case */
  char *reason; /* the last that was told */
  gint64 posted;
  gint64 pause; /* until the next change is told */
} GstEnsembleFailureLog;

struct _GstEnsembleClassify {
  GstBaseTransform parent;

  /* Properties, guarded by the object lock. */
  char *model, *device;
  guint interval;
  GstClockTime period;
  GstEnsembleMode mode;
  GstEnsembleSettings settings;
  gint64 cpu_budget;           /* GstEnsemblePaceSettings */
  GstClockTime latency_budget; /* 0: none */
  guint threads;               /* 0: all processors */
  EnsLimits limits;
  char *style;
  guint style_request; /* the latest one */
  guint model_request; /* the same */
  GstEnsembleCollectSettings collect;
  guint collect_request; /* the same */
  gboolean watch_model;
  gboolean post_messages;
  GstEnsembleInferenceRegion inference_region;
  char *object_class; /* types of regions, separated by commas; NULL: all */
  guint revision;     /* counts what has been set: a still frame may have another result then */
  GstEnsembleMotion motion;

  gboolean running;             /* frames are analysed; guarded by the object lock */
  GstEnsembleModelWatch *watch; /* the same; NULL: none */

  /* From READY on, and from another thread while frames are analysed, under the object lock: the
   * bundle, and the properties it was opened with. */
  EnsEnsemble *ensemble;
  char *opened_model, *opened_device, *opened_style;
  EnsLimits opened_limits;
  guint opened_threads;

  GstEnsembleStateEvents *state_events;
  GstEnsembleAnalyser *analyser; /* lives as long as the element, runs from PAUSED on */

  /* Of the streaming thread. */
  GstVideoInfo info;
  GstEnsembleKnownStreams streams;
  GstEnsembleFrameGate frame_gate;
  guint64 attached; /* the result that buffers carry: the ticket of its frame */
  guint64 retired;  /* what has ended with a frame without regions, up to that ticket */
  GstEnsembleFailureLog failures;

  /* Guarded by the object lock. */
  gboolean live;
  GstClockTime earliest;            /* downstream is too late for frames of earlier running times */
  GstEnsembleLatencyWindow latency; /* what sync mode adds */
  guint64 late;                     /* frames not analysed because of that */
  guint64 unusable;                 /* … and because of their flags */
  guint64 n_without_regions;
};

#define GST_ENSEMBLE_DEFAULT_DEVICE "auto"

void gst_ensemble_classify_install_properties (GObjectClass *object);
/* Those of states and events, numbered from `first` on; `which` is counted from there. Any thread.
 */
void gst_ensemble_classify_install_events_properties (GObjectClass *object, guint first);
void gst_ensemble_classify_set_events_property (GstEnsembleClassify *self, guint which,
                                                const GValue *value);
void gst_ensemble_classify_get_events_property (GstEnsembleClassify *self, guint which,
                                                GValue *value);
/* Sends events that wait, on the streaming thread; only to the bus unless downstream. */
void gst_ensemble_classify_send_events (GstEnsembleClassify *self, gboolean downstream);
/* What is present leaves; results of frames up to now don't count. Any thread. */
void gst_ensemble_classify_end_states (GstEnsembleClassify *self, const char *reason);
/* The same for what is collected. */
void gst_ensemble_classify_install_collect_properties (GObjectClass *object, guint first);
void gst_ensemble_classify_set_collect_property (GstEnsembleClassify *self, guint which,
                                                 const GValue *value);
void gst_ensemble_classify_get_collect_property (GstEnsembleClassify *self, guint which,
                                                 GValue *value);
/* Puts a collector with the properties' settings in the place of the one that runs. */
void gst_ensemble_classify_update_collector (GstEnsembleClassify *self);
/* Changes the property. While frames are analysed the model is opened in a thread, and takes the
 * old one's place between two frames; one that does not work is refused with a warning. Any thread.
 */
void gst_ensemble_classify_set_model (GstEnsembleClassify *self, const char *model);
/* Frames are analysed from now on, or no longer. */
void gst_ensemble_classify_set_running (GstEnsembleClassify *self, gboolean running);
/* Starts or stops watching the files, as the properties say. */
void gst_ensemble_classify_update_watch (GstEnsembleClassify *self);
/* The bundle in use and its device, NULL if there is none. Any thread. (transfer full) */
EnsEnsemble *gst_ensemble_classify_get_ensemble (GstEnsembleClassify *self);
EnsDevice *gst_ensemble_classify_get_device (GstEnsembleClassify *self);
/* What bundle and device are opened with. */
typedef struct {
  const char *model, *device; /* model: NULL or empty: an error */
  guint threads;              /* 0: all processors */
  EnsLimits limits;
} GstEnsembleOpening;

/* NULL on error. (transfer full) */
EnsEnsemble *gst_ensemble_classify_open_model (const GstEnsembleOpening *opening, GError **error);
/* Says on the bus how its networks were loaded. */
void gst_ensemble_classify_post_notes (GstEnsembleClassify *self, EnsEnsemble *ensemble);
/* Changes the property. With an open bundle the style is loaded in a thread; one that can't be is
 * refused with a warning on the bus, and the old one stays. Any thread. */
void gst_ensemble_classify_set_style (GstEnsembleClassify *self, const char *name);
/* Loads what the property says for a bundle that is being opened; and, once it is open, what it has
 * been changed to meanwhile. */
gboolean gst_ensemble_classify_open_style (GstEnsembleClassify *self, EnsEnsemble *ensemble,
                                           GError **error);
void gst_ensemble_classify_check_style (GstEnsembleClassify *self);
/* Whether the bundle, if one is open, takes these scales; if not, posts a warning that says why.
 * Any thread. */
gboolean gst_ensemble_classify_check_scales (GstEnsembleClassify *self,
                                             const GstEnsembleSettings *settings);
/* The same of scales that were set before there was a bundle, which has its own instead then. */
void gst_ensemble_classify_check_early_scales (GstEnsembleClassify *self);
/* Sets the network whose features go with results, and posts a warning if the bundle, if one is
 * open, has none of the name. Any thread. */
void gst_ensemble_classify_set_embedding (GstEnsembleClassify *self, const char *name);
/* The same warning of what was set before. */
void gst_ensemble_classify_check_embedding (GstEnsembleClassify *self);
/* Takes four numbers, x, y, width and height of the part of the frame that is analysed, in [0, 1];
 * none: all of it. A part that reaches beyond the frame is cut, with a warning; of what can't be
 * one, a warning is all that becomes. Any thread. */
void gst_ensemble_classify_set_crop (GstEnsembleClassify *self, const GValue *array);
/* The same numbers, appended to an array. */
void gst_ensemble_classify_get_crop (const EnsRect *crop, GValue *array);
/* Posts a warning if regions of upstream are wanted and the bundle, if one is open, can't classify
 * them. Any thread. */
void gst_ensemble_classify_check_regions (GstEnsembleClassify *self);
/* Which regions of a frame that is due are classified, or NULL for region proposals. (transfer
 * full) FALSE, and counted, if that are regions of upstream and it has none: then there is nothing
 * to classify. */
gboolean gst_ensemble_classify_find_regions (GstEnsembleClassify *self, GstBuffer *buffer,
                                             const GstEnsembleSettings *settings,
                                             GstEnsembleRegions **regions);
/* Whether something has moved in a frame that is due, or its regions are others, since the last one
 * of which this was so, or it is due all the same; if not, it is counted. */
gboolean gst_ensemble_classify_has_moved (GstEnsembleClassify *self,
                                          const GstEnsembleDueFrame *frame);
/* Whatever comes has moved. Of the streaming thread, or while there is none. */
void gst_ensemble_classify_reset_motion (GstEnsembleClassify *self);
/* The n-th failure: whether it is worth a message, which is the case at 1, 10, 100 … and when the
 * reason changes. now: g_get_monotonic_time (). */
gboolean gst_ensemble_failure_log_add (GstEnsembleFailureLog *log, guint64 n, const char *reason,
                                       gint64 now);
void gst_ensemble_failure_log_clear (GstEnsembleFailureLog *log);
/* Warns of frames that could not be analysed, if there are new ones. Of the streaming thread. */
void gst_ensemble_classify_report_failures (GstEnsembleClassify *self);
/* Puts what handles buffers, and events and queries, into the class. */
void gst_ensemble_classify_init_stream (GstBaseTransformClass *klass);
void gst_ensemble_classify_init_pads (GstBaseTransformClass *klass);
/* Whether video goes on without its results. Object lock held. */
gboolean gst_ensemble_classify_is_async (const GstEnsembleClassify *self);
/* From now on caps that the element can't take make an error that says so: the pad refuses them by
 * itself, and all that would be heard of it is “not-negotiated”. */
void gst_ensemble_classify_explain_caps (GstEnsembleClassify *self);
/* Forgets the stream that was: before a new one starts. */
void gst_ensemble_classify_reset_stream (GstEnsembleClassify *self);

G_END_DECLS
