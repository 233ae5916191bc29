/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whatever CVAT's annotations say. */
#include "boxes.h"
#include "fuzz.h"

static const char *const files[] = {"annotations.xml", "images/a.jpg", "images/frame_000001.png",
                                    NULL};

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  const char *folder = fuzz_folder (files);

  fuzz_write (folder, files[0], data, size);
  fuzz_boxes (folder);
  return 0;
}
