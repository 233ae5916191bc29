/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The elements of a camera behind its source. */
#pragma once

#include "watch/config.h"

G_BEGIN_DECLS

typedef struct {
  GstElement *pipeline; /* owned; the others belong to it */
  GstElement *pace, *classify, *publish, *valve, *pictures;
} WatchPipeline;

/* publish stays NULL if nothing is published. */
gboolean watch_pipeline_build (WatchPipeline *self, const WatchConfig *config,
                               const WatchCameraConfig *camera, GError **error);

/* The source of video, not yet in the pipeline. (transfer floating) (nullable) */
GstElement *watch_pipeline_make_source (const char *uri);

/* What an error message says, and the last line of its details, such as which file there is not.
 * (transfer full) */
char *watch_describe_error (GstMessage *message);

/* A message without what stands before the "@" of the URI. (transfer full) */
char *watch_hide_password (const char *text, const char *uri);

G_END_DECLS
