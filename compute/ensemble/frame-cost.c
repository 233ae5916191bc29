/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ensemble/frame-cost.h"

#include "classify/fusion.h"
#include "ensemble/budget.h"
#include "ensemble/bundle-private.h"
#include "ensemble/ensemble-private.h"
#include "ensemble/sub-images.h"

struct _EnsCosts {
  GMutex lock; /* guards all */
  EnsCostModel model;
  GHashTable *counted; /* EnsMemberWork of an image, by network and size: counting infers shapes */
};

EnsCosts *
ens_costs_new (gboolean is_gpu)
{
  EnsCosts *costs = g_new0 (EnsCosts, 1);

  g_mutex_init (&costs->lock);
  ens_cost_model_init (&costs->model, is_gpu);
  costs->counted = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  return costs;
}

void
ens_costs_free (EnsCosts *costs)
{
  if (costs == NULL)
    return;
  g_hash_table_unref (costs->counted);
  g_mutex_clear (&costs->lock);
  g_free (costs);
}

void
ens_costs_learn (EnsCosts *costs, const EnsWork *work, const EnsStageTimes *times)
{
  g_mutex_lock (&costs->lock);
  ens_cost_model_learn (&costs->model, work, times);
  g_mutex_unlock (&costs->lock);
}

EnsStageTimes
ens_frame_estimate (EnsEnsemble *ensemble, const EnsWork *work)
{
  EnsStageTimes times;

  g_mutex_lock (&ensemble->costs->lock);
  times = ens_cost_model_estimate (&ensemble->costs->model, work);
  g_mutex_unlock (&ensemble->costs->lock);
  return times;
}

/* ---- Counting ---- */

/* (transfer full) */
static char *
make_key (guint network, const EnsMemberImages *image)
{
  GString *key = g_string_new (NULL);

  g_string_append_printf (key, "%u %ux%u", network, image->frame->width, image->frame->height);
  for (guint i = 0; i < image->n_scales; i++)
    g_string_append_printf (key, " %u", image->scales[i]);
  return g_string_free (key, FALSE);
}

/* Sizes that streams may have are few, but nobody promises that. */
#define MAX_COUNTED 1000

/* image NULL: a window. */
static gboolean
count_image (EnsEnsemble *ensemble, guint network, const EnsMemberImages *image,
             EnsMemberWork *work, GError **error)
{
  EnsCosts *costs = ensemble->costs;
  g_autofree char *key =
      image != NULL ? make_key (network, image) : g_strdup_printf ("%u window", network);
  const EnsMemberWork *known;
  gboolean counted;

  g_mutex_lock (&costs->lock);
  known = g_hash_table_lookup (costs->counted, key);
  if (known != NULL)
    *work = *known;
  counted = known != NULL;
  g_mutex_unlock (&costs->lock);
  if (counted)
    return TRUE;
  if (!(image != NULL ? ens_member_count_whole (ensemble->members[network], image, work, error)
                      : ens_member_count_window (ensemble->members[network], work, error)))
    return FALSE;
  g_mutex_lock (&costs->lock);
  if (g_hash_table_size (costs->counted) >= MAX_COUNTED)
    g_hash_table_remove_all (costs->counted);
  g_hash_table_insert (costs->counted, g_steal_pointer (&key), g_memdup2 (work, sizeof *work));
  g_mutex_unlock (&costs->lock);
  return TRUE;
}

/* n images of one size, by all networks. */
static gboolean
add_whole (const EnsFrameSettings *settings, const EnsFrame *size, guint n, EnsWork *work,
           GError **error)
{
  for (guint i = 0; i < settings->ensemble->bundle->n_networks; i++) {
    EnsMemberImages image = {size, &ENS_RECT_WHOLE, 1};
    EnsMemberWork one;

    image.scales =
        ens_ensemble_get_scales (settings->ensemble, i, settings->options, &image.n_scales);
    if (!count_image (settings->ensemble, i, &image, &one, error))
      return FALSE;
    work->amounts[ENS_STAGE_WHOLE] += n * one.operations;
    work->amounts[ENS_STAGE_PREPARE] += n * one.pixels;
  }
  return TRUE;
}

/* Windows are shared among all images, and each has one at least. */
static guint
share_windows (guint windows, guint n_images)
{
  return windows > 0 ? MAX (windows / n_images, 1) * n_images : 0;
}

