/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "publish/record.h"

#include <string.h>

PublishRecord *
publish_record_new (PublishKind kind, const char *source, char *line)
{
  PublishRecord *record = g_new (PublishRecord, 1);

  *record = (PublishRecord) {kind, g_strdup (source), line, strlen (line)};
  return record;
}

void
publish_record_free (PublishRecord *record)
{
  g_free (record->source);
  g_free (record->line);
  g_free (record);
}

gsize
publish_record_size (const PublishRecord *record)
{
  return sizeof *record + strlen (record->source) + 1 + record->length + 1;
}
