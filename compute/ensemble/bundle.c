/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/fail.h"
#include "ensemble/bundle-private.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* What a sum of rounded weights may miss 1 by. */
#define WEIGHT_TOLERANCE 1e-3

const char *const ens_role_names[] = {"original", "retrained", "zero-shot", NULL};
const char *const ens_link_names[] = {"sigmoid", "softmax", NULL};

gboolean
ens_bundle_network_is_plainly_framed (const EnsBundleNetwork *network)
{
  return network->framing == ENS_FRAMING_SCALE
         && (network->window_framing == ENS_FRAMING_SCALE
             || network->window_framing == ENS_FRAMING_STRETCH);
}

EnsFusion
ens_bundle_get_fusion (const EnsBundle *bundle, gboolean with_windows)
{
  return (EnsFusion) {
      .kind = bundle->fusion,
      .weight = with_windows ? bundle->window_weight : bundle->whole_weight,
      .share = with_windows ? bundle->window_share : 0,
      .calibration = with_windows ? bundle->calibration : bundle->whole_calibration,
      .softmax = !bundle->exclusive ? NULL
                 : with_windows     ? &bundle->softmax
                                    : &bundle->whole_softmax,
  };
}

gboolean
ens_bundle_role_knows (const EnsBundle *bundle, EnsRole role, guint class)
{
  gboolean trained = class < bundle->n_classes - bundle->n_zero_shot;

  return trained != (role == ENS_ROLE_ZERO_SHOT);
}

void
ens_bundle_fuse (const EnsBundle *bundle, const float *p1, const float *p2, const float *p3,
                 float *p)
{
  const EnsFusion fusion = ens_bundle_get_fusion (bundle, p3 != NULL);
  guint n = bundle->n_classes - bundle->n_zero_shot;

  ens_fusion_run (&fusion, p1, p2, p3, n, p);
  memcpy (p + n, p2 + n, bundle->n_zero_shot * sizeof *p);
}

const float *
ens_bundle_get_thresholds (const EnsBundle *bundle, gboolean with_windows)
{
  return with_windows || bundle->whole_thresholds == NULL ? bundle->thresholds
                                                          : bundle->whole_thresholds;
}

EnsRoleNetworks
ens_bundle_list_role (const EnsBundle *bundle, EnsRole role)
{
  EnsRoleNetworks networks = {0};

  for (guint n = 0; n < bundle->n_networks; n++) {
    if (bundle->networks[n].role != role)
      continue;
    networks.index[networks.n] = n;
    networks.weights[networks.n++] = bundle->networks[n].weight;
  }
  return networks;
}

void
ens_bundle_network_clear (EnsBundleNetwork *network)
{
  g_free (network->name);
  g_free (network->network);
  g_free (network->classifier);
  g_strfreev (network->taps);
  g_free (network->scales);
  g_free (network->calibration);
  g_free (network->window_classifier);
  g_free (network->window_sizes);
  g_free (network->window_calibration);
}

void
ens_bundle_free (EnsBundle *bundle)
{
  if (bundle == NULL)
    return;
  for (guint n = 0; n < bundle->n_networks; n++)
    ens_bundle_network_clear (&bundle->networks[n]);
  g_free (bundle->networks);
  g_free (bundle->name);
  g_free (bundle->version);
  g_free (bundle->folder);
  g_free (bundle->only);
  g_strfreev (bundle->file_classes);
  g_strfreev (bundle->classes);
  g_free (bundle->thresholds);
  g_free (bundle->whole_thresholds);
  g_free (bundle->calibration);
  g_free (bundle->whole_calibration);
  ens_bundle_gate_free (bundle->gate);
  ens_bundle_events_free (bundle->events);
  g_free (bundle->provenance);
  g_free (bundle);
}

/* ---- One class ---- */

