/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fail.h"
#include "base/files.h"
#include "base/json.h"
#include "ensemble/bundle-private.h"

/* ---- ensemble.json ---- */

static void
write_sides (EnsJson *json, const char *name, const guint *values, guint n)
{
  ens_json_open_array (json, name, ENS_JSON_FLAT);
  for (guint i = 0; i < n; i++)
    ens_json_unsigned (json, NULL, values[i]);
  ens_json_close (json);
}

static void
write_pair (EnsJson *json, const char *name, const EnsCalibration *calibration)
{
  ens_json_floats (json, name, (float[]) {calibration->a, calibration->b}, 2, 1);
}

static void
write_calibration (EnsJson *json, const char *name, const EnsBundle *bundle,
                   const EnsCalibration *calibration)
{
  ens_json_open_object (json, name, ENS_JSON_BLOCK);
  for (guint c = 0; c < bundle->n_classes; c++)
    write_pair (json, bundle->classes[c], &calibration[c]);
  ens_json_close (json);
}

static void
write_framing (EnsJson *json, const EnsBundleNetwork *network)
{
  EnsFraming windows = network->window_framing;

  if (ens_bundle_network_is_plainly_framed (network))
    return;
  ens_json_open_object (json, "framing", ENS_JSON_FLAT);
  ens_json_string (json, "whole", ens_framing_names[network->framing]);
  ens_json_string (json, "windows",
                   ens_framing_names[windows == ENS_FRAMING_SCALE ? ENS_FRAMING_STRETCH : windows]);
  ens_json_float (json, "crop", network->crop > 0 ? network->crop : 1);
  ens_json_close (json);
}

static void
write_network (EnsJson *json, const EnsBundle *bundle, const EnsBundleNetwork *network)
{
  ens_json_open_object (json, NULL, ENS_JSON_BLOCK);
  ens_json_string (json, "name", network->name);
  ens_json_string (json, "role", ens_role_names[network->role]);
  ens_json_string (json, "network", network->network);
  ens_json_string (json, "classifier", network->classifier);
  ens_json_strings (json, "taps", (const char *const *)network->taps);
  ens_json_open_object (json, "normalise", ENS_JSON_FLAT);
  ens_normalise_write (json, &network->normalise);
  ens_json_close (json);
  write_framing (json, network);
  ens_json_unsigned (json, "size", network->size);
  write_sides (json, "scales", network->scales, network->n_scales);
  if (network->flip)
    ens_json_boolean (json, "flip", TRUE);
  ens_json_float (json, "weight", network->weight);
  write_calibration (json, "calibration", bundle, network->calibration);
  if (network->window_classifier != NULL) {
    ens_json_string (json, "window_classifier", network->window_classifier);
    write_sides (json, "window_sizes", network->window_sizes, network->n_window_sizes);
    write_calibration (json, "window_calibration", bundle, network->window_calibration);
  }
  ens_json_close (json);
}

static void
write_sub_images (EnsJson *json, const EnsSubImageSettings *settings)
{
  ens_json_open_object (json, "sub_images", ENS_JSON_FLAT);
  ens_json_unsigned (json, "size", settings->size);
  ens_json_float (json, "overlap", settings->overlap);
  ens_json_float (json, "large_from", settings->large_from);
  ens_json_unsigned (json, "count", settings->count);
  ens_json_close (json);
}

static void
write_classes (EnsJson *json, const EnsBundle *bundle)
{
  ens_json_open_array (json, "classes", ENS_JSON_BLOCK);
  for (guint c = 0; c < bundle->n_classes; c++) {
    ens_json_open_object (json, NULL, ENS_JSON_FLAT);
    ens_json_string (json, "name", bundle->classes[c]);
    ens_json_float (json, "threshold", bundle->thresholds[c]);
    if (bundle->whole_thresholds != NULL && bundle->whole_thresholds[c] != bundle->thresholds[c])
      ens_json_float (json, "whole_threshold", bundle->whole_thresholds[c]);
    if (ens_bundle_role_knows (bundle, ENS_ROLE_ZERO_SHOT, c))
      ens_json_boolean (json, "zero_shot", TRUE);
    ens_json_close (json);
  }
  ens_json_close (json);
}

