/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whatever data.yaml says, and behind a byte 0 each a picture's labels and a list of pictures. */
#include "boxes.h"
#include "fuzz.h"

static const char *const files[] = {"data.yaml",    "labels/a.txt", "train.txt",
                                    "images/a.jpg", "images/b.jpg", NULL};

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  const char *folder = fuzz_folder (files);

  fuzz_write_parts (folder, files, 3, data, size);
  fuzz_boxes (folder);
  return 0;
}
