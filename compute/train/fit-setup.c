/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include "base/files.h"
#include "ensemble/member-graph.h"
#include "onnx/about.h"
#include "onnx/onnx.h"
#include "train/dense-map.h"
#include "train/fit-private.h"
#include "train/recipe.h"

/* Sizes of the method's source, which are for networks of 224. */
static const guint standard_scales[] = {256, 384, 512};

static guint *
default_scales (guint size, guint *n)
{
  guint *scales = g_new (guint, G_N_ELEMENTS (standard_scales));

  *n = 0;
  for (guint i = 0; i < G_N_ELEMENTS (standard_scales); i++) {
    guint scale = ens_scale_side (standard_scales[i], size);

    if (*n == 0 || scale > scales[*n - 1])
      scales[(*n)++] = scale;
  }
  return scales;
}

static guint *
copy_sides (const guint *sides, guint n)
{
  return g_memdup2 (sides, n * sizeof *sides);
}

/* The given name, or the file's; numbered where that is taken. (transfer full) */
static char *
choose_name (const EnsFitNetwork *given, const EnsBundle *bundle, guint n)
{
  g_autofree char *base = g_path_get_basename (given->path);
  g_autofree char *name = g_strdup (given->name != NULL ? given->name : base);
  g_autofree char *numbered = NULL;

  if (given->name == NULL && g_str_has_suffix (name, ".onnx"))
    name[strlen (name) - strlen (".onnx")] = 0;
  g_strdelimit (name, G_DIR_SEPARATOR_S, '_');
  for (guint i = 0; i < n; i++)
    if (strcmp (bundle->networks[i].name, name) == 0)
      numbered = g_strdup_printf ("%s-%u", name, n + 1);
  return numbered != NULL ? g_steal_pointer (&numbered) : g_steal_pointer (&name);
}

/* ---- Sizes that the network takes ---- */

static gboolean
fit_sides (const EnsMemberGeometry *geometry, guint *sides, guint *n)
{
  gboolean changed = FALSE;
  guint kept = 0;

  for (guint i = 0; i < *n; i++) {
    EnsShape shape = ENS_SHAPE (1, sides[i], sides[i], 1);
    guint side;

    ens_member_geometry_fit (geometry, &shape);
    side = (guint)MIN (shape.dims[1], shape.dims[2]);
    changed = changed || side != sides[i];
    if (kept == 0 || side > sides[kept - 1])
      sides[kept++] = side;
  }
  *n = kept;
  return changed;
}

static char *
join_sides (const guint *sides, guint n)
{
  GString *text = g_string_new (NULL);

  for (guint i = 0; i < n; i++)
    g_string_append_printf (text, "%s%u", i > 0 ? "+" : "", sides[i]);
  return g_string_free (text, FALSE);
}

/* Scales and window sizes become what the network takes. It is said where they were given. */
static void
settle_sides (const EnsFitNetwork *given, const EnsMemberGeometry *geometry,
              EnsBundleNetwork *network, const EnsMonitor *monitor)
{
  gboolean changed =
      fit_sides (geometry, network->scales, &network->n_scales) && given->n_scales > 0;
  gboolean windows = fit_sides (geometry, network->window_sizes, &network->n_window_sizes)
                     && given->n_window_sizes > 0;
  g_autofree char *takes = ens_member_geometry_describe (geometry);
  g_autofree char *scales = join_sides (network->scales, network->n_scales);
  g_autofree char *sizes = join_sides (network->window_sizes, network->n_window_sizes);

  if (changed)
    ens_monitor_note (monitor, "network “%s” %s: scales=%s takes the place of what was given",
                      network->name, takes, scales);
  if (windows)
    ens_monitor_note (monitor, "network “%s” %s: window-sizes=%s takes the place of what was given",
                      network->name, takes, sizes);
}

/* A network of one size gets pictures of its own shape. */
static gboolean
settle_geometry (const EnsFitNetwork *given, EnsBundleNetwork *network, const EnsMonitor *monitor,
                 GError **error)
{
  EnsMemberGeometry geometry;
  g_autofree char *takes = NULL;

  if (!ens_member_read_geometry (given->path, network, &geometry, error))
    return FALSE;
  if (ens_member_geometry_is_fixed (&geometry)) {
    takes = ens_member_geometry_describe (&geometry);
    network->size = MIN (geometry.height, geometry.width);
  }
  if (takes != NULL && network->framing == ENS_FRAMING_SCALE) {
    network->framing = ENS_FRAMING_CROP;
    ens_monitor_note (
        monitor,
        "network “%s” %s: pictures are cropped to that shape, and large ones divided; "
        "framing=letterbox or framing=stretch takes all of a picture",
        network->name, takes);
  }
  settle_sides (given, &geometry, network, monitor);
  return TRUE;
}

