/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "networks/residual.h"

#include <string.h>

#include "base/fail.h"
#include "ops/registry.h"

/* A block's inner convolutions have its channels divided by this. */
#define BOTTLENECK 4

static const struct {
  const char *name;
  EnsResidualParams params;
} presets[] = {
#define USUAL(a, b, c, d)                                                                      \
  {                                                                                            \
    .height = 224, .width = 224, .initial = {64, 7, 2}, .first_kernel = 1, .second_kernel = 3, \
    .n_stages = 4, .stages = {                                                                 \
      {a, 256, 2},                                                                             \
      {b, 512, 2},                                                                             \
      {c, 1024, 2},                                                                            \
      {d, 2048, 2}                                                                             \
    }                                                                                          \
  }
    {"50", USUAL (3, 4, 6, 3)},
    {"101", USUAL (3, 4, 23, 3)},
    {"152", USUAL (3, 8, 36, 3)},
#undef USUAL
    {"small",
     {.height = 128,
      .width = 128,
      .initial = {32, 3, 1},
      .first_kernel = 1,
      .second_kernel = 3,
      .n_stages = 4,
      .stages = {{1, 64, 2}, {1, 128, 2}, {1, 256, 2}, {1, 512, 2}}}},
};

gboolean
ens_residual_find (const char *name, EnsResidualParams *params, GError **error)
{
  g_autoptr (GString) names = g_string_new (NULL);

  for (guint i = 0; i < G_N_ELEMENTS (presets); i++) {
    if (strcmp (presets[i].name, name) == 0) {
      *params = presets[i].params;
      return TRUE;
    }
    g_string_append_printf (names, "%s%s", i > 0 ? ", " : "", presets[i].name);
  }
  return ens_fail (error, ENS_ERROR_UNSUPPORTED, name, "no size of residual networks; there are %s",
                   names->str);
}

typedef struct {
  const EnsResidualParams *params;
  char *name;
  guint channels, stride;
  gboolean projects; /* a convolution is on its shortcut */
} Block;

/* (free with g_free (name)) */
static Block
get_block (const EnsResidualParams *params, guint stage, guint i)
{
  const EnsResidualStage *of = &params->stages[stage];
  gboolean reduces = i == 0 || params->stride_everywhere;

  return (Block) {
      .params = params,
      .name = g_strdup_printf ("stage%u/block%u", stage + 1, i + 1),
      .channels = of->channels,
      .stride = reduces ? of->stride : 1,
      .projects = reduces,
  };
}

/* -- checks -- */

static gboolean
check_range (const char *where, const char *what, guint value, guint most, GError **error)
{
  if (value >= 1 && value <= most)
    return TRUE;
  return ens_fail (error, ENS_ERROR_UNSUPPORTED, where, "%s: found %u, expected 1 to %u", what,
                   value, most);
}

static gboolean
check_conv (const char *where, const EnsConvLayer *conv, GError **error)
{
  if (conv->kernel % 2 == 0)
    return ens_fail (error, ENS_ERROR_UNSUPPORTED, where,
                     "a kernel is %u wide; expected an odd width", conv->kernel);
  return check_range (where, "width of a kernel", conv->kernel, 31, error)
         && check_range (where, "stride", conv->stride, 31, error)
         && check_range (where, "channels", conv->filters, 1 << 14, error);
}

/* First kernel < second kernel, first stride < second stride < second kernel. */
static gboolean
check_conditions (const Block *block, GError **error)
{
  const EnsResidualParams *params = block->params;

  if (params->first_kernel >= params->second_kernel)
    return ens_fail (error, ENS_ERROR_UNSUPPORTED, block->name,
                     "the first convolution's kernel is %u wide, the second's %u; the first has to "
                     "be narrower",
                     params->first_kernel, params->second_kernel);
  if (block->projects && (block->stride <= 1 || block->stride >= params->second_kernel))
    return ens_fail (error, ENS_ERROR_UNSUPPORTED, block->name,
                     "the second convolution's stride is %u; it has to be larger than the first's, "
                     "1, and smaller than its kernel's width, %u, so that no input is skipped",
                     block->stride, params->second_kernel);
  return TRUE;
}

static gboolean
check_block (const Block *block, GError **error)
{
  const EnsResidualParams *params = block->params;

  if (!check_conv (block->name, &(EnsConvLayer) {block->channels, params->first_kernel, 1}, error)
      || !check_conv (block->name,
                      &(EnsConvLayer) {block->channels, params->second_kernel, block->stride},
                      error))
    return FALSE;
  if (block->channels % BOTTLENECK != 0)
    return ens_fail (error, ENS_ERROR_UNSUPPORTED, block->name,
                     "found %u channels, expected a multiple of %u", block->channels, BOTTLENECK);
  return params->plain || check_conditions (block, error);
}

static guint
reduce (guint n, guint stride)
{
  return (n + stride - 1) / stride;
}