static gint
find_class (const EnsBundle *bundle, const char *name, GError **error)
{
  g_autofree char *known = g_strjoinv (", ", bundle->classes);

  for (guint c = 0; c < bundle->n_classes; c++)
    if (strcmp (bundle->classes[c], name) == 0)
      return (gint)c;
  g_set_error (error, ENS_ERROR, ENS_ERROR_DATA, "%s: expected one of its classes (%s), found “%s”",
               bundle->name, known, name);
  return -1;
}

static void
keep_calibration (EnsCalibration *calibration, guint class)
{
  if (calibration != NULL)
    calibration[0] = calibration[class];
}

static void
keep_thresholds (EnsBundle *bundle, guint class)
{
  bundle->thresholds[0] = bundle->exclusive ? 0.5F : bundle->thresholds[class];
  if (bundle->whole_thresholds != NULL)
    bundle->whole_thresholds[0] = bundle->exclusive ? 0.5F : bundle->whole_thresholds[class];
  bundle->exclusive = FALSE;
}

gboolean
ens_bundle_keep_class (EnsBundle *bundle, const char *name, GError **error)
{
  const gint found = find_class (bundle, name, error);
  const guint class = (guint)found;
  const char *const kept[] = {name, NULL};

  if (found < 0)
    return FALSE;
  bundle->only = g_memdup2 (&class, sizeof class);
  for (guint n = 0; n < bundle->n_networks; n++) {
    keep_calibration (bundle->networks[n].calibration, class);
    keep_calibration (bundle->networks[n].window_calibration, class);
  }
  keep_calibration (bundle->calibration, class);
  keep_calibration (bundle->whole_calibration, class);
  keep_thresholds (bundle, class);
  if (bundle->gate != NULL)
    bundle->gate->ranges[0] = bundle->gate->ranges[class];
  if (bundle->events != NULL)
    bundle->events->classes[0] = bundle->events->classes[class];
  bundle->n_zero_shot = class >= bundle->n_classes - bundle->n_zero_shot ? 1 : 0;
  bundle->file_classes = g_steal_pointer (&bundle->classes);
  bundle->classes = g_strdupv ((char **)kept);
  bundle->n_classes = 1;
  return TRUE;
}

/* ---- Checks ---- */

#define fail(error, where, ...) ens_fail (error, ENS_ERROR_FORMAT, where, __VA_ARGS__)

static gboolean
check_names (const EnsBundle *bundle, const char *where, GError **error)
{
  for (guint n = 0; n < bundle->n_networks; n++)
    for (guint m = 0; m < n; m++)
      if (strcmp (bundle->networks[n].name, bundle->networks[m].name) == 0)
        return fail (error, where, "networks: found the name “%s” twice", bundle->networks[n].name);
  return TRUE;
}

/* Sides in ascending order: results do not depend on it, but two lists that mean the same should
 * look the same. */
static gboolean
check_ascending (const guint *sides, guint n, const char *where, const char *what, GError **error)
{
  for (guint i = 1; i < n; i++)
    if (sides[i] <= sides[i - 1])
      return fail (error, where, "%s: expected ascending sides, found %u after %u", what, sides[i],
                   sides[i - 1]);
  return TRUE;
}

static gboolean
check_networks (const EnsBundle *bundle, const char *where, GError **error)
{
  guint n_retrained = 0, n_window_classifiers = 0;

  for (guint n = 0; n < bundle->n_networks; n++) {
    const EnsBundleNetwork *network = &bundle->networks[n];
    g_autofree char *scales = g_strdup_printf ("network “%s”: scales", network->name);
    g_autofree char *windows = g_strdup_printf ("network “%s”: window_sizes", network->name);

    if (!check_ascending (network->scales, network->n_scales, where, scales, error)
        || !check_ascending (network->window_sizes, network->n_window_sizes, where, windows, error))
      return FALSE;
    if (network->role != ENS_ROLE_RETRAINED)
      continue;
    n_retrained++;
    n_window_classifiers += network->window_classifier != NULL;
  }
  if (n_window_classifiers != n_retrained && (n_window_classifiers > 0 || bundle->windows > 0))
    return fail (
        error, where,
        "networks: expected a window_classifier in each of %u retrained networks, found %u",
        n_retrained, n_window_classifiers);
  return TRUE;
}

