/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which files of a folder are YOLO's. */
#pragma once

#include <glib.h>

/* Numbers of a box's label, and those before a polygon's. */
#define ENS_YOLO_BOX_NUMBERS 5

/* What of a folder shows that it is such a set: data.yaml, obj.data, or a file of labels; NULL: it
 * is none. (transfer full) */
char *ens_yolo_find (const char *folder);

gboolean ens_yolo_is_obj_data (const char *path);
/* Whether a file names classes, one a line. */
gboolean ens_yolo_is_names_file (const char *path);
/* Whether a text has a label in its first line. */
gboolean ens_yolo_is_labels (const char *path);

/* The numbers of a label's line; NaN for what is none. (transfer full) */
double *ens_yolo_read_numbers (const char *line, guint *n);
