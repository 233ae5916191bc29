/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The pictures below a folder by the names that annotations call them by.
 *
 * Names are compared in Unicode's normal form C: the same name may have been written on systems
 * that compose its accents and on others that don't. */
#pragma once

#include <glib.h>

typedef struct _EnsPictureIndex EnsPictureIndex;

/* (transfer full) */
EnsPictureIndex *ens_picture_index_new (const char *folder);
void ens_picture_index_free (EnsPictureIndex *index);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (EnsPictureIndex, ens_picture_index_free)

/* The path of a picture, looked for in `inside`, a folder relative to the index's own ("" for
 * that). The name may have folders, backslashes between them, and lack the ending. NULL if there is
 * none, or several that differ in their endings alone; so for names that leave the folder.
 * (transfer none)
 */
const char *ens_picture_index_find (const EnsPictureIndex *index, const char *inside,
                                    const char *name);
/* The same anywhere below the folder, whatever folders the name has, if there is one such picture
 * alone. */
const char *ens_picture_index_find_anywhere (const EnsPictureIndex *index, const char *name);

/* Whether there is any such picture; `only` is the only one, NULL if there are several. */
gboolean ens_picture_index_has (const EnsPictureIndex *index, const char *name, const char **only);

/* A name in normal form C; of one that is no text, what can be read of it. (transfer full) */
char *ens_name_normalise (const char *name);
