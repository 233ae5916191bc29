/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Writing JSON text.
 *
 * Calls nest as the text does: open a container, write its members, close it. A member of an object
 * has a name, an element of an array has NULL. Numbers are written with as few digits as give back
 * the same value, independent of the locale; what is not finite becomes null. Strings that are not
 * UTF-8 are made so.
 *
 * Source: RFC 8259. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

#define ENS_JSON_MAX_DEPTH 16

typedef enum {
  ENS_JSON_FLAT,  /* the container and all inside it on one line */
  ENS_JSON_BLOCK, /* one member a line, indented */
} EnsJsonLayout;

typedef struct {
  /*< private >*/
  GString *text;
  guint depth;
  gboolean empty; /* nothing written in the innermost container yet */
  char closing[ENS_JSON_MAX_DEPTH];
  EnsJsonLayout layout[ENS_JSON_MAX_DEPTH];
} EnsJson;

void ens_json_init (EnsJson *json);
/* The text. Everything opened must have been closed. (transfer full) */
char *ens_json_finish (EnsJson *json);

/* A container inside a flat one is flat whatever is asked for. */
void ens_json_open_object (EnsJson *json, const char *name, EnsJsonLayout layout);
void ens_json_open_array (EnsJson *json, const char *name, EnsJsonLayout layout);
void ens_json_close (EnsJson *json);

void ens_json_string (EnsJson *json, const char *name, const char *value); /* NULL: null */
void ens_json_float (EnsJson *json, const char *name, float value);
void ens_json_double (EnsJson *json, const char *name, double value);
void ens_json_integer (EnsJson *json, const char *name, gint64 value);
void ens_json_unsigned (EnsJson *json, const char *name, guint64 value);
void ens_json_boolean (EnsJson *json, const char *name, gboolean value);
void ens_json_null (EnsJson *json, const char *name);
/* Arrays on one line: of n numbers, each `stride` behind the last one, and of strings up to a NULL.
 */
void ens_json_floats (EnsJson *json, const char *name, const float *values, gsize n, gsize stride);
void ens_json_strings (EnsJson *json, const char *name, const char *const *values);
/* A value that is JSON text already. */
void ens_json_raw (EnsJson *json, const char *name, const char *text);

G_END_DECLS
