/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "train/style-batch-norm.h"

#include "base/fail.h"
#include "base/files.h"
#include "engine/network-private.h"
#include "ensemble/bundle-private.h"
#include "onnx/onnx.h"
#include "ops/registry.h"
#include "passes/parameters.h"
#include "train/style-adapter.h"
#include "vision/framing.h"

/* Pictures of a batch, at most. */
#define BATCH 16

/* -- pictures as a network takes them -- */

/* The square in the middle of a small picture, scaled and normalised. */
static void
prepare (const EnsSmallPicture *small, const EnsBundleNetwork *network, EnsThreadPool *pool,
         float *out)
{
  g_autoptr (EnsPicture) picture = ens_small_picture_show (small);
  const EnsFramedResize resize = {.framing = ENS_FRAMING_CROP,
                                  .crop = 1,
                                  .width = network->size,
                                  .height = network->size,
                                  .normalise = &network->normalise};

  ens_frame_resize_framed (&picture->frame, &ENS_RECT_WHOLE, 1, &resize, pool, out);
}

/* -- statistics -- */

static gboolean
is_chosen (const EnsNode *node, gpointer data)
{
  return TRUE;
}

static guint
count_batch_norms (const EnsGraph *graph)
{
  guint n = 0;

  for (guint i = 0; i < graph->nodes->len; i++)
    n += ((const EnsNode *)graph->nodes->pdata[i])->op == &ens_op_batch_normalization;
  return n;
}

/* Puts what a node's mean and variance become into the network that it comes from. */
static void
put (EnsGraph *network, const EnsNode *trained, guint input, const float *values)
{
  EnsNode *node = g_hash_table_lookup (network->nodes_by_name, trained->name);
  EnsTensor *tensor =
      ens_tensor_new_copy (ENS_TYPE_FLOAT32, &node->inputs[input]->constant->shape, values);

  node->inputs[input] = ens_graph_add_constant (network, node->inputs[input]->name, tensor);
  ens_tensor_unref (tensor);
}

/* Runs all pictures as one batch, whose statistics are the outputs. */
static gboolean
adapt (EnsGraph *network, const EnsBundleNetwork *settings, const GPtrArray *pictures,
       EnsDevice *device, GError **error)
{
  const guint n = MIN (pictures->len, BATCH), side = settings->size;
  const guint channels = ens_order_channels (settings->normalise.order);
  const EnsShape shape = ENS_SHAPE (n, side, side, channels);
  g_autoptr (EnsGraph) trained = ens_graph_copy (network);
  g_autoptr (GPtrArray) nodes = g_ptr_array_new ();
  g_autoptr (GPtrArray) outputs = g_ptr_array_new_with_free_func (g_free);
  g_autofree float *pixels = g_new (float, (gsize)ens_shape_elements (&shape));
  g_autoptr (EnsNetwork) prepared = NULL;
  g_autoptr (EnsPlan) plan = NULL;

  ens_graph_train_batch_norm (trained, 1, is_chosen, NULL);
  g_ptr_array_set_size (trained->outputs, 0);
  for (guint i = 0; i < trained->nodes->len; i++) {
    EnsNode *node = trained->nodes->pdata[i];

    if (node->op != &ens_op_batch_normalization_training)
      continue;
    for (guint k = 1; k <= 2; k++)
      ens_graph_add_output (trained, node->outputs[k]);
    g_ptr_array_add (nodes, g_hash_table_lookup (network->nodes_by_name, node->name));
  }
  prepared = ens_network_new (g_steal_pointer (&trained), device, error);
  if (prepared != NULL)
    plan = ens_network_plan (prepared, &shape, error);
  if (plan == NULL)
    return FALSE;
  for (guint i = 0; i < 2 * nodes->len; i++)
    g_ptr_array_add (
        outputs, g_new (float, (gsize)ens_shape_elements (ens_plan_get_output_shape (plan, i))));
  for (guint i = 0; i < n; i++)
    prepare (pictures->pdata[i * pictures->len / n], settings, ens_device_get_pool (device),
             pixels + (gsize)i * side * side * channels);
  if (!ens_plan_run (plan, (const gconstpointer[]) {pixels}, outputs->pdata, error))
    return FALSE;
  for (guint i = 0; i < 2 * nodes->len; i++)
    put (network, nodes->pdata[i / 2], 3 + i % 2, outputs->pdata[i]);
  return TRUE;
}

/* -- the copy -- */

static gboolean
copy_file (const char *from, const char *folder, const char *name, GError **error)
{
  g_autofree char *to = g_build_filename (folder, name, NULL);
  g_autoptr (GFile) source = g_file_new_for_path (from), target = g_file_new_for_path (to);

  return g_file_copy (source, target, G_FILE_COPY_OVERWRITE, NULL, NULL, NULL, error);
}

/* The bundle's own files, of which none lies in a folder of its own but styles. */
static gboolean
copy_bundle (const char *bundle, const char *folder, GError **error)
{
  g_autoptr (GDir) dir = g_dir_open (bundle, 0, error);
  const char *name;

  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL) {
    g_autofree char *path = g_build_filename (bundle, name, NULL);

    if (g_file_test (path, G_FILE_TEST_IS_REGULAR) && !copy_file (path, folder, name, error))
      return FALSE;
  }
  return dir != NULL;
}

static gboolean
adapt_networks (const EnsBundle *bundle, const GPtrArray *pictures, EnsDevice *device,
                const char *folder, guint *n_adapted, GError **error)
{
  for (guint i = 0; i < bundle->n_networks; i++) {
    const EnsBundleNetwork *settings = &bundle->networks[i];
    g_autofree char *path = g_build_filename (folder, settings->network, NULL);
    g_autoptr (EnsGraph) network =
        ens_onnx_import (path, &(EnsOnnxOptions) {.nominal_size = settings->size}, error);

    if (network == NULL)
      return FALSE;
    if (count_batch_norms (network) == 0)
      continue;
    if (!adapt (network, settings, pictures, device, error)
        || !ens_onnx_export (network, path, error))
      return FALSE;
    (*n_adapted)++;
  }
  return TRUE;
}

gboolean
ens_style_adapt_batch_norm (const char *bundle, const GPtrArray *pictures, EnsDevice *device,
                            char **copy, GError **error)
{
  g_autofree char *folder = g_dir_make_tmp ("style-XXXXXX.ensemble", error);
  g_autoptr (EnsBundle) read = NULL;
  guint n_adapted = 0;
  gboolean done;

  *copy = NULL;
  if (folder == NULL)
    return FALSE;
  read = ens_bundle_load (bundle, error);
  done = read != NULL && copy_bundle (bundle, folder, error)
         && adapt_networks (read, pictures, device, folder, &n_adapted, error);
  if (done && n_adapted > 0)
    *copy = g_steal_pointer (&folder);
  else
    ens_style_remove_bundle (folder);
  return done;
}

void
ens_style_remove_bundle (const char *copy)
{
  ens_remove_tree (copy);
}