static gboolean
add_windows (const EnsFrameSettings *settings, guint n, EnsWork *work, GError **error)
{
  EnsRoleNetworks networks = ens_bundle_list_role (settings->ensemble->bundle, ENS_ROLE_RETRAINED);

  for (guint i = 0; i < networks.n && n > 0; i++) {
    EnsMemberWork one;

    if (!count_image (settings->ensemble, networks.index[i], NULL, &one, error))
      return FALSE;
    work->amounts[ENS_STAGE_WINDOWS] += n * one.operations;
    work->amounts[ENS_STAGE_PREPARE] += n * one.pixels;
  }
  return TRUE;
}

/* Windows that are wanted. */
static guint
get_windows (const EnsFrameSettings *settings)
{
  const EnsAnalyseOptions *options = settings->options;
  guint wanted =
      options->windows >= 0 ? (guint)options->windows : settings->ensemble->bundle->windows;

  if (!ens_ensemble_takes_windows (settings->ensemble))
    return 0;
  if (options->regions == NULL)
    return wanted;
  return options->windows < 0 ? options->n_regions : MIN (wanted, options->n_regions);
}

/* (transfer full) */
static EnsSubImages *
divide (const EnsFrameSettings *settings)
{
  return ens_sub_images_new (settings->ensemble->bundle, settings->options, settings->width,
                             settings->height);
}

gboolean
ens_frame_count_work (const EnsFrameSettings *settings, EnsWork *work, GError **error)
{
  g_autoptr (EnsSubImages) sub_images = divide (settings);
  const EnsFrame frame = {.width = settings->width, .height = settings->height};
  const EnsFrame part = {.width = sub_images->width, .height = sub_images->height};
  guint windows = get_windows (settings);

  *work = (EnsWork) {.amounts[ENS_STAGE_STYLE] = settings->options->style != NULL};
  if (settings->options->regions == NULL) {
    windows = share_windows (windows, ens_sub_images_get_size (sub_images));
    if (windows > 0)
      work->amounts[ENS_STAGE_SEARCH] = ens_sub_images_count_pixels (
          sub_images, settings->ensemble->bundle->windows_preset, NULL);
  }
  return add_whole (settings, &part, ens_sub_images_get_map_size (sub_images), work, error)
         && (!sub_images->with_whole || add_whole (settings, &frame, 1, work, error))
         && add_windows (settings, windows, work, error);
}

/* ---- Choosing ---- */

EnsExtent
ens_frame_get_extent (const EnsFrameSettings *settings)
{
  g_autoptr (EnsSubImages) sub_images = divide (settings);
  EnsExtent extent = {get_windows (settings), ens_sub_images_get_map_size (sub_images), 1, 1};

  for (guint i = 0; i < settings->ensemble->bundle->n_networks; i++) {
    guint n_scales;

    ens_ensemble_get_scales (settings->ensemble, i, settings->options, &n_scales);
    extent.scales = MAX (extent.scales, n_scales);
  }
  return extent;
}

EnsAnalyseOptions
ens_frame_limit (const EnsFrameSettings *settings, const EnsExtent *extent)
{
  const EnsExtent all = ens_frame_get_extent (settings);
  EnsAnalyseOptions options = *settings->options;

  if (extent->windows < all.windows)
    options.windows = (gint)extent->windows;
  if (extent->sub_images < all.sub_images)
    options.max_sub_images = extent->sub_images;
  if (extent->scales < all.scales)
    options.max_scales = extent->scales;
  return options;
}

static double
estimate (gpointer data, const EnsExtent *extent)
{
  const EnsFrameSettings *settings = data;
  const EnsAnalyseOptions options = ens_frame_limit (settings, extent);
  const EnsFrameSettings limited = {settings->ensemble, &options, settings->width,
                                    settings->height};
  EnsStageTimes times;
  EnsWork work;

  if (!ens_frame_count_work (&limited, &work, NULL))
    return 0;
  times = ens_frame_estimate (settings->ensemble, &work);
  return (double)ens_stage_times_sum (&times);
}

EnsExtent
ens_frame_fit (const EnsFrameSettings *settings, double budget, const EnsExtent *before)
{
  const EnsAnalyseOptions *options = settings->options;
  EnsFrameSettings copy = *settings;
  const EnsBudgetParams params = {
      .all = ens_frame_get_extent (settings),
      .keep_windows = options->windows >= 0 || options->regions != NULL,
      .keep_sub_images = options->sub_images != ENS_SUB_IMAGES_AUTO || options->max_sub_images > 0,
      .keep_scales = options->n_scales > 0,
      .windows_first = settings->ensemble->windows_first,
      .estimate = estimate,
      .data = &copy,
  };

  return budget > 0 ? ens_budget_choose (&params, budget, before) : params.all;
}
