/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What of a data set is left out, counted by reason: nothing is dropped without a word. */
#pragma once

#include <glib.h>

#include "dataset/listing.h"

typedef enum {
  ENS_LEFT_OUT_UNNAMED, /* pictures that no annotation has */
  ENS_LEFT_OUT_FORMAT,
  ENS_LEFT_OUT_OUTSIDE,    /* pictures beside the classes' folders */
  ENS_LEFT_OUT_FOLDER,     /* that is no split */
  ENS_LEFT_OUT_ANNOTATION, /* files that could be annotations */
  ENS_LEFT_OUT_OTHER,
  ENS_LEFT_OUT_NO_FILE,
  ENS_LEFT_OUT_LOOP,
  ENS_LEFT_OUT_HIDDEN,
  ENS_N_LEFT_OUT
} EnsLeftOutReason;

/* How often, and one path of each. */
typedef struct {
  guint n[ENS_N_LEFT_OUT];
  char *example[ENS_N_LEFT_OUT];
} EnsLeftOut;

void ens_left_out_clear (EnsLeftOut *left_out);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (EnsLeftOut, ens_left_out_clear)

void ens_left_out_add (EnsLeftOut *left_out, EnsLeftOutReason reason, const char *path);
/* The same of names in a folder. */
void ens_left_out_add_names (EnsLeftOut *left_out, EnsLeftOutReason reason, const char *folder,
                             const GPtrArray *names);
/* A listing's hidden files, and what is no file. */
void ens_left_out_add_rest (EnsLeftOut *left_out, const char *folder, const EnsListing *listing);

/* Of a file by its name alone; pictures are those that no annotation has. */
EnsLeftOutReason ens_left_out_find_reason (const char *name);

/* "pictures in formats …: 2, such as PATH; …"; empty if there is nothing to tell. (transfer full)
 */
char *ens_left_out_describe (const EnsLeftOut *left_out);

/* Adds "FOLDER: left out …" to the notes (char *), if there is something to tell. */
void ens_left_out_tell (const EnsLeftOut *left_out, const char *folder, GPtrArray *notes);

/* The names of a set in byte order, but not more than can be read. (transfer full) */
char *ens_left_out_list_names (GHashTable *set);

/* Counts every file below the folder that is not among `used` (canonical paths), nor below a folder
 * that is: pictures, what could be annotations, and the rest. */
void ens_left_out_add_unused (EnsLeftOut *left_out, const char *folder, GHashTable *used);