static void
write_fusion (EnsJson *json, const EnsBundle *bundle)
{
  ens_json_open_object (json, "fusion", ENS_JSON_BLOCK);
  ens_json_string (json, "kind", ens_fusion_kind_names[bundle->fusion]);
  ens_json_float (json, "window_weight", bundle->window_weight);
  ens_json_float (json, "whole_weight", bundle->whole_weight);
  if (bundle->fusion == ENS_FUSION_LOG_ODDS) {
    ens_json_float (json, "window_share", bundle->window_share);
    ens_json_string (json, "link", ens_link_names[bundle->exclusive]);
    write_calibration (json, "calibration", bundle, bundle->calibration);
    write_calibration (json, "whole_calibration", bundle, bundle->whole_calibration);
    if (bundle->exclusive) {
      write_pair (json, "softmax", &bundle->softmax);
      write_pair (json, "whole_softmax", &bundle->whole_softmax);
    }
  }
  ens_json_close (json);
}

char *
ens_bundle_to_json (const EnsBundle *bundle)
{
  EnsJson json;

  ens_json_init (&json);
  ens_json_open_object (&json, NULL, ENS_JSON_BLOCK);
  ens_json_string (&json, "schema", ENS_BUNDLE_SCHEMA);
  ens_json_string (&json, "name", bundle->name);
  ens_json_string (&json, "version", bundle->version);
  write_classes (&json, bundle);
  write_fusion (&json, bundle);
  ens_json_open_object (&json, "windows", ENS_JSON_FLAT);
  ens_json_unsigned (&json, "count", bundle->windows);
  ens_json_string (&json, "preset", ens_windows_preset_name (bundle->windows_preset));
  ens_json_close (&json);
  if (bundle->sub_images.size > 0)
    write_sub_images (&json, &bundle->sub_images);
  ens_json_open_array (&json, "networks", ENS_JSON_BLOCK);
  for (guint n = 0; n < bundle->n_networks; n++)
    write_network (&json, bundle, &bundle->networks[n]);
  ens_json_close (&json);
  if (bundle->gate != NULL)
    ens_bundle_gate_write (&json, bundle);
  if (bundle->events != NULL)
    ens_bundle_events_write (&json, bundle);
  if (bundle->provenance != NULL)
    ens_json_raw (&json, "provenance", bundle->provenance);
  ens_json_close (&json);
  return ens_json_finish (&json);
}

/* ---- Folders ---- */

struct _EnsBundleWriter {
  char *target;    /* where the bundle goes, links followed */
  char *temporary; /* beside it; NULL once it has become the target */
};

static gboolean
fail_with_errno (GError **error, const char *path, const char *action)
{
  int number = errno;

  g_set_error (error, ENS_ERROR, ENS_ERROR_FILE, "%s: can't %s: %s%s", path, action,
               g_strerror (number), ens_write_advice (number));
  return FALSE;
}

