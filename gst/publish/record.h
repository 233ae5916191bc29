/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gst-ensemble: a message on its way. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef enum {
  PUBLISH_RESULT,
  PUBLISH_EVENT,
} PublishKind;

typedef struct {
  PublishKind kind;
  char *source;
  char *line; /* one line of JSON with its newline */
  gsize length;
} PublishRecord;

/* Takes the line, which has a newline at its end. (transfer full) */
PublishRecord *publish_record_new (PublishKind kind, const char *source, char *line);
void publish_record_free (PublishRecord *record);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (PublishRecord, publish_record_free)
/* Bytes of memory that it takes. */
gsize publish_record_size (const PublishRecord *record);

G_END_DECLS
