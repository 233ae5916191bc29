/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Boxes in a table, NAME.csv, one a line; its pictures lie in the folder NAME beside it.
 *
 * The first line names the columns: file, width, height, class, xmin, ymin, xmax, ymax at least, in
 * pixels from 0, and perhaps split, as ens_split_parse () reads it. A line that has nothing but a
 * file stands for a picture that shows no object. */
#pragma once

#include "dataset/boxes.h"

/* Whether there is a table beside the folder. */
gboolean ens_boxes_have_csv (const char *folder);
/* Of the table or the folder. As ens_boxes_load (). */
GPtrArray *ens_boxes_load_csv (const char *path, GPtrArray *notes, GError **error);
