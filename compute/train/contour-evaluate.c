/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "train/contour-evaluate.h"

#include <math.h>
#include <string.h>

#include "base/fail.h"
#include "engine/network.h"
#include "train/contour-private.h"

/* Of the map that is thinned. */
#define MAP_DEVIATION 1.0
/* Of pictures before their gradient is taken. */
static const double deviations[] = {1, 1.5, 2, 3, 4, 5, 6, 8};
/* Canny's lower threshold. */
#define LOW 0.4

/* A method with its smoothing. */
typedef struct {
  EnsContourMethod method;
  double deviation;
} Variant;

#define N_VARIANTS (1 + 2 * G_N_ELEMENTS (deviations))

typedef struct {
  EnsContourEvaluation *evaluation;
  EnsPlane *luma, *drawn;   /* by picture; drawn: its truth as thin lines, without the border */
  EnsContourCounts *counts; /* by picture, then by variant */
} Count;

static void
picture_free (gpointer data)
{
  EnsContourPicture *picture = data;

  g_free (picture->path);
  ens_plane_clear (&picture->truth);
  ens_plane_clear (&picture->probability);
  g_free (picture);
}

void
ens_contour_evaluation_free (EnsContourEvaluation *evaluation)
{
  if (evaluation == NULL)
    return;
  g_ptr_array_unref (evaluation->pictures);
  g_free (evaluation);
}

/* ---- The network ---- */

static gboolean
run_network (EnsNetwork *network, const EnsContourExample *example, EnsPlane *map, GError **error)
{
  const EnsShape shape = ENS_SHAPE (1, example->height, example->width, 3);
  g_autoptr (EnsPlan) plan = ens_network_plan (network, &shape, error);
  const EnsShape *output;

  if (plan == NULL)
    return FALSE;
  output = ens_plan_get_output_shape (plan, 0);
  if (!ens_shape_equal (output, &ENS_SHAPE (1, example->height, example->width, 1)))
    return ens_fail (error, ENS_ERROR_SHAPE, ens_network_get_output_name (network, 0),
                     "expected a map of one channel, as large as the picture");
  ens_plane_init (map, example->width, example->height);
  return ens_plan_run (plan, (const gconstpointer[]) {example->pixels},
                       (const gpointer[]) {map->values}, error);
}

static gboolean
add_picture (Count *count, EnsNetwork *network, const EnsContourItem *item,
             const EnsFrameOpener *opener, GError **error)
{
  GPtrArray *pictures = count->evaluation->pictures;
  EnsContourPicture *picture = g_new0 (EnsContourPicture, 1);
  g_auto (EnsContourExample) example = {0};
  g_autoptr (EnsPicture) photograph = NULL, truth = NULL;

  picture->path = g_strdup (item->picture);
  g_ptr_array_add (pictures, picture);
  if (!ens_contour_item_read (item, opener, &photograph, &truth, error))
    return FALSE;
  ens_contour_example_init (&example, photograph, truth);
  ens_plane_init_luma (&count->luma[pictures->len - 1], &photograph->frame);
  ens_plane_init_luma (&picture->truth, &truth->frame);
  return run_network (network, &example, &picture->probability, error);
}

/* ---- Counting ---- */

static Variant
get_variant (guint i)
{
  if (i == 0)
    return (Variant) {ENS_CONTOUR_BY_NETWORK, NAN};
  return (Variant) {i % 2 == 1 ? ENS_CONTOUR_BY_CANNY : ENS_CONTOUR_BY_GRADIENT,
                    deviations[(i - 1) / 2]};
}

static void
clear_border (EnsPlane *plane)
{
  for (guint y = 0; y < plane->height; y++)
    for (guint x = 0; x < plane->width; x++)
      if (ens_contour_is_on_border (x, y, plane->width, plane->height))
        plane->values[(gsize)y * plane->width + x] = 0;
}

/* Gradients become the height of the step that would have them after such a smoothing, and of that
 * the square root, which divides low steps more finely. */
static void
scale_gradient (EnsPlane *thin, double deviation)
{
  float factor = (float)(sqrt (2 * G_PI) * deviation);

  for (gsize i = 0; i < (gsize)thin->width * thin->height; i++)
    thin->values[i] = sqrtf (MIN (thin->values[i] * factor, 1));
}

