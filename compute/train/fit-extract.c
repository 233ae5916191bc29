/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The part of training that takes long, without the rest. */
#include "train/fit-private.h"

static gboolean
load_dataset (EnsFit *fit, GError **error)
{
  fit->dataset = ens_dataset_load (fit->params->dataset, NULL, error);
  if (fit->dataset == NULL)
    return FALSE;
  ens_dataset_tell (fit->dataset, fit->monitor);
  return TRUE;
}

gboolean
ens_fit_extract (const EnsFitParams *params, const char *part, const EnsFitShare *share,
                 EnsDevice *device, const EnsFrameOpener *opener, const EnsMonitor *monitor,
                 GError **error)
{
  EnsFitParams own = ENS_FIT_DEFAULTS;
  g_autofree char *cache = ens_fit_choose_cache (params);
  g_auto (EnsFit) fit = {.params = &own, .device = device, .monitor = monitor};
  g_autoptr (EnsFitFeatures) features = NULL;
  EnsFitSource source;

  own.dataset = params->dataset;
  own.networks = params->networks;
  own.n_networks = params->n_networks;
  own.windows = params->windows;
  own.windows_preset = params->windows_preset;
  own.unrelated = params->unrelated;
  own.bundle = "features"; /* a name alone: nothing is written there */
  if (!load_dataset (&fit, error) || !ens_fit_prepare (&fit, error))
    return FALSE;
  source = (EnsFitSource) {fit.bundle, fit.paths, fit.contents, cache, device, part, *share};
  features = ens_fit_features_new (&source, error);
  return features != NULL && ens_fit_features_fill (features, fit.dataset, opener, monitor, error)
         && ens_fit_fill_unrelated (&fit, features, opener, error);
}
