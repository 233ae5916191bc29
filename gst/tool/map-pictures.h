/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Pictures of where classes are in large frames. */
#pragma once

#include <ensemble/result.h>

typedef struct _ToolMapPictures ToolMapPictures;

/* Pictures go into `folder`, which is made where it is missing. (transfer full) */
ToolMapPictures *tool_map_pictures_new (const char *folder, GError **error);
void tool_map_pictures_free (ToolMapPictures *pictures);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ToolMapPictures, tool_map_pictures_free)

/* Writes a grey PNG for each class of a result with a map: NAME-CLASS.png, NAME being that of the
 * file `path` without its ending (numbered if another file has the same), or NAME-SECONDS-CLASS.png
 * where the result has a time. */
gboolean tool_map_pictures_write (ToolMapPictures *pictures, const char *path,
                                  const EnsResult *result, GError **error);
