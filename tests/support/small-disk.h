/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A small file system over a folder, which a test can fill. Only this process and those that it
 * starts see it, and it is gone with them. */
#pragma once

#include <glib.h>

/* The folder is there, and hidden meanwhile. `files`: how many files and folders it takes, itself
 * being one; 0: any number. FALSE where that is not permitted, or where this process has started
 * threads: the caller skips its test. */
gboolean test_small_disk_mount (const char *folder, guint bytes, guint files);
/* Gives it as much room. */
void test_small_disk_grow (const char *folder, guint bytes, guint files);
void test_small_disk_unmount (const char *folder);
