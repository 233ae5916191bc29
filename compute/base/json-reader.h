/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reading JSON files strictly.
 *
 * The reader stands in an object or array and goes in and out of others. It remembers the first
 * thing that is wrong, after which everything reads as nothing, so that reading is a plain list of
 * calls with one check at the end. What is wrong is said with file and place:
 * "FILE: networks[1].scales[0]: expected a whole number from 1 to 4096, found -3". A member that
 * nobody asked for is an error too. */
#pragma once

#include "base/error.h"

typedef struct _EnsJsonReader EnsJsonReader;

/* Opens a file that holds an object, and stands in it. Files above 64 MiB and brackets nested more
 * than 64 deep are errors. (transfer full) */
EnsJsonReader *ens_json_reader_open (const char *path, GError **error);
/* The same of a text that ends with a zero, which `size` does not count, and comes from `place`. */
EnsJsonReader *ens_json_reader_parse (const char *place, const char *text, gsize size,
                                      GError **error);
void ens_json_reader_free (EnsJsonReader *reader);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (EnsJsonReader, ens_json_reader_free)

/* Leaves the outermost object. FALSE with the first error. */
gboolean ens_json_reader_finish (EnsJsonReader *reader, GError **error);
gboolean ens_json_reader_failed (const EnsJsonReader *reader);
/* Records an error of its reader's own about a member of where it stands (NULL: about that
 * itself). */
void ens_json_reader_fail (EnsJsonReader *reader, const char *name, const char *format, ...)
    G_GNUC_PRINTF (3, 4);

gboolean ens_json_reader_has (EnsJsonReader *reader, const char *name);
void ens_json_reader_enter_object (EnsJsonReader *reader, const char *name);
/* Returns the number of elements; each is an object that ens_json_reader_enter_element () enters.
 */
guint ens_json_reader_enter_array (EnsJsonReader *reader, const char *name);
void ens_json_reader_enter_element (EnsJsonReader *reader, guint i);
void ens_json_reader_leave (EnsJsonReader *reader);

/* Not empty. NULL after an error. (transfer full) */
char *ens_json_reader_string (EnsJsonReader *reader, const char *name);
/* min after an error. */
double ens_json_reader_number (EnsJsonReader *reader, const char *name, double min, double max);
guint ens_json_reader_integer (EnsJsonReader *reader, const char *name, guint min, guint max);
/* FALSE after an error. */
gboolean ens_json_reader_boolean (EnsJsonReader *reader, const char *name);
/* The position in `names`, NULL-terminated, in capitals or not; 0 after an error. */
guint ens_json_reader_choice (EnsJsonReader *reader, const char *name, const char *const *names);

typedef struct {
  guint min_length, max_length;
  double min, max;
} EnsJsonRange;

/* Arrays. NULL and 0 after an error. (transfer full) */
float *ens_json_reader_numbers (EnsJsonReader *reader, const char *name, const EnsJsonRange *range,
                                guint *n);
guint *ens_json_reader_integers (EnsJsonReader *reader, const char *name, const EnsJsonRange *range,
                                 guint *n);
char **ens_json_reader_strings (EnsJsonReader *reader, const char *name, guint min_length);

/* An object as JSON text, on one line. (transfer full) */
char *ens_json_reader_text (EnsJsonReader *reader, const char *name);
