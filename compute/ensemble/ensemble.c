/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ensemble/ensemble.h"

#include <string.h>

#include "base/fail.h"
#include "engine/device-private.h"
#include "ensemble/bundle-private.h"
#include "ensemble/cost-notes.h"
#include "ensemble/ensemble-private.h"
#include "ensemble/window-gain.h"

/* Ensembles in use by the process: opening a bundle again shares its weights and plans. */
static GMutex registry_lock;
static GCond registry_changed; /* an ensemble has been loaded, or could not be */
static GHashTable *registry;   /* key → EnsEnsemble, not owned */

/* What makes two openings the same: the device with its limits and threads, and the bundle as it is
 * on disk now. A bundle that was written again is another one, also while the old one is in use.
 * (transfer full) */
static char *
make_key (const EnsBundle *bundle, EnsDevice *device, const char *stamp)
{
  const EnsLimits limits = ens_device_get_limits (device);

  return g_strdup_printf ("%s %u %" G_GUINT64_FORMAT " %" G_GUINT64_FORMAT " %s%s",
                          ens_device_get_name (device),
                          ens_thread_pool_get_threads (ens_device_get_pool (device)), limits.memory,
                          limits.operations, stamp, bundle->only != NULL ? bundle->classes[0] : "");
}

static void
ensemble_free (EnsEnsemble *ensemble)
{
  ens_batcher_free (ensemble->batcher);
  for (guint n = 0; ensemble->members != NULL && n < ensemble->bundle->n_networks; n++)
    ens_member_free (ensemble->members[n]);
  g_free (ensemble->members);
  g_strfreev (ensemble->notes);
  ens_costs_free (ensemble->costs);
  ens_bundle_free (ensemble->bundle);
  ens_device_unref (ensemble->device);
  g_free (ensemble->key);
  g_free (ensemble->stamp);
  g_free (ensemble);
}

static EnsMember *
open_member (const EnsBundle *bundle, const EnsBundleNetwork *network, EnsDevice *device,
             GError **error)
{
  g_autofree char *path = ens_bundle_resolve (bundle->folder, network->network, error);
  g_autofree char *classifier = NULL, *window_classifier = NULL, *gate = NULL;
  EnsMemberSource source = {.settings = network, .only = bundle->only};

  source.n_classes = g_strv_length (bundle->only != NULL ? bundle->file_classes : bundle->classes);
  if (path == NULL)
    return NULL;
  classifier = ens_bundle_resolve (bundle->folder, network->classifier, error);
  if (classifier == NULL)
    return NULL;
  if (network->window_classifier != NULL) {
    window_classifier = ens_bundle_resolve (bundle->folder, network->window_classifier, error);
    if (window_classifier == NULL)
      return NULL;
  }
  if (bundle->gate != NULL && strcmp (bundle->gate->network, network->name) == 0) {
    gate = ens_bundle_resolve (bundle->folder, bundle->gate->file, error);
    if (gate == NULL)
      return NULL;
  }
  source.network = path;
  source.classifier = classifier;
  source.window_classifier = window_classifier;
  source.gate = gate;
  return ens_member_new (&source, device, error);
}

/* (transfer full) */
static char **
collect_notes (EnsEnsemble *ensemble)
{
  g_autoptr (GPtrArray) notes = g_ptr_array_new ();

  for (guint n = 0; n < ensemble->bundle->n_networks; n++)
    for (const char *const *note = ens_member_get_notes (ensemble->members[n]); *note; note++)
      g_ptr_array_add (
          notes, g_strdup_printf ("network “%s”: %s", ensemble->bundle->networks[n].name, *note));
  ens_cost_notes_add (ensemble, notes);
  g_ptr_array_add (notes, NULL);
  return (char **)g_ptr_array_steal (notes, NULL);
}

/* Takes bundle, key and stamp over. (transfer full) */
static EnsEnsemble *
ensemble_new (EnsBundle *bundle, EnsDevice *device, char *key, char *stamp, GError **error)
{
  EnsEnsemble *ensemble = g_new0 (EnsEnsemble, 1);

  ensemble->references = 1;
  ensemble->bundle = bundle;
  ensemble->device = ens_device_ref (device);
  ensemble->key = key;
  ensemble->stamp = stamp;
  ensemble->windows_first = ens_bundle_prefers_windows (bundle);
  ensemble->batcher = ens_batcher_new ();
  ensemble->costs = ens_costs_new (ens_device_is_gpu (device));
  ensemble->members = g_new0 (EnsMember *, bundle->n_networks);
  for (guint n = 0; n < bundle->n_networks; n++) {
    ensemble->members[n] = open_member (bundle, &bundle->networks[n], device, error);
    if (ensemble->members[n] == NULL) {
      ensemble_free (ensemble);
      return NULL;
    }
  }
  ensemble->notes = collect_notes (ensemble);
  return ensemble;
}

