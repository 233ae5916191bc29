/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Sets as tools write them, a row each: their files, and what is read of them. */
#pragma once

#include <glib.h>

#define LAYOUT_MAX_FILES 12

typedef struct {
  const char *path;
  const char *text; /* NULL: an empty picture */
} LayoutFile;

typedef struct {
  const char *name;
  LayoutFile files[LAYOUT_MAX_FILES];
  /* "SPLIT FILE:LABEL@X,Y,W,H LABEL FILE: …" in alphabetical order; SPLIT is t, v, e or nothing; a
   * star behind crowds; a question mark behind labels that are not known, alone for all; a minus
   * before those that are said to be absent. */
  const char *expected;
  const char *notes[3]; /* parts of all notes, in order; nothing: there are none */
} LayoutRow;

/* The set is the folder “set”. */
typedef struct {
  const char *name;
  LayoutFile files[LAYOUT_MAX_FILES];
  const char *message; /* a part of it */
} LayoutRefusal;

/* slashed: the folder is given with a slash behind it. */
void layout_check_read (const LayoutRow *row, gboolean slashed);
void layout_check_refused (const LayoutRefusal *row);
