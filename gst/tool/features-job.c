/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "features-job.h"

#include "network-list.h"

gboolean
tool_extract_features (const WorkerFeatures *features, const char *part, EnsDevice *device,
                       const EnsFrameOpener *opener, const EnsMonitor *monitor, GError **error)
{
  g_autoptr (ToolNetworks) networks =
      tool_networks_collect (features->networks, features->lists, error);
  EnsFitParams params = ENS_FIT_DEFAULTS;

  if (networks == NULL)
    return FALSE;
  params.dataset = features->dataset;
  params.networks = tool_networks_get (networks, &params.n_networks);
  params.unrelated = features->unrelated;
  params.cache = features->cache;
  params.windows = features->windows;
  params.windows_preset = features->preset;
  return ens_fit_extract (&params, part, &features->share, device, opener, monitor, error);
}
