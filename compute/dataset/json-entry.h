/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A picture with its classes as JSON has it, whether a line each or in a list.
 *
 *   {"file_name": "b.jpg", "labels": ["cat", "dog"], "split": "train"}
 *   {"file_name": "c.jpg", "width": 64, "height": 48,
 *    "objects": {"bbox": [[0, 0, 32, 24]], "categories": ["cat"]}}
 *   {"image": "d.jpg", "annotations": [{"label": "cat",
 *    "coordinates": {"x": 16, "y": 12, "width": 32, "height": 24}}]}
 *
 * Members are called as the columns of tables are (boxes-csv.c). A number is a class's name; an
 * empty list is none of the classes, and null nothing that is known. Boxes are left, top, width and
 * height in pixels, coordinates those of their middle; without the picture's size it is not known
 * where they are.
 *
 * Sources: https://huggingface.co/docs/datasets/image_dataset;
 * https://developer.apple.com/documentation/createml/building-an-object-detector-data-source. */
#pragma once

#include "base/json-scan.h"
#include "dataset/boxes-private.h"

/* A file while it is read. */
typedef struct {
  EnsBoxesReading *reading;
  const char *path;
  char *inside;        /* the file's folder, below the set's own */
  gint split;          /* that its name or folder says */
  GHashTable *by_path; /* picture → EnsBoxedImage */
  GPtrArray *images;
  GPtrArray *unread; /* char *: names of members that mean nothing here; NULL: nobody asks */
  EnsBoxesTally tally;
} EnsJsonReader;

/* by_path and images: NULL to look at entries alone. */
void ens_json_reader_init (EnsJsonReader *reader, EnsBoxesReading *reading, const char *path,
                           GHashTable *by_path, GPtrArray *images);
void ens_json_reader_clear (EnsJsonReader *reader);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (EnsJsonReader, ens_json_reader_clear)
/* Notes the members that were not read. */
void ens_json_reader_tell (EnsJsonReader *reader);

/* What an entry says. */
typedef struct {
  char *split;
  const char *picture; /* NULL: none that there is */
  char *file;          /* as the entry calls it */
  GPtrArray *labels;   /* char * */
  gboolean classed;    /* has a member for them, or for objects */
  gboolean labelled;   /* and it is not null */
  GArray *places;      /* of objects: left, top, width, height */
  GPtrArray *kinds;    /* char *: the objects' classes */
  double width, height;
} EnsJsonEntry;

void ens_json_entry_init (EnsJsonEntry *entry);
void ens_json_entry_clear (EnsJsonEntry *entry);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (EnsJsonEntry, ens_json_entry_clear)

/* Reads the next value, which is an object. */
void ens_json_entry_scan (EnsJsonReader *reader, EnsJsonEntry *entry, EnsJsonScan *scan);
/* Reads the next value, which is a picture's classes: a text, a whole number, or a list of these.
 */
void ens_json_entry_scan_labels (EnsJsonEntry *entry, EnsJsonScan *scan);
/* Sets the picture that a name is of. */
void ens_json_entry_find (const EnsJsonReader *reader, EnsJsonEntry *entry, const char *file);
/* Adds the picture with what is said of it. */
gboolean ens_json_entry_take (EnsJsonReader *reader, const EnsJsonEntry *entry, const char *where,
                              GError **error);