static gboolean
check_weights (const EnsBundle *bundle, const char *where, GError **error)
{
  gboolean has_role[ENS_N_ROLES] = {FALSE};
  float sum[ENS_N_ROLES] = {0};

  for (guint n = 0; n < bundle->n_networks; n++) {
    has_role[bundle->networks[n].role] = TRUE;
    sum[bundle->networks[n].role] += bundle->networks[n].weight;
  }
  for (guint role = 0; role < ENS_N_ROLES; role++)
    if (has_role[role] && fabsf (sum[role] - 1) > WEIGHT_TOLERANCE)
      return fail (error, where,
                   "networks: expected weights of %s networks that sum to 1, found %g",
                   ens_role_names[role], sum[role]);
  if (!has_role[ENS_ROLE_RETRAINED]
      && (bundle->whole_weight != 0 || bundle->window_weight != 0 || bundle->windows != 0))
    return fail (error, where,
                 "fusion: expected weights of 0 and no windows, as no network is retrained");
  if (!has_role[ENS_ROLE_ORIGINAL] && bundle->whole_weight != 1)
    return fail (error, where,
                 "fusion.whole_weight: expected 1, as no network is original, found %g",
                 bundle->whole_weight);
  return TRUE;
}

static gboolean
check_zero_shot (const EnsBundle *bundle, const char *where, GError **error)
{
  guint n = ens_bundle_list_role (bundle, ENS_ROLE_ZERO_SHOT).n;

  if (n == bundle->n_networks)
    return fail (error, where, "networks: expected some of another role than zero-shot");
  if ((n > 0) != (bundle->n_zero_shot > 0))
    return fail (error, where,
                 "networks: expected zero-shot ones where classes are, found %u networks and %u "
                 "classes",
                 n, bundle->n_zero_shot);
  if (bundle->n_zero_shot > 0 && bundle->n_zero_shot == bundle->n_classes)
    return fail (error, where, "classes: expected some that are not zero-shot");
  return TRUE;
}

gboolean
ens_bundle_check (const EnsBundle *bundle, const char *where, GError **error)
{
  return check_names (bundle, where, error) && check_networks (bundle, where, error)
         && check_weights (bundle, where, error) && check_zero_shot (bundle, where, error)
         && ens_bundle_gate_check (bundle, where, error);
}

/* ---- Paths ---- */

static gboolean
has_parent_component (const char *path)
{
  g_auto (GStrv) components = g_strsplit (path, G_DIR_SEPARATOR_S, -1);

  return g_strv_contains ((const char *const *)components, "..");
}

char *
ens_bundle_resolve (const char *folder, const char *path, GError **error)
{
  g_autofree char *joined = g_build_filename (folder, path, NULL);
  char *real_folder = NULL, *real_file = NULL, *result = NULL;

  if (g_path_is_absolute (path) || has_parent_component (path)) {
    fail (error, folder, "expected files inside this folder, found “%s”", path);
    return NULL;
  }
  real_folder = realpath (folder, NULL);
  real_file = realpath (joined, NULL);
  if (real_folder == NULL || real_file == NULL)
    g_set_error (error, ENS_ERROR, ENS_ERROR_FILE,
                 "%s: can't find this file of the bundle: %s; was its folder copied whole?", joined,
                 g_strerror (errno));
  else if (!g_str_has_prefix (real_file, real_folder)
           || real_file[strlen (real_folder)] != G_DIR_SEPARATOR)
    fail (error, folder, "expected files inside this folder, found a link “%s” to %s", path,
          real_file);
  else if (!g_file_test (real_file, G_FILE_TEST_IS_REGULAR))
    fail (error, joined, "expected a file, found something else");
  else
    result = g_strdup (real_file);
  free (real_folder);
  free (real_file);
  return result;
}