/* What is renamed must be on the disk before its name is. */
static gboolean
sync_folder (const char *path, GError **error)
{
  int folder = g_open (path, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
  gboolean synced = folder >= 0 && fsync (folder) == 0;

  if (!synced)
    fail_with_errno (error, path, "write this folder to the disk");
  if (folder >= 0)
    close (folder);
  return synced;
}

static gboolean
is_empty (const char *folder)
{
  g_autoptr (GDir) dir = g_dir_open (folder, 0, NULL);

  return dir != NULL && g_dir_read_name (dir) == NULL;
}

/* A wrong path on the command line must not cost a folder of something else. */
static gboolean
check_target (const char *target, GError **error)
{
  g_autofree char *file = g_build_filename (target, ENS_BUNDLE_FILE, NULL);

  if (!g_file_test (target, G_FILE_TEST_EXISTS) || g_file_test (file, G_FILE_TEST_IS_REGULAR)
      || is_empty (target))
    return TRUE;
  g_set_error (error, ENS_ERROR, ENS_ERROR_FILE,
               "%s: exists and is no bundle (it has no %s); it is left as it is, choose another "
               "name",
               target, ENS_BUNDLE_FILE);
  return FALSE;
}

/* Links followed. (transfer full) */
static char *
find_target (const char *folder)
{
  g_autofree char *canonical = g_canonicalize_filename (folder, NULL);
  char *real = realpath (canonical, NULL);
  char *target = g_strdup (real != NULL ? real : canonical);

  free (real);
  return target;
}

/* The nearest folder above it that there is. (transfer full) */
static char *
find_parent (const char *target)
{
  char *parent = g_path_get_dirname (target);

  while (!g_file_test (parent, G_FILE_TEST_EXISTS)) {
    char *above = g_path_get_dirname (parent);

    g_free (parent);
    parent = above;
  }
  return parent;
}

gboolean
ens_bundle_check_target (const char *folder, GError **error)
{
  g_autofree char *target = find_target (folder);
  g_autofree char *parent = find_parent (target);
  /* Permissions don't tell: root has them all, also where nothing can be written. */
  g_autofree char *probe = g_build_filename (parent, ".ensemble-XXXXXX", NULL);

  if (!check_target (target, error))
    return FALSE;
  if (g_mkdtemp (probe) == NULL)
    return fail_with_errno (error, target, "write a bundle there");
  g_rmdir (probe);
  return TRUE;
}

EnsBundleWriter *
ens_bundle_writer_new (const char *folder, GError **error)
{
  g_autoptr (EnsBundleWriter) writer = g_new0 (EnsBundleWriter, 1);
  g_autofree char *parent = NULL, *name = NULL, *temporary = NULL;

  writer->target = find_target (folder);
  if (!check_target (writer->target, error))
    return NULL;
  parent = g_path_get_dirname (writer->target);
  name = g_path_get_basename (writer->target);
  temporary = g_strdup_printf ("%s" G_DIR_SEPARATOR_S ".%s.XXXXXX", parent, name);
  if (g_mkdir_with_parents (parent, 0777) != 0 || g_mkdtemp_full (temporary, 0777) == NULL) {
    fail_with_errno (error, temporary, "make a temporary folder");
    return NULL;
  }
  writer->temporary = g_steal_pointer (&temporary);
  return g_steal_pointer (&writer);
}

void
ens_bundle_writer_free (EnsBundleWriter *writer)
{
  if (writer == NULL)
    return;
  if (writer->temporary != NULL)
    ens_remove_tree (writer->temporary);
  g_free (writer->temporary);
  g_free (writer->target);
  g_free (writer);
}

static gboolean
add_bytes (EnsBundleWriter *writer, const char *name, const char *bytes, gsize size, GError **error)
{
  g_autofree char *path = g_build_filename (writer->temporary, name, NULL);

  return ens_file_write (path, bytes, size, ENS_FILE_DURABLE, error);
}

gboolean
ens_bundle_writer_add (EnsBundleWriter *writer, const char *name, GBytes *contents, GError **error)
{
  gsize size;
  const char *bytes = g_bytes_get_data (contents, &size);

  return add_bytes (writer, name, bytes, size, error);
}

/* ---- Styles ---- */

static gboolean
keep_style (EnsBundleWriter *writer, const char *file, GError **error)
{
  g_autofree char *name = g_build_filename (ENS_STYLE_FOLDER, file, NULL);
  g_autofree char *path = g_build_filename (writer->target, name, NULL), *bytes = NULL;
  g_autoptr (GError) reason = NULL;
  gsize size;

  if (!g_file_test (path, G_FILE_TEST_IS_REGULAR))
    return TRUE;
  if (!g_file_get_contents (path, &bytes, &size, &reason))
    return ens_fail (error, ENS_ERROR_FILE, path, "can't keep this style of the old bundle: %s",
                     reason->message);
  return add_bytes (writer, name, bytes, size, error);
}

/* Styles belong to cameras, not to what is trained: the old bundle's stay. */
static gboolean
keep_styles (EnsBundleWriter *writer, GError **error)
{
  g_autofree char *old = g_build_filename (writer->target, ENS_STYLE_FOLDER, NULL);
  g_autofree char *new = g_build_filename (writer->temporary, ENS_STYLE_FOLDER, NULL);
  g_autoptr (GDir) dir = g_dir_open (old, 0, NULL);
  const char *file;

  if (dir == NULL)
    return TRUE;
  if (g_mkdir (new, 0777) != 0)
    return fail_with_errno (error, new, "make this folder");
  while ((file = g_dir_read_name (dir)) != NULL)
    if (!keep_style (writer, file, error))
      return FALSE;
  return TRUE;
}

/* Where file systems can't exchange two folders: for a moment there is neither. */
static gboolean
replace_in_two_steps (EnsBundleWriter *writer, GError **error)
{
  g_autofree char *aside = g_strconcat (writer->temporary, ".old", NULL);

  if (g_rename (writer->target, aside) != 0)
    return fail_with_errno (error, writer->target, "move the old bundle aside");
  if (g_rename (writer->temporary, writer->target) != 0) {
    fail_with_errno (error, writer->target, "put the new bundle in its place");
    g_rename (aside, writer->target);
    return FALSE;
  }
  ens_remove_tree (aside);
  g_clear_pointer (&writer->temporary, g_free);
  return TRUE;
}

static gboolean
replace_target (EnsBundleWriter *writer, GError **error)
{
  if (g_rename (writer->temporary, writer->target) == 0) {
    g_clear_pointer (&writer->temporary, g_free);
    return TRUE;
  }
  if (errno != ENOTEMPTY && errno != EEXIST)
    return fail_with_errno (error, writer->target, "put the bundle there");
#ifdef RENAME_EXCHANGE
  if (renameat2 (AT_FDCWD, writer->temporary, AT_FDCWD, writer->target, RENAME_EXCHANGE) == 0)
    return TRUE; /* the temporary folder is the old bundle now, and goes with the writer */
#endif
  return replace_in_two_steps (writer, error);
}

/* Like styles, what people have set under "events" belongs to cameras: the old bundle's stays
 * unless the new one has its own. (transfer full) */
static char *
make_json (const EnsBundleWriter *writer, const EnsBundle *bundle)
{
  g_autoptr (EnsBundle) old = ens_bundle_load (writer->target, NULL);
  EnsBundle written = *bundle;
  EnsBundleEvents *carried = NULL;
  char *json;

  if (bundle->events == NULL && old != NULL)
    written.events = carried = ens_bundle_events_carry (old, bundle);
  json = ens_bundle_to_json (&written);
  ens_bundle_events_free (carried);
  return json;
}

gboolean
ens_bundle_writer_commit (EnsBundleWriter *writer, const EnsBundle *bundle, GError **error)
{
  g_autofree char *json = make_json (writer, bundle);
  g_autofree char *parent = g_path_get_dirname (writer->target);
  g_autoptr (EnsBundle) read_back = NULL;

  if (!add_bytes (writer, ENS_BUNDLE_FILE, json, strlen (json), error)
      || !keep_styles (writer, error))
    return FALSE;
  read_back = ens_bundle_load (writer->temporary, error);
  return read_back != NULL && sync_folder (writer->temporary, error)
         && replace_target (writer, error) && sync_folder (parent, error);
}
