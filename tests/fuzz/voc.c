/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whatever a Pascal VOC annotation says. Behind the first byte 0 there may be a list of the
 * training images. */
#include <string.h>

#include "boxes.h"
#include "fuzz.h"

static const char *const files[] = {"JPEGImages/a.jpg", "Annotations/a.xml",
                                    "ImageSets/Main/train.txt", NULL};

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  const char *folder = fuzz_folder (files);
  const guint8 *end = size > 0 ? memchr (data, 0, size) : NULL;
  gsize length = end != NULL ? (gsize)(end - data) : size;

  fuzz_write (folder, files[1], data, length);
  if (end != NULL)
    fuzz_write (folder, files[2], end + 1, size - length - 1);
  else
    fuzz_write (folder, files[2], "a\n", 2);
  fuzz_boxes (folder);
  return 0;
}
