/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ensemble/style.h"

#include "base/cancel.h"
#include "base/fail.h"
#include "engine/jobs.h"
#include "engine/network-private.h"
#include "graph/infer.h"
#include "onnx/about.h"
#include "onnx/onnx.h"
#include "ops/params.h"
#include "ops/registry.h"

/* Frames of other sizes are scaled to one between these. */
#define LEAST_SIZE 16
#define LARGEST_SIZE 4096

struct _EnsStyle {
  gatomicrefcount references;
  char *name, *path;
  guint size;
  EnsNetwork *network; /* images → what is added to them */
};

struct _EnsStyleRun {
  EnsDevice *device;
  EnsJobs *jobs;
  float *residual;
  gsize n_residual; /* floats that there is memory for */
  EnsPicture *picture;
};

/* -- opening -- */

static gboolean
is_images (const EnsShape *shape)
{
  return shape->rank == 4 && (shape->dims[3] < 0 || shape->dims[3] == 3);
}

static gboolean
fail_images (const char *path, const char *what, const EnsValue *value, GError **error)
{
  g_autofree char *shape = ens_shape_to_string (&value->shape);

  return ens_fail (error, ENS_ERROR_SHAPE, path,
                   "is no style: expected RGB images as its only input and output, found %s “%s” "
                   "%s",
                   what, value->name, shape);
}

/* Images of a size that is nothing round have to come out as they went in. */
static gboolean
check_images (const EnsGraph *graph, const char *path, GError **error)
{
  const EnsShape size = ENS_SHAPE (1, 2 * LEAST_SIZE + 1, 2 * LEAST_SIZE + 6, 3);
  const EnsValue *input = ens_graph_only_input (graph), *output;
  g_autoptr (EnsGraph) inferred = ens_graph_copy (graph);

  if (input == NULL)
    return ens_fail (error, ENS_ERROR_SHAPE, path,
                     "is no style: expected RGB images as its only input and output, found %u "
                     "inputs",
                     graph->inputs->len);
  if (!is_images (&input->shape) || input->type != ENS_TYPE_FLOAT32)
    return fail_images (path, "input", input, error);
  if (!ens_infer_graph (inferred, &size, error)) {
    g_prefix_error (error, "%s: is no style, as it does not take images of any size: ", path);
    return FALSE;
  }
  output = inferred->outputs->pdata[0];
  return (graph->outputs->len == 1 && output->type == ENS_TYPE_FLOAT32
          && ens_shape_equal (&output->shape, &size))
         || fail_images (path, "output", output, error);
}

/* Images → what the style adds to them. */
static void
subtract_images (EnsGraph *graph)
{
  const EnsBinaryParams params = {.activation = {ENS_ACTIVATION_NONE}};
  EnsValue *residual = ens_graph_apply (graph, &ens_op_sub, &params, graph->outputs->pdata[0],
                                        graph->inputs->pdata[0], NULL);

  g_ptr_array_set_size (graph->outputs, 0);
  ens_graph_add_output (graph, residual);
}

static gboolean
read_size (const char *path, guint *size, GError **error)
{
  g_autoptr (EnsOnnxAbout) about = ens_onnx_about_read (path, error);
  const char *text;
  guint64 value = *size;

  if (about == NULL)
    return FALSE;
  text = g_hash_table_lookup (about->properties, ENS_STYLE_SIZE_PROPERTY);
  if (text != NULL
      && !g_ascii_string_to_unsigned (text, 10, LEAST_SIZE, LARGEST_SIZE, &value, NULL))
    return ens_fail (error, ENS_ERROR_FORMAT, path,
                     "property “%s”: expected a number of pixels from %d to %d, found “%s”",
                     ENS_STYLE_SIZE_PROPERTY, LEAST_SIZE, LARGEST_SIZE, text);
  *size = (guint)value;
  return TRUE;
}

