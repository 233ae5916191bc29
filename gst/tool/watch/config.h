/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The configuration of `watch`: one file in GLib's key file format.
 *
 * examples/watch/watch.conf shows every section. Paths are relative to the file's own folder. What
 * is unknown, missing or out of range is an error that names file, section and key. Values of
 * elements' properties are checked later, when the elements are made. */
#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

/* A property of an element, as gst-launch-1.0 takes it. */
typedef struct {
  char *name, *value;
} WatchSetting;

typedef struct {
  char *name; /* letters, digits, "-" and "_": part of URLs, topics and names of folders */
  char *uri;
  char **record;       /* classes that start a clip; NULL: those of [record] */
  GPtrArray *settings; /* WatchSetting: of this camera's ensembleclassify */
} WatchCameraConfig;

typedef struct {
  char *path;    /* of the file */
  char *model;   /* bundle */
  guint reserve; /* MiB of the disk that clips leave free; collected frames leave half of it */

  char *listen; /* address; NULL: no page */
  guint port;
  char *token; /* "file:PATH" or "env:NAME"; NULL: none, which only loopback allows */

  GPtrArray *classify, *publish; /* WatchSetting; publish is empty if nothing is published */

  char **record_classes; /* NULL: nothing is recorded */
  char *record_folder;   /* clips of a camera are in a folder of its name */
  guint record_before;   /* seconds of video before the class appeared */
  guint record_after;    /* and after it left */
  guint record_longest;  /* seconds; a longer clip is split */
  guint record_limit;    /* MiB of a camera's clips; the oldest go first */

  char *collect_folder; /* NULL: no frames are kept for labelling */
  guint collect_limit;  /* pictures of each camera */

  char *train_dataset; /* NULL: no training from the page */
  char **train_arguments;

  GPtrArray *cameras; /* WatchCameraConfig, one at least */
} WatchConfig;

/* (transfer full) */
WatchConfig *watch_config_read (const char *path, GError **error);
void watch_config_free (WatchConfig *config);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (WatchConfig, watch_config_free)

/* Whether the page can be reached from this machine only. */
gboolean watch_config_is_local (const WatchConfig *config);

/* Sets the element's properties. FALSE with an error that names the section if it has no such
 * property or can't take the value. */
gboolean watch_settings_apply (const GPtrArray *settings, const char *section, GstElement *element,
                               GError **error);

G_END_DECLS
