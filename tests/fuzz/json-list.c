/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whatever a JSON list of pictures says. */
#include "boxes.h"
#include "fuzz.h"

static const char *const files[] = {"m.json", "a.jpg", "train/b.jpg", "c.png", NULL};

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  const char *folder = fuzz_folder (files);

  fuzz_write (folder, files[0], data, size);
  fuzz_boxes (folder);
  return 0;
}
