/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whatever VGG Image Annotator's JSON says, and behind a byte 0 its table. */
#include "boxes.h"
#include "fuzz.h"

static const char *const files[] = {"via.json", "via.csv", "a.jpg", "train/b.jpg", "c.png", NULL};

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  const char *folder = fuzz_folder (files);

  fuzz_write_parts (folder, files, 2, data, size);
  fuzz_boxes (folder);
  return 0;
}