/* Takes height and width of the map before the stage to those after it. */
static gboolean
check_stage (const EnsResidualParams *params, guint stage, guint *height, guint *width,
             GError **error)
{
  g_autofree char *where = g_strdup_printf ("stage%u", stage + 1);

  if (!check_range (where, "number of blocks", params->stages[stage].n_blocks, 1000, error))
    return FALSE;
  for (guint i = 0; i < params->stages[stage].n_blocks; i++) {
    Block block = get_block (params, stage, i);
    g_autofree char *name = block.name;

    if (!check_block (&block, error))
      return FALSE;
    *height = reduce (*height, block.stride);
    *width = reduce (*width, block.stride);
    if (*height == 1 && *width == 1)
      return ens_fail (error, ENS_ERROR_SHAPE, where,
                       "of pictures of %u×%u its block %u leaves a map of 1×1; take larger "
                       "pictures, or fewer blocks with a stride",
                       params->height, params->width, i + 1);
  }
  return TRUE;
}

static gboolean
check (const EnsResidualParams *params, GError **error)
{
  guint height = params->height, width = params->width;

  if (!check_range ("residual network", "classes", params->n_classes, 1 << 20, error)
      || !check_range ("residual network", "stages", params->n_stages, ENS_RESIDUAL_MAX_STAGES,
                       error)
      || !check_conv ("initial", &params->initial, error))
    return FALSE;
  height = reduce (height, params->initial.stride);
  width = reduce (width, params->initial.stride);
  for (guint i = 0; i < params->n_stages; i++)
    if (!check_stage (params, i, &height, &width, error))
      return FALSE;
  return TRUE;
}

/* -- the network -- */

/* Batch normalisation and ReLU, as they stand before a convolution. */
static EnsMap
pre_activate (EnsLayers *layers, const char *name, EnsMap x)
{
  g_autofree char *norm = g_strdup_printf ("%s/norm", name);
  g_autofree char *relu = g_strdup_printf ("%s/relu", name);

  return ens_layers_activate (layers, relu, &ens_op_relu, 0,
                              ens_layers_batch_norm (layers, norm, x));
}

/* `x` is the block's input, `activated` what its first convolution reads. */
static EnsMap
add_shortcut (EnsLayers *layers, const Block *block, EnsMap x, EnsMap activated)
{
  g_autofree char *name = g_strdup_printf ("%s/shortcut", block->name);

  if (!block->projects)
    return x;
  if (!block->params->plain)
    activated = pre_activate (layers, name, x);
  return ens_layers_conv (
      layers, name, activated,
      &(EnsConvLayer) {.filters = block->channels, .kernel = 1, .stride = block->stride});
}

static EnsMap
add_block (EnsLayers *layers, const Block *block, const char *output, EnsMap x)
{
  const EnsResidualParams *params = block->params;
  const guint inner = block->channels / BOTTLENECK;
  const EnsConvLayer convs[] = {
      {inner, params->first_kernel, params->plain ? block->stride : 1},
      {inner, params->second_kernel, params->plain ? 1 : block->stride},
      {block->channels, 1, 1},
  };
  EnsMap branch = x, shortcut = x;

  for (guint i = 0; i < G_N_ELEMENTS (convs); i++) {
    g_autofree char *name = g_strdup_printf ("%s/conv%u", block->name, i + 1);

    branch = pre_activate (layers, name, branch);
    if (i == 0)
      shortcut = add_shortcut (layers, block, x, branch);
    branch = ens_layers_conv (layers, name, branch, &convs[i]);
  }
  return ens_layers_combine (layers, output, &ens_op_add, branch, shortcut);
}

static EnsMap
add_stage (EnsLayers *layers, const EnsResidualParams *params, guint stage, EnsMap x)
{
  const guint n = params->stages[stage].n_blocks;
  g_autofree char *last = g_strdup_printf ("stage%u", stage + 1);

  for (guint i = 0; i < n; i++) {
    Block block = get_block (params, stage, i);
    g_autofree char *name = block.name;

    x = add_block (layers, &block, i + 1 < n ? name : last, x);
  }
  return x;
}

static gint64
open_if_zero (guint size)
{
  return size > 0 ? (gint64)size : -1;
}

EnsGraph *
ens_residual_build (const EnsResidualParams *params, GError **error)
{
  EnsLayers layers = {.seed = params->seed};
  const EnsShape image =
      ENS_SHAPE (-1, open_if_zero (params->height), open_if_zero (params->width), 3);
  EnsMap x;

  if (!check (params, error))
    return NULL;
  layers.graph = ens_graph_new ("residual network");
  x = (EnsMap) {ens_graph_add_input (layers.graph, "image", ENS_TYPE_FLOAT32, &image), 3};
  x = ens_layers_conv (&layers, "initial", x, &params->initial);
  for (guint i = 0; i < params->n_stages; i++)
    x = add_stage (&layers, params, i, x);
  x = pre_activate (&layers, "features", x);
  x = ens_layers_average (&layers, "features", x);
  x = ens_layers_fully_connected (&layers, "logits", x, params->n_classes);
  ens_graph_add_output (layers.graph, x.value);
  return layers.graph;
}