EnsEnsemble *
ens_ensemble_open (const char *folder, EnsDevice *device, GError **error)
{
  return ens_ensemble_open_class (folder, NULL, device, error);
}

/* Lock held. A reference on the ensemble, once it is no longer being loaded, or NULL: there is
 * none.
 */
static EnsEnsemble *
find_open (const char *key)
{
  EnsEnsemble *found = NULL;

  while (registry != NULL && (found = g_hash_table_lookup (registry, key)) != NULL
         && found->loading) {
    found = NULL;
    g_cond_wait (&registry_changed, &registry_lock);
  }
  if (found != NULL)
    found->references++;
  return found;
}

/* Lock held. */
static void
remove_from_registry (const char *key)
{
  g_hash_table_remove (registry, key);
  if (g_hash_table_size (registry) == 0)
    g_clear_pointer (&registry, g_hash_table_unref);
}

/* Loads without the lock, so that nobody who uses another ensemble waits; who wants this one does.
 * (transfer full) */
static EnsEnsemble *
load_for_registry (EnsBundle *bundle, EnsDevice *device, const char *key, const char *stamp,
                   GError **error)
{
  EnsEnsemble place = {.key = (char *)key, .loading = TRUE}, *ensemble;

  if (registry == NULL)
    registry = g_hash_table_new (g_str_hash, g_str_equal);
  g_hash_table_insert (registry, place.key, &place);
  g_mutex_unlock (&registry_lock);
  ensemble = ensemble_new (bundle, device, g_strdup (key), g_strdup (stamp), error);
  g_mutex_lock (&registry_lock);
  if (ensemble != NULL)
    g_hash_table_replace (registry, ensemble->key, ensemble);
  else
    remove_from_registry (key);
  g_cond_broadcast (&registry_changed);
  return ensemble;
}

EnsEnsemble *
ens_ensemble_open_class (const char *folder, const char *class, EnsDevice *device, GError **error)
{
  g_autoptr (EnsBundle) bundle = NULL;
  g_autofree char *key = NULL, *stamp = NULL;
  EnsEnsemble *ensemble;

  g_return_val_if_fail (folder != NULL && device != NULL, NULL);

  bundle = ens_bundle_load (folder, error);
  if (bundle == NULL || (class != NULL && !ens_bundle_keep_class (bundle, class, error)))
    return NULL;
  stamp = ens_bundle_stamp (bundle);
  key = make_key (bundle, device, stamp);
  g_mutex_lock (&registry_lock);
  ensemble = find_open (key);
  if (ensemble == NULL)
    ensemble = load_for_registry (g_steal_pointer (&bundle), device, key, stamp, error);
  g_mutex_unlock (&registry_lock);
  return ensemble;
}

EnsEnsemble *
ens_ensemble_ref (EnsEnsemble *ensemble)
{
  g_mutex_lock (&registry_lock);
  ensemble->references++;
  g_mutex_unlock (&registry_lock);
  return ensemble;
}

void
ens_ensemble_unref (EnsEnsemble *ensemble)
{
  gboolean last;

  g_mutex_lock (&registry_lock);
  last = --ensemble->references == 0;
  if (last)
    remove_from_registry (ensemble->key);
  g_mutex_unlock (&registry_lock);
  if (last)
    ensemble_free (ensemble);
}

void
ens_ensemble_count_analyses (EnsEnsemble *ensemble, gint by)
{
  g_mutex_lock (&registry_lock);
  ensemble->n_analyses += (guint)by;
  g_mutex_unlock (&registry_lock);
}

/* Lock held. */
static guint
count_all_analyses (void)
{
  GHashTableIter iterator;
  gpointer ensemble;
  guint n = 0;

  g_hash_table_iter_init (&iterator, registry);
  while (g_hash_table_iter_next (&iterator, NULL, &ensemble))
    n += ((const EnsEnsemble *)ensemble)->n_analyses;
  return n;
}

double
ens_ensemble_get_processors (EnsEnsemble *ensemble)
{
  double own = ens_thread_pool_get_threads (ens_device_get_pool (ensemble->device));
  double all = g_get_num_processors ();

  g_mutex_lock (&registry_lock);
  own /= MAX (ensemble->n_analyses, 1);
  all /= MAX (count_all_analyses (), 1);
  g_mutex_unlock (&registry_lock);
  return MIN (own, all);
}

const guint *
ens_ensemble_get_scales (const EnsEnsemble *ensemble, guint network,
                         const EnsAnalyseOptions *options, guint *n_scales)
{
  const EnsBundleNetwork *settings = &ensemble->bundle->networks[network];
  gboolean own = options->n_scales == 0;

  *n_scales = own ? settings->n_scales : options->n_scales;
  if (options->max_scales > 0)
    *n_scales = MIN (*n_scales, options->max_scales);
  return own ? settings->scales : options->scales;
}

