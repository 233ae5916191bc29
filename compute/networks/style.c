/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "networks/style.h"

#include "ops/registry.h"

#define SLOPE 0.2f /* of leaky ReLU */
#define N_BLOCKS 3
#define MULTIPLE 4 /* of the sides: two scales below the picture's */

/* Steps of Adam are alike for all weights. Of the last layer they all act on a pixel at once, and
 * would drive it into saturation, from which no gradient leads back: they act this much less. */
#define LAST_FACTOR 0.3f

/* The first layer sees beside the picture how it differs from its surroundings of 5 × 5 pixels,
 * enlarged: noise and edges become as large as colours, so that what becomes of them is learnt as
 * fast. */
#define SURROUNDINGS 5
#define DETAIL_FACTOR 16

static const guint widths[] = {32, 64, 96}; /* of each scale */

/* -- layers -- */

/* For a kernel of an odd size. */
static EnsMap
pad (EnsLayers *layers, EnsMap x, guint kernel)
{
  const gint64 n = kernel / 2;
  const EnsPadParams params = {.mode = ENS_PAD_REFLECT,
                               .has_pads = TRUE,
                               .rank = 4,
                               .begin = {0, n, n, 0},
                               .end = {0, n, n, 0}};

  x.value = ens_graph_apply (layers->graph, &ens_op_pad, &params, x.value, NULL);
  return x;
}

static EnsMap
convolve (EnsLayers *layers, const char *name, EnsMap x, guint filters, gboolean zero)
{
  const EnsConvLayer conv = {filters, .kernel = 3, .bias = TRUE, .unpadded = TRUE, .zero = zero};

  return ens_layers_conv (layers, name, pad (layers, x, 3), &conv);
}

static EnsMap
leak (EnsLayers *layers, EnsMap x)
{
  return ens_layers_activate (layers, NULL, &ens_op_leaky_relu, SLOPE, x);
}

/* Averages of kernel × kernel elements, `stride` apart, unpadded. */
static EnsMap
average (EnsLayers *layers, EnsMap x, guint kernel, guint stride)
{
  EnsPoolParams params = {.sliding = ENS_SLIDING_DEFAULT};

  params.sliding.rank = 2;
  for (guint i = 0; i < 2; i++) {
    params.sliding.kernel[i] = kernel;
    params.sliding.strides[i] = stride;
  }
  x.value = ens_graph_apply (layers->graph, &ens_op_average_pool, &params, x.value, NULL);
  return x;
}

static EnsMap
enlarge (EnsLayers *layers, EnsMap x)
{
  const EnsResizeParams params = {.mode = ENS_RESIZE_LINEAR,
                                  .coordinates = ENS_RESIZE_HALF_PIXEL,
                                  .cubic_a = -0.75f,
                                  .scales = {4, {1, 1, 2, 2}}};

  x.value = ens_graph_apply (layers->graph, &ens_op_resize, &params, x.value, NULL);
  return x;
}

static EnsValue *
add_floats (EnsLayers *layers, const char *name, const EnsShape *shape, const float *values)
{
  g_autoptr (EnsTensor) tensor = ens_tensor_new_copy (ENS_TYPE_FLOAT32, shape, values);

  return ens_graph_add_constant (layers->graph, name, tensor);
}

static EnsValue *
add_list (EnsLayers *layers, const gint64 *values, guint n)
{
  g_autoptr (EnsTensor) tensor = ens_tensor_new_copy (ENS_TYPE_INT64, &ENS_SHAPE (n), values);

  return ens_graph_add_constant (layers->graph, "list", tensor);
}

static EnsValue *
apply (EnsLayers *layers, const EnsOp *op, EnsValue *a, EnsValue *b)
{
  const EnsBinaryParams params = {.activation = {ENS_ACTIVATION_NONE}};

  return ens_graph_apply (layers->graph, op, &params, a, b, NULL);
}

static EnsValue *
join_lists (EnsLayers *layers, EnsValue *a, EnsValue *b)
{
  return ens_graph_apply (layers->graph, &ens_op_concat, &(EnsAxisParams) {0}, a, b, NULL);
}

/* -- the picture's size -- */

/* Numbers of images, rows and columns, or some of them: elements [start, end) of the shape as ONNX
 * has it, images, channels, rows, columns. */
static EnsValue *
find_size (EnsLayers *layers, EnsValue *x, gint64 start, gint64 end)
{
  const EnsTransposeParams first = {{.n = 4, .present = TRUE, .values = {0, 3, 1, 2}}};

  x = ens_graph_apply (layers->graph, &ens_op_transpose, &first, x, NULL);
  return ens_graph_apply (layers->graph, &ens_op_shape, &(EnsShapeParams) {start, end}, x, NULL);
}

