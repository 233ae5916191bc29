/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whatever LabelMe's annotation says. */
#include "boxes.h"
#include "fuzz.h"

static const char *const files[] = {"a.json", "a.jpg", "x/b.jpg", NULL};

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  const char *folder = fuzz_folder (files);

  fuzz_write (folder, files[0], data, size);
  fuzz_boxes (folder);
  return 0;
}
