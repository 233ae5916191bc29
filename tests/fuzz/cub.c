/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whatever the texts of CUB-200's layout say, between bytes 0. */
#include "boxes.h"
#include "fuzz.h"

static const char *const files[] = {
    "images.txt",     "image_class_labels.txt", "classes.txt", "train_test_split.txt",
    "images/x/a.jpg", "images/x/b.jpg",         NULL};

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  const char *folder = fuzz_folder (files);

  fuzz_write_parts (folder, files, 4, data, size);
  fuzz_boxes (folder);
  return 0;
}