/* Adds rows and columns at the end, so that sides become multiples. */
static EnsMap
pad_to_multiple (EnsLayers *layers, EnsMap x, EnsValue *sides)
{
  const EnsPadParams params = {.mode = ENS_PAD_REFLECT,
                               .axes = {.n = 2, .present = TRUE, .values = {1, 2}}};
  EnsValue *multiple = add_list (layers, (gint64[]) {MULTIPLE}, 1);
  EnsValue *rest = add_list (layers, (gint64[]) {MULTIPLE - 1}, 1);
  EnsValue *none = add_list (layers, (gint64[]) {0, 0}, 2), *padded;

  padded = apply (layers, &ens_op_div, apply (layers, &ens_op_add, sides, rest), multiple);
  padded = apply (layers, &ens_op_mul, padded, multiple);
  padded = join_lists (layers, none, apply (layers, &ens_op_sub, padded, sides));
  x.value = ens_graph_apply (layers->graph, &ens_op_pad, &params, x.value, padded, NULL);
  return x;
}

static EnsMap
crop (EnsLayers *layers, const char *name, EnsMap x, EnsValue *sides)
{
  const EnsSliceParams params = {.starts = {.n = 2, .present = TRUE},
                                 .axes = {.n = 2, .present = TRUE, .values = {1, 2}}};
  EnsValue *inputs[] = {x.value, NULL, sides};

  x.value =
      ens_graph_add_node (layers->graph, &ens_op_slice, name, &params, inputs, 3, 1)->outputs[0];
  return x;
}

/* (x, y) of each pixel, −1 and 1 the centres of the outermost ones: a map of the four corners,
 * interpolated. */
static EnsMap
append_position (EnsLayers *layers, EnsMap x)
{
  static const float corners[] = {-1, -1, 1, -1, -1, 1, 1, 1};
  const EnsResizeParams params = {.mode = ENS_RESIZE_LINEAR,
                                  .coordinates = ENS_RESIZE_ALIGN_CORNERS,
                                  .cubic_a = -0.75f,
                                  .axes = {.n = 2, .present = TRUE, .values = {2, 3}}};
  EnsValue *map = add_floats (layers, "corners", &ENS_SHAPE (1, 2, 2, 2), corners);
  EnsValue *inputs[] = {map, NULL, NULL, find_size (layers, x.value, 2, 4)};
  EnsValue *images = find_size (layers, x.value, 0, 1);
  EnsMap maps[] = {x, {NULL, 2}};

  images = join_lists (layers, images, add_list (layers, (gint64[]) {1, 1, 1}, 3));
  map = ens_graph_add_node (layers->graph, &ens_op_resize, NULL, &params, inputs, 4, 1)->outputs[0];
  maps[1].value = ens_graph_apply (layers->graph, &ens_op_expand, NULL, map, images, NULL);
  return ens_layers_concat (layers, NULL, maps, 2);
}

static EnsMap
multiply (EnsLayers *layers, EnsMap x, const char *name, float factor)
{
  EnsMap number = {add_floats (layers, name, &ENS_SHAPE_SCALAR, &factor), 1};

  return ens_layers_combine (layers, NULL, &ens_op_mul, x, number);
}

static EnsMap
append_details (EnsLayers *layers, EnsMap x)
{
  EnsMap around = average (layers, pad (layers, x, SURROUNDINGS), SURROUNDINGS, 1);
  EnsMap maps[] = {x, ens_layers_combine (layers, NULL, &ens_op_sub, x, around)};

  maps[1] = multiply (layers, maps[1], "detail", DETAIL_FACTOR);
  return ens_layers_concat (layers, NULL, maps, 2);
}

/* -- the generator -- */

/* Begins as nothing: several of them would add up to large values. */
static EnsMap
append_block (EnsLayers *layers, guint i, EnsMap x)
{
  g_autofree char *first = g_strdup_printf ("block%u/conv1", i + 1);
  g_autofree char *second = g_strdup_printf ("block%u/conv2", i + 1);
  EnsMap y = leak (layers, convolve (layers, first, x, x.channels, FALSE));

  y = convolve (layers, second, y, x.channels, TRUE);
  return ens_layers_combine (layers, NULL, &ens_op_add, y, x);
}

static EnsMap
append_up (EnsLayers *layers, const char *name, EnsMap x, EnsMap skip)
{
  x = convolve (layers, name, enlarge (layers, x), skip.channels, FALSE);
  return leak (layers, ens_layers_combine (layers, NULL, &ens_op_add, x, skip));
}

