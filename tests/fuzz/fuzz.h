/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Fuzz targets: libFuzzer calls the function with bytes of its making; an assertion that fails, a
 * sanitizer's report, much memory or much time is a finding. */
#pragma once

#include <glib.h>

/* A finding, unless it holds. */
#define FUZZ_EXPECT(condition)                               \
  do {                                                       \
    if (!(condition))                                        \
      g_error ("%s:%d: %s", __FILE__, __LINE__, #condition); \
  } while (0)

int LLVMFuzzerTestOneInput (const guint8 *data, gsize size);

/* A folder in memory that stays for the whole run, with these empty files in it (paths inside it,
 * NULL-terminated; their folders are made). (transfer none) */
const char *fuzz_folder (const char *const *files);
/* Writes one file of the folder. */
void fuzz_write (const char *folder, const char *file, const void *data, gsize size);
/* Writes the first n_files of the files, between bytes 0 of the data; those that nothing is left
 * for become empty. */
void fuzz_write_parts (const char *folder, const char *const *files, guint n_files,
                       const guint8 *data, gsize size);