gboolean
ens_fit_set_up_network (const EnsFitNetwork *given, const EnsBundle *bundle, guint n,
                        EnsBundleNetwork *network, const EnsMonitor *monitor, GError **error)
{
  network->name = choose_name (given, bundle, n);
  network->role = given->role;
  network->normalise = given->normalise;
  network->framing = given->framing;
  network->window_framing =
      given->window_framing == ENS_FRAMING_SCALE ? ENS_FRAMING_STRETCH : given->window_framing;
  network->crop = given->crop > 0 ? given->crop : 1;
  network->network = g_strconcat (network->name, ".onnx", NULL);
  network->classifier = g_strconcat (network->name, "-classifier.onnx", NULL);
  network->size = given->size > 0 ? given->size : ens_member_standard_size (given->path, error);
  if (network->size == 0)
    return FALSE;
  network->n_scales = given->n_scales;
  network->scales = given->n_scales > 0 ? copy_sides (given->scales, given->n_scales)
                                        : default_scales (network->size, &network->n_scales);
  network->flip = given->flip;
  network->taps = given->taps != NULL ? g_strdupv ((char **)given->taps)
                                      : ens_member_default_taps (given->path, network->size, error);
  if (network->taps == NULL)
    return FALSE;
  network->calibration = g_new0 (EnsCalibration, bundle->n_classes);
  if (given->role != ENS_ROLE_RETRAINED || bundle->windows == 0)
    return settle_geometry (given, network, monitor, error);
  network->window_calibration = g_new0 (EnsCalibration, bundle->n_classes);
  network->window_classifier = g_strconcat (network->name, "-windows.onnx", NULL);
  network->n_window_sizes = given->n_window_sizes;
  if (given->n_window_sizes > 0) {
    network->window_sizes = copy_sides (given->window_sizes, given->n_window_sizes);
  } else {
    network->window_sizes = default_scales (network->size, &network->n_window_sizes);
    network->n_window_sizes = 1;
  }
  return settle_geometry (given, network, monitor, error);
}

GBytes *
ens_fit_read_network (const char *path, gboolean confined, const EnsMonitor *monitor,
                      GError **error)
{
  g_autoptr (EnsGraph) graph = NULL;
  g_autoptr (GError) reason = NULL;
  g_autoptr (GBytes) bytes = NULL;
  gboolean complete;
  gsize size;
  char *contents = ens_file_read (path, &size, &reason);

  if (contents == NULL) {
    g_set_error (error, ENS_ERROR, ENS_ERROR_FILE, "%s: can't read it: %s", path, reason->message);
    return NULL;
  }
  bytes = g_bytes_new_take (contents, size);
  graph = ens_onnx_import_bytes (bytes, path, NULL, NULL, NULL);
  complete = graph != NULL;
  if (!complete)
    graph = ens_onnx_import (path, &(EnsOnnxOptions) {.confined = confined}, error);
  if (graph == NULL)
    return NULL;
  for (guint i = 0; i < graph->notes->len; i++)
    ens_monitor_note (monitor, "%s: %s", path, (const char *)graph->notes->pdata[i]);
  return complete ? g_steal_pointer (&bytes) : ens_onnx_export_bytes (graph, error);
}

/* What such a network says of the training images is better than what it says of new ones. */
static void
find_learnt (EnsFit *fit, guint n)
{
  g_autoptr (EnsOnnxAbout) about = ens_onnx_about_read (fit->paths[n], NULL);
  g_autofree char *dataset = ens_dataset_get_name (fit->params->dataset);
  const char *learnt =
      about != NULL ? g_hash_table_lookup (about->properties, ENS_RECIPE_DATASET) : NULL;

  fit->learnt[n] = g_strcmp0 (learnt, dataset) == 0;
  if (fit->learnt[n])
    ens_monitor_note (fit->monitor,
                      "%s was trained on the training images of %s and knows them: weights and "
                      "thresholds are chosen on the validation images alone, by which its best "
                      "epoch was chosen, too; only a test split tells how good the ensemble is on "
                      "new images",
                      fit->paths[n], dataset);
}

static gboolean
has_role (const EnsFitParams *params, EnsRole role)
{
  for (guint n = 0; n < params->n_networks; n++)
    if (params->networks[n].role == role)
      return TRUE;
  return FALSE;
}

char *
ens_fit_choose_name (const char *folder, const char *given)
{
  g_autofree char *canonical = g_canonicalize_filename (folder, NULL);
  char *name = given != NULL ? g_strdup (given) : g_path_get_basename (canonical);

  if (given == NULL && g_str_has_suffix (name, ".ensemble"))
    name[strlen (name) - strlen (".ensemble")] = 0;
  return name;
}

gboolean
ens_fit_set_up (EnsFit *fit, GError **error)
{
  const EnsFitParams *params = fit->params;
  EnsBundle *bundle = fit->bundle = g_new0 (EnsBundle, 1);

  bundle->name = ens_fit_choose_name (params->bundle, params->name);
  bundle->version = g_strdup (params->version);
  bundle->classes = g_strdupv (fit->dataset->classes);
  bundle->n_classes = fit->dataset->n_classes;
  bundle->thresholds = g_new0 (float, bundle->n_classes);
  bundle->whole_thresholds = g_new0 (float, bundle->n_classes);
  bundle->windows = has_role (params, ENS_ROLE_RETRAINED) ? params->windows : 0;
  bundle->windows_preset = params->windows_preset;
  bundle->networks = g_new0 (EnsBundleNetwork, params->n_networks);
  for (guint n = 0; n < params->n_networks; n++) {
    bundle->n_networks = n + 1;
    fit->paths[n] = params->networks[n].path;
    fit->contents[n] = ens_fit_read_network (fit->paths[n], FALSE, fit->monitor, error);
    if (fit->contents[n] == NULL
        || !ens_fit_set_up_network (&params->networks[n], bundle, n, &bundle->networks[n],
                                    fit->monitor, error))
      return FALSE;
    find_learnt (fit, n);
  }
  return TRUE;
}