/* Three channels in [−range, range], all 0 before training. */
static EnsMap
append_last (EnsLayers *layers, EnsMap x, float range)
{
  x = multiply (layers, convolve (layers, "last", x, 3, TRUE), "factor", LAST_FACTOR);
  x = ens_layers_activate (layers, NULL, &ens_op_tanh, 0, x);
  return multiply (layers, x, "range", range);
}

/* factor · x + offset */
static EnsMap
append_colours (EnsLayers *layers, EnsMap x, const EnsStyleColours *colours)
{
  EnsValue *factor = add_floats (layers, "colours.factor", &ENS_SHAPE (3), colours->factor);
  EnsValue *offset = add_floats (layers, "colours.offset", &ENS_SHAPE (3), colours->offset);

  x.value = apply (layers, &ens_op_mul, x.value, factor);
  x.value = apply (layers, &ens_op_add, x.value, offset);
  return x;
}

static gboolean
have_colours (const EnsStyleColours *colours)
{
  gboolean any = FALSE;

  for (guint c = 0; c < 3; c++)
    any |= colours->factor[c] != 0 || colours->offset[c] != 0;
  return any;
}

static EnsMap
append_residual (EnsLayers *layers, EnsMap x, float range)
{
  EnsMap full = leak (layers, convolve (layers, "down1", x, widths[0], FALSE)), half;

  half = leak (layers, convolve (layers, "down2", average (layers, full, 2, 2), widths[1], FALSE));
  x = convolve (layers, "down3", average (layers, half, 2, 2), widths[2], FALSE);
  for (guint i = 0; i < N_BLOCKS; i++)
    x = append_block (layers, i, x);
  x = append_up (layers, "up2", x, half);
  x = append_up (layers, "up1", x, full);
  return append_last (layers, x, range);
}

EnsGraph *
ens_style_generator_new (const EnsStyleParams *params)
{
  EnsGraph *graph = ens_graph_new ("style generator");
  EnsLayers layers = {graph, params->seed};
  EnsMap pictures = {NULL, 3}, x;
  EnsValue *sides;

  pictures.value =
      ens_graph_add_input (graph, "pictures", ENS_TYPE_FLOAT32, &ENS_SHAPE (-1, -1, -1, 3));
  sides = find_size (&layers, pictures.value, 2, 4);
  x = append_details (&layers, pictures);
  x = params->position ? append_position (&layers, x) : x;
  x = pad_to_multiple (&layers, x, sides);
  x = append_residual (&layers, x, params->range > 0 ? params->range : ENS_STYLE_RANGE);
  x = crop (&layers, "residual", x, sides);
  if (have_colours (&params->colours))
    x = ens_layers_combine (&layers, NULL, &ens_op_add, x,
                            append_colours (&layers, pictures, &params->colours));
  ens_graph_add_output (graph,
                        ens_layers_combine (&layers, "adapted", &ens_op_add, pictures, x).value);
  ens_graph_add_output (graph, x.value);
  return graph;
}

/* -- what judges it -- */

EnsGraph *
ens_style_discriminator_new (guint channels, guint64 seed)
{
  EnsGraph *graph = ens_graph_new ("style discriminator");
  EnsLayers layers = {graph, seed};
  EnsConvLayer conv = {64, .kernel = 3, .stride = 2, .bias = TRUE};
  EnsMap x = {
      ens_graph_add_input (graph, "features", ENS_TYPE_FLOAT32, &ENS_SHAPE (-1, -1, -1, channels)),
      channels};

  x = leak (&layers, ens_layers_conv (&layers, "conv1", x, &conv));
  conv.filters = 128;
  x = leak (&layers, ens_layers_conv (&layers, "conv2", x, &conv));
  conv = (EnsConvLayer) {1, .kernel = 1, .bias = TRUE};
  x = ens_layers_conv (&layers, "scores", x, &conv);
  ens_graph_add_output (graph, x.value);
  return graph;
}

EnsGraph *
ens_style_features_new (guint stride)
{
  EnsGraph *graph = ens_graph_new ("style features");
  EnsLayers layers = {graph};
  EnsMap x = {ens_graph_add_input (graph, "pictures", ENS_TYPE_FLOAT32, &ENS_SHAPE (-1, -1, -1, 3)),
              3};
  EnsMap blurred = average (&layers, pad (&layers, x, 3), 3, 1), maps[2];

  maps[0] = average (&layers, x, stride, stride);
  maps[1] = ens_layers_combine (&layers, NULL, &ens_op_sub, x, blurred);
  maps[1] = ens_layers_activate (&layers, NULL, &ens_op_abs, 0, maps[1]);
  maps[1] = average (&layers, maps[1], stride, stride);
  ens_graph_add_output (graph, ens_layers_concat (&layers, "features", maps, 2).value);
  return graph;
}