gboolean
ens_ensemble_check_scales (EnsEnsemble *ensemble, const guint *scales, guint n_scales,
                           GError **error)
{
  for (guint n = 0; n < ensemble->bundle->n_networks; n++)
    if (!ens_member_check_scales (ensemble->members[n], scales, n_scales, error))
      return FALSE;
  return TRUE;
}

const char *const *
ens_ensemble_get_notes (EnsEnsemble *ensemble)
{
  return (const char *const *)ensemble->notes;
}

gint
ens_ensemble_find_network (EnsEnsemble *ensemble, const char *name, GError **error)
{
  const EnsBundle *bundle = ensemble->bundle;
  g_autoptr (GString) names = g_string_new (NULL);

  for (guint n = 0; n < bundle->n_networks; n++) {
    if (strcmp (bundle->networks[n].name, name) == 0)
      return (gint)n;
    g_string_append_printf (names, "%s%s", n > 0 ? ", " : "", bundle->networks[n].name);
  }
  ens_fail (error, ENS_ERROR_DATA, bundle->name, "expected one of its networks (%s), found “%s”",
            names->str, name);
  return -1;
}

const EnsBundle *
ens_ensemble_get_bundle (EnsEnsemble *ensemble)
{
  return ensemble->bundle;
}

EnsDevice *
ens_ensemble_get_device (EnsEnsemble *ensemble)
{
  return ensemble->device;
}

const char *
ens_ensemble_get_stamp (EnsEnsemble *ensemble)
{
  return ensemble->stamp;
}

/* ---- Styles ---- */

/* Names of the bundle's styles, in order, up to a NULL. (transfer full) */
static char **
list_styles (const EnsBundle *bundle)
{
  g_autoptr (GPtrArray) files = ens_bundle_list_files (bundle, ENS_STYLE_FOLDER);
  g_autoptr (GPtrArray) names = g_ptr_array_new_with_free_func (g_free);

  for (guint i = 0; i < files->len; i++) {
    const char *file = g_ptr_array_index (files, i);

    if (g_str_has_suffix (file, ENS_STYLE_ENDING))
      g_ptr_array_add (names, g_strndup (file, strlen (file) - strlen (ENS_STYLE_ENDING)));
  }
  g_ptr_array_add (names, NULL);
  return (char **)g_ptr_array_steal (names, NULL);
}

static gboolean
fail_style (const EnsBundle *bundle, const char *name, GError **error)
{
  g_auto (GStrv) styles = list_styles (bundle);
  g_autofree char *known = g_strjoinv (", ", styles);

  return ens_fail (error, ENS_ERROR_FILE, bundle->folder,
                   "has no style “%s” (%s%s), and there is no such file", name,
                   *known != '\0' ? "it has " : "it has none", known);
}

/* What a file is called without its folder and ending. (transfer full) */
static char *
name_style (const char *path)
{
  char *name = g_path_get_basename (path);

  if (g_str_has_suffix (name, ENS_STYLE_ENDING))
    name[strlen (name) - strlen (ENS_STYLE_ENDING)] = '\0';
  return name;
}

gboolean
ens_ensemble_open_style (EnsEnsemble *ensemble, const char *name, EnsStyle **style, GError **error)
{
  const EnsBundle *bundle = ensemble->bundle;
  g_auto (GStrv) styles = list_styles (bundle);
  g_autofree char *path = NULL, *shown = NULL;

  *style = NULL;
  if (name == NULL || *name == '\0' || strcmp (name, "none") == 0)
    return TRUE;
  if (g_strv_contains ((const char *const *)styles, name)) {
    g_autofree char *file = g_strconcat (ENS_STYLE_FOLDER, "/", name, ENS_STYLE_ENDING, NULL);

    path = ens_bundle_resolve (bundle->folder, file, error);
  } else if (g_file_test (name, G_FILE_TEST_IS_REGULAR)) {
    path = g_strdup (name);
  } else {
    return fail_style (bundle, name, error);
  }
  shown = name_style (name);
  *style = path != NULL ? ens_style_open (path, shown, ensemble->device, error) : NULL;
  return *style != NULL;
}

/* All retrained networks have classifiers for windows, or none. */
gboolean
ens_ensemble_takes_windows (EnsEnsemble *ensemble)
{
  EnsRoleNetworks networks = ens_bundle_list_role (ensemble->bundle, ENS_ROLE_RETRAINED);

  return networks.n > 0 && ens_member_takes_windows (ensemble->members[networks.index[0]]);
}
