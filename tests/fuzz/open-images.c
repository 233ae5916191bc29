/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whatever Open Images' tables say: boxes, and behind a byte 0 each labels and what classes are
 * called. */
#include "boxes.h"
#include "fuzz.h"

static const char *const files[] = {
    "train-annotations-bbox.csv", "train-annotations-human-imagelabels.csv",
    "class-descriptions.csv",     "train/a.jpg",
    "validation/b.jpg",           NULL};

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  const char *folder = fuzz_folder (files);

  fuzz_write_parts (folder, files, 3, data, size);
  fuzz_boxes (folder);
  return 0;
}