EnsStyle *
ens_style_open (const char *path, const char *name, EnsDevice *device, GError **error)
{
  g_autoptr (EnsGraph) graph = NULL;
  EnsNetwork *network;
  EnsStyle *style;
  guint size = ENS_STYLE_DEFAULT_SIZE;

  if (!read_size (path, &size, error))
    return NULL;
  graph = ens_onnx_import (path, NULL, error);
  if (graph == NULL || !check_images (graph, path, error))
    return NULL;
  subtract_images (graph);
  network = ens_network_new (g_steal_pointer (&graph), device, error);
  if (network == NULL)
    return NULL;
  style = g_new0 (EnsStyle, 1);
  g_atomic_ref_count_init (&style->references);
  style->name = g_strdup (name);
  style->path = g_strdup (path);
  style->size = size;
  style->network = network;
  return style;
}

EnsStyle *
ens_style_ref (EnsStyle *style)
{
  g_atomic_ref_count_inc (&style->references);
  return style;
}

void
ens_style_unref (EnsStyle *style)
{
  if (!g_atomic_ref_count_dec (&style->references))
    return;
  ens_network_unref (style->network);
  g_free (style->name);
  g_free (style->path);
  g_free (style);
}

const char *
ens_style_get_name (const EnsStyle *style)
{
  return style->name;
}

guint
ens_style_get_size (const EnsStyle *style)
{
  return style->size;
}

/* -- running -- */

EnsStyleRun *
ens_style_run_new (EnsDevice *device)
{
  EnsStyleRun *run = g_new0 (EnsStyleRun, 1);

  run->device = ens_device_ref (device);
  run->jobs = ens_jobs_new (device, FALSE);
  return run;
}

void
ens_style_run_free (EnsStyleRun *run)
{
  if (run == NULL)
    return;
  ens_jobs_free (run->jobs);
  g_clear_pointer (&run->picture, ens_picture_unref);
  g_aligned_free (run->residual);
  ens_device_unref (run->device);
  g_free (run);
}

static void
reserve (EnsStyleRun *run, gsize n)
{
  if (run->n_residual >= n)
    return;
  g_aligned_free (run->residual);
  run->residual = g_aligned_alloc (n, sizeof (float), 64);
  run->n_residual = n;
}

/* Frames that are longer than this are compressed, as for networks. */
#define MAX_ASPECT 4

const EnsFrame *
ens_style_run (EnsStyleRun *run, EnsStyle *style, const EnsFrame *frame, GCancellable *cancellable,
               GError **error)
{
  static const EnsNormalise bytes = {ENS_ORDER_RGB, {0, 0, 0}, {1, 1, 1}};
  static const EnsRect whole = ENS_RECT_WHOLE;
  EnsJob job = {.n_inputs = 1, .frame = frame, .rects = &whole, .normalise = &bytes};
  g_autoptr (EnsThreadPool) pool =
      ens_thread_pool_new_cancellable (ens_device_get_pool (run->device), cancellable);
  g_autoptr (EnsPlan) plan = NULL;
  EnsResidual residual;
  EnsShape shape;

  ens_frame_scaled_size (frame->width, frame->height, style->size, &residual.width,
                         &residual.height);
  residual.width = MIN (residual.width, MAX_ASPECT * style->size);
  residual.height = MIN (residual.height, MAX_ASPECT * style->size);
  shape = ENS_SHAPE (1, residual.height, residual.width, 3);
  ens_jobs_discard (run->jobs);
  ens_jobs_set_cancellable (run->jobs, cancellable);
  plan = ens_jobs_plan (run->jobs, style->network, &shape, error);
  if (plan == NULL)
    return NULL;
  reserve (run, (gsize)ens_shape_elements (&shape));
  job.plan = plan;
  job.shapes = &shape;
  job.outputs[0] = run->residual;
  if (!ens_jobs_add (run->jobs, &job, error))
    return NULL;
  residual.values = run->residual;
  run->picture = ens_frame_add_residual (frame, &residual, run->picture, pool);
  return ens_check_cancelled (cancellable, error) ? &run->picture->frame : NULL;
}

gint64
ens_style_run_get_planning (const EnsStyleRun *run)
{
  return ens_jobs_get_times (run->jobs)->planning;
}
