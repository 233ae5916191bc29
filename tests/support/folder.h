/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A temporary folder for each case of a suite: test_fixture (test_folder_set_up,
 * test_folder_tear_down), or called by other fixtures. */
#pragma once

/* Its path, while a case runs. */
extern char *test_folder;

void test_folder_set_up (void);
/* Removes it with all that is in it. */
void test_folder_tear_down (void);

/* Writes a file of the folder; folders above it are made. */
void test_folder_write (const char *name, const char *text);
