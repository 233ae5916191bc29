/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ensemble/cost-notes.h"

#include "engine/device-private.h"
#include "engine/limits.h"
#include "ensemble/bundle-private.h"
#include "ensemble/ensemble-private.h"

/* Images are scaled by their shorter side: of all frames a square one costs least. */
#define SIDE 480

/* Pixels that preprocessing makes of a frame, from which on it is told: some seconds of a
 * processor. A hundred windows of 224x224 are 5 million. */
#define MANY_PIXELS 1e8

/* Of a frame, by one network. */
typedef struct {
  EnsMemberWork whole, window;
  guint n_windows;
} Cost;

static gboolean
count (EnsEnsemble *ensemble, guint network, Cost *cost, GError **error)
{
  const EnsFrame frame = {.width = SIDE, .height = SIDE};
  EnsMember *member = ensemble->members[network];
  const EnsAnalyseOptions options = ENS_ANALYSE_DEFAULTS;
  EnsMemberImages image = {&frame, &ENS_RECT_WHOLE, 1};

  image.scales = ens_ensemble_get_scales (ensemble, network, &options, &image.n_scales);
  if (!ens_member_count_whole (member, &image, &cost->whole, error))
    return FALSE;
  cost->n_windows = ens_member_takes_windows (member) ? ensemble->bundle->windows : 0;
  return cost->n_windows == 0 || ens_member_count_window (member, &cost->window, error);
}

/* (transfer full) */
static char *
describe (const EnsBundleNetwork *network, const Cost *cost, double pixels, double operations)
{
  const double most = MAX (cost->whole.pixels, cost->window.pixels);
  const guint channels = ens_order_channels (network->normalise.order);
  g_autofree char *n_pixels = ens_format_operations (pixels);
  g_autofree char *n_operations = ens_format_operations (operations);
  g_autofree char *memory = g_format_size ((guint64)(most * channels * sizeof (float)));

  return g_strdup_printf (
      "network “%s”: a frame of %ux%u with %u windows takes %s pixels of scaled images, %s of "
      "memory for those of one image, and %s operations: smaller or fewer scales, smaller "
      "window_sizes or fewer windows take less",
      network->name, SIDE, SIDE, cost->n_windows, n_pixels, memory, n_operations);
}

void
ens_cost_notes_add (EnsEnsemble *ensemble, GPtrArray *notes)
{
  const EnsLimits limits = ens_device_get_limits (ensemble->device);

  for (guint n = 0; n < ensemble->bundle->n_networks; n++) {
    const EnsBundleNetwork *network = &ensemble->bundle->networks[n];
    g_autoptr (GError) error = NULL;
    Cost cost = {0};
    double pixels, operations;

    if (!count (ensemble, n, &cost, &error)) {
      g_ptr_array_add (notes, g_strdup_printf ("network “%s” can analyse no frame: %s",
                                               network->name, error->message));
      continue;
    }
    pixels = cost.whole.pixels + cost.n_windows * cost.window.pixels;
    operations = cost.whole.operations + cost.n_windows * cost.window.operations;
    if (pixels >= MANY_PIXELS || operations > (double)ens_limits_get_operations (&limits))
      g_ptr_array_add (notes, describe (network, &cost, pixels, operations));
  }
}