/* Lines of a pixel's width; made. */
static void
find_contours (const EnsContourPicture *picture, const EnsPlane *luma, const Variant *variant,
               EnsPlane *found)
{
  g_auto (EnsPlane) thin = {0};

  if (variant->method == ENS_CONTOUR_BY_NETWORK) {
    ens_lines_thin (&picture->probability, MAP_DEVIATION, found);
    return;
  }
  ens_gradient_thin (luma, variant->deviation, &thin);
  scale_gradient (&thin, variant->deviation);
  if (variant->method == ENS_CONTOUR_BY_CANNY) {
    ens_canny_thresholds (&thin, sqrt (LOW), ENS_CONTOUR_N_THRESHOLDS, found);
    return;
  }
  *found = thin;
  thin.values = NULL;
}

static void
thin_truth (gpointer data, guint i, guint worker)
{
  const Count *count = data;
  const EnsContourPicture *picture = count->evaluation->pictures->pdata[i];

  ens_contour_thin_truth (&picture->truth, &count->drawn[i]);
  clear_border (&count->drawn[i]);
}

static void
count_variant (gpointer data, guint task, guint worker)
{
  const Count *count = data;
  const guint i = task / N_VARIANTS;
  const Variant variant = get_variant (task % N_VARIANTS);
  g_auto (EnsPlane) found = {0};

  find_contours (count->evaluation->pictures->pdata[i], &count->luma[i], &variant, &found);
  clear_border (&found);
  ens_contour_count (&found, &count->drawn[i], &count->counts[task]);
}

/* Each method's best variant. */
static void
choose (const Count *count)
{
  for (guint v = 0; v < N_VARIANTS; v++) {
    const Variant variant = get_variant (v);
    EnsContourFigures *best = &count->evaluation->methods[variant.method];
    EnsContourFigures figures = {.deviation = variant.deviation};

    for (guint i = 0; i < count->evaluation->pictures->len; i++)
      ens_contour_counts_add (&figures.counts, &count->counts[i * N_VARIANTS + v]);
    figures.score = ens_contour_score (&figures.counts);
    if (best->score.threshold == 0 || figures.score.f > best->score.f)
      *best = figures;
  }
}

/* ---- All of it ---- */

static void
count_clear (Count *count)
{
  for (guint i = 0; i < count->evaluation->pictures->len; i++) {
    ens_plane_clear (&count->luma[i]);
    ens_plane_clear (&count->drawn[i]);
  }
  g_free (count->luma);
  g_free (count->drawn);
  g_free (count->counts);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Count, count_clear)

static gboolean
measure (EnsContourEvaluation *evaluation, const GPtrArray *items, EnsNetwork *network,
         EnsDevice *device, const EnsFrameOpener *opener, const EnsMonitor *monitor, GError **error)
{
  EnsThreadPool *pool = ens_device_get_pool (device);
  g_auto (Count) count = {.evaluation = evaluation,
                          .luma = g_new0 (EnsPlane, items->len),
                          .drawn = g_new0 (EnsPlane, items->len),
                          .counts = g_new0 (EnsContourCounts, items->len * N_VARIANTS)};

  for (guint i = 0; i < items->len; i++)
    if (!ens_monitor_progress (monitor, "finding contours", i, items->len, error)
        || !add_picture (&count, network, items->pdata[i], opener, error))
      return FALSE;
  ens_thread_pool_run (pool, items->len, thin_truth, &count);
  ens_thread_pool_run (pool, items->len * N_VARIANTS, count_variant, &count);
  choose (&count);
  return ens_monitor_progress (monitor, "finding contours", items->len, items->len, error);
}

EnsContourEvaluation *
ens_contour_evaluate (const char *network, const char *dataset, EnsDevice *device,
                      const EnsFrameOpener *opener, const EnsMonitor *monitor, GError **error)
{
  g_autoptr (EnsContourSet) set = ens_contour_set_load (dataset, error);
  g_autoptr (EnsNetwork) loaded = NULL;
  g_autoptr (EnsContourEvaluation) evaluation = NULL;

  if (set == NULL)
    return NULL;
  loaded = ens_network_load (network, device, error);
  if (loaded == NULL)
    return NULL;
  evaluation = g_new0 (EnsContourEvaluation, 1);
  evaluation->pictures = g_ptr_array_new_with_free_func (picture_free);
  evaluation->split = set->items[ENS_SPLIT_TEST]->len > 0 ? ENS_SPLIT_TEST : ENS_SPLIT_VALIDATION;
  return measure (evaluation, set->items[evaluation->split], loaded, device, opener, monitor, error)
             ? g_steal_pointer (&evaluation)
             : NULL;
}
