/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gst-ensemble: JSON files of other programs, of which only known members are read. Nodes and
 * objects are borrowed; a node may be NULL, which holds nothing. Any thread. */
#pragma once

#include <json-glib/json-glib.h>

#include "train/preprocess-private.h"

G_BEGIN_DECLS

/* A file's root, which belongs to the parser; NULL if there is no such file, if it can't be read,
 * of which the source's preprocessing gets a note, or if it is no object. */
JsonObject *ens_preprocess_json_load (const EnsPreprocessSource *source, JsonParser *parser,
                                      const char *path);

/* A member of one of these names, up to a NULL; NULL if there is none. What stands in parentheses
 * behind a name is for people: "mean (of 0..255 values)". */
JsonNode *ens_preprocess_json_find (JsonObject *object, const char *const *names);
#define ENS_PREPROCESS_FIND(object, ...) \
  ens_preprocess_json_find (object, (const char *const[]) {__VA_ARGS__, NULL})

/* The member if it is an object, else NULL. */
JsonObject *ens_preprocess_json_object (JsonObject *object, const char *name);
/* NULL if it is no string. */
const char *ens_preprocess_json_text (JsonNode *node);
/* A number or an array of them, at most max; returns how many, 0 if it is something else. */
guint ens_preprocess_json_numbers (JsonNode *node, double *numbers, guint max);
/* NULL if it is no array of strings. (transfer full) */
char **ens_preprocess_json_strings (JsonNode *node);

/* Means and deviations of n channels. */
typedef struct {
  double means[3], deviations[3];
  guint n;
} EnsPreprocessRange;

/* Each a number, for all channels, or three; FALSE if they are something else. */
gboolean ens_preprocess_json_range (JsonNode *mean, JsonNode *deviation, EnsPreprocessRange *range);

G_END_DECLS
