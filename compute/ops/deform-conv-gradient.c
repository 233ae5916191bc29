/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The gradient of DeformConv: a product of the weights and samples of X, which GridSample takes,
 * one for each position and tap, of each image's groups of offsets as of images. */
#include "graph/infer.h"
#include "ops/deform-conv.h"
#include "ops/gradient.h"
#include "ops/grid-sample.h"
#include "ops/registry.h"

typedef struct {
  EnsGradient *gradient;
  EnsDeform deform;
  gint64 images, groups, places, taps, channels; /* groups, and channels of each, of offsets */
  EnsValue *map, *grid;                          /* as GridSample takes them */
  EnsValue *mask;                                /* (images, groups, places, taps, 1), or NULL */
} Back;

static EnsValue *
reshape (const Back *back, EnsValue *value, const EnsShape *shape)
{
  return ens_gradient_reshape (back->gradient, value, shape);
}

/* Axis i of the result is axis `order[i]` of the value, which has been given a shape. */
static EnsValue *
arrange (const Back *back, EnsValue *value, const EnsShape *shape, const char *order)
{
  EnsTransposeParams params = {.perm = {.present = TRUE, .n = shape->rank}};

  for (guint i = 0; i < shape->rank; i++)
    params.perm.values[i] = order[i] - '0';
  return ens_gradient_apply (back->gradient, &ens_op_transpose, &params,
                             reshape (back, value, shape), NULL);
}

static EnsValue *
multiply (const Back *back, EnsValue *a, EnsValue *b)
{
  return ens_gradient_apply (back->gradient, &ens_op_mul, NULL, a, b, NULL);
}

static EnsValue *
product (const Back *back, EnsValue *a, EnsValue *b)
{
  return ens_gradient_apply (back->gradient, &ens_op_matmul, NULL, a, b, NULL);
}

/* The grid */

/* From elements of X to the grid's unit, along y and x; or the other way round. */
static EnsValue *
add_scales (const Back *back, EnsType type)
{
  g_autoptr (EnsTensor) tensor = ens_tensor_new (type, &ENS_SHAPE (1, 1, 2));
  EnsView view = ens_view_dense (type, &tensor->shape, tensor->data);

  for (guint axis = 0; axis < 2; axis++)
    ens_view_set_real (&view, axis, 2 / (double)back->deform.geometry.input[1 + axis]);
  return ens_graph_add_constant (back->gradient->graph, "scales", tensor);
}

/* Where taps are without offsets: (1, places · taps, 2), in the grid's unit. */
static EnsValue *
add_places (const Back *back, EnsType type)
{
  const EnsGeometry *geometry = &back->deform.geometry;
  g_autoptr (EnsTensor) tensor =
      ens_tensor_new (type, &ENS_SHAPE (1, back->places * back->taps, 2));
  EnsView view = ens_view_dense (type, &tensor->shape, tensor->data);

  for (gint64 i = 0; i < back->places * back->taps; i++) {
    gint64 place = i / back->taps, tap = i % back->taps, columns = geometry->output[2];
    const gint64 at[] = {place / columns, place % columns};
    const gint64 taps[] = {tap / geometry->kernel[2], tap % geometry->kernel[2]};

    for (guint axis = 0; axis < 2; axis++) {
      gint64 from = at[axis] * geometry->strides[1 + axis] - geometry->pads_begin[1 + axis]
                    + taps[axis] * geometry->dilations[1 + axis];

      ens_view_set_real (&view, (gsize)(2 * i + axis),
                         (2 * (double)from + 1) / (double)geometry->input[1 + axis] - 1);
    }
  }
  return ens_graph_add_constant (back->gradient->graph, "places", tensor);
}

/* The grid has x before y, and places last; offsets are the other way round. */
static EnsValue *
make_grid (const Back *back, EnsValue *offsets)
{
  gint64 n = back->places * back->taps;
  EnsValue *grid = arrange (
      back, offsets, &ENS_SHAPE (back->images, back->places, back->groups, back->taps, 2), "02134");

  grid = reshape (back, grid, &ENS_SHAPE (back->images * back->groups, n, 2));
  grid = multiply (back, grid, add_scales (back, offsets->type));
  grid = ens_gradient_apply (back->gradient, &ens_op_add, NULL, grid,
                             add_places (back, offsets->type), NULL);
  grid = ens_gradient_slice (back->gradient, grid, 2, 1, 2, -1);
  grid = arrange (back, grid, &grid->shape, "021");
  return reshape (back, grid, &ENS_SHAPE (back->images * back->groups, 1, 2, n));
}

static EnsValue *
return_grid (const Back *back, EnsValue *grid)
{
  gint64 n = back->places * back->taps;

  grid = arrange (back, grid, &ENS_SHAPE (back->images * back->groups, 2, n), "021");
  grid = ens_gradient_slice (back->gradient, grid, 2, 1, 2, -1);
  grid = multiply (back, grid, add_scales (back, grid->type));
  return arrange (back, grid, &ENS_SHAPE (back->images, back->groups, back->places, back->taps, 2),
                  "02134");
}

/* Samples are (images, groups, places, taps, channels) for the offsets, and (groups, images ·
 * places, taps · channels) for the weights. */

static EnsValue *
to_weights (const Back *back, EnsValue *samples)
{
  const EnsDeform *deform = &back->deform;
  gint64 rows = back->images * back->places, group = back->groups * back->channels;

  group /= deform->group_channels;
  samples = arrange (
      back, samples,
      &ENS_SHAPE (back->images, back->groups, back->places, back->taps, back->channels), "02314");
  samples =
      arrange (back, samples, &ENS_SHAPE (rows, back->taps, group, deform->group_channels), "2013");
  return reshape (back, samples, &ENS_SHAPE (group, rows, back->taps * deform->group_channels));
}

static EnsValue *
to_offsets (const Back *back, EnsValue *samples)
{
  const EnsDeform *deform = &back->deform;
  gint64 rows = back->images * back->places;

  samples = arrange (back, samples,
                     &ENS_SHAPE (samples->shape.dims[0], rows, back->taps, deform->group_channels),
                     "1203");
  return arrange (back, samples,
                  &ENS_SHAPE (back->images, back->places, back->taps, back->groups, back->channels),
                  "03124");
}

static EnsValue *
mask_samples (const Back *back, EnsValue *samples)
{
  return back->mask != NULL ? multiply (back, samples, back->mask) : samples;
}

static EnsValue *
take_samples (const Back *back)
{
  EnsValue *samples = ens_gradient_apply (back->gradient, &ens_op_grid_sample,
                                          &(EnsGridParams) {ENS_GRID_LINEAR, ENS_GRID_ZEROS},
                                          back->map, back->grid, NULL);

  return reshape (
      back, samples,
      &ENS_SHAPE (back->images, back->groups, back->places, back->taps, back->channels));
}

/* Gradients */

static void
set_weights (const Back *back, EnsValue *samples, EnsValue *dy)
{
  EnsGradient *gradient = back->gradient;
  const EnsShape *shape = &gradient->node->inputs[ENS_DEFORM_WEIGHTS]->shape;

  samples = to_weights (back, mask_samples (back, samples));
  dy = arrange (back, dy, &dy->shape, "021");
  gradient->inputs[ENS_DEFORM_WEIGHTS] = reshape (back, product (back, dy, samples), shape);
}

static void
set_mask (const Back *back, EnsValue *samples, EnsValue *dsamples)
{
  EnsValue *sum = ens_gradient_sum (back->gradient, multiply (back, samples, dsamples), 1u << 4);

  sum = arrange (back, sum, &ENS_SHAPE (back->images, back->groups, back->places, back->taps),
                 "0213");
  back->gradient->inputs[ENS_DEFORM_MASK] =
      reshape (back, sum, &back->gradient->node->inputs[ENS_DEFORM_MASK]->shape);
}

static EnsValue *
apply_grid_gradient (const Back *back, const EnsOp *op, EnsValue *dsamples)
{
  return ens_gradient_apply (back->gradient, op, &(EnsGridParams) {ENS_GRID_LINEAR, ENS_GRID_ZEROS},
                             back->map, back->grid, dsamples, NULL);
}

/* What stands before the samples. */
static void
set_sources (const Back *back, EnsValue *dsamples)
{
  EnsGradient *gradient = back->gradient;
  const EnsShape *map = &back->map->shape;

  dsamples = reshape (back, mask_samples (back, dsamples),
                      &ENS_SHAPE (map->dims[0], back->places * back->taps, 1, back->channels));
  if (gradient->wanted[ENS_DEFORM_X])
    gradient->inputs[ENS_DEFORM_X] =
        reshape (back,
                 arrange (back, apply_grid_gradient (back, &ens_op_grid_sample_grad_map, dsamples),
                          &ENS_SHAPE (back->images, back->groups, map->dims[1], map->dims[2],
                                      back->channels),
                          "02314"),
                 &gradient->node->inputs[ENS_DEFORM_X]->shape);
  if (gradient->wanted[ENS_DEFORM_OFFSETS])
    gradient->inputs[ENS_DEFORM_OFFSETS] = reshape (
        back,
        return_grid (back, apply_grid_gradient (back, &ens_op_grid_sample_grad_grid, dsamples)),
        &gradient->node->inputs[ENS_DEFORM_OFFSETS]->shape);
}

static void
set_bias (const Back *back)
{
  EnsGradient *gradient = back->gradient;
  EnsValue *dy = gradient->outputs[0];

  if (gradient->node->n_inputs > ENS_DEFORM_BIAS && gradient->wanted[ENS_DEFORM_BIAS])
    gradient->inputs[ENS_DEFORM_BIAS] =
        ens_gradient_sum_to (gradient, dy, &ENS_SHAPE (dy->shape.dims[3]));
}

static void
prepare (Back *back)
{
  EnsGradient *gradient = back->gradient;
  const EnsDeformParams *params = gradient->node->params;
  const EnsGeometry *geometry = &back->deform.geometry;
  EnsValue *mask = ens_node_input (gradient->node, ENS_DEFORM_MASK);

  back->images = geometry->batch;
  back->groups = params->offset_group;
  back->places = geometry->output[1] * geometry->output[2];
  back->taps = back->deform.taps;
  back->channels = geometry->channels / back->groups;
  back->map = arrange (back, gradient->node->inputs[ENS_DEFORM_X],
                       &ENS_SHAPE (back->images, geometry->input[1], geometry->input[2],
                                   back->groups, back->channels),
                       "03124");
  back->map = reshape (back, back->map,
                       &ENS_SHAPE (back->images * back->groups, geometry->input[1],
                                   geometry->input[2], back->channels));
  back->grid = make_grid (back, gradient->node->inputs[ENS_DEFORM_OFFSETS]);
  if (mask != NULL)
    back->mask = arrange (
        back, mask, &ENS_SHAPE (back->images, back->places, back->groups, back->taps, 1), "02134");
}

static gboolean
is_wanted (const EnsGradient *gradient, guint input)
{
  return input < gradient->node->n_inputs && gradient->wanted[input];
}

gboolean
ens_deform_gradient (EnsGradient *gradient, GError **error)
{
  const EnsNode *node = gradient->node;
  gint64 group = ((const EnsDeformParams *)node->params)->group;
  Back back = {.gradient = gradient};
  EnsValue *dy = gradient->outputs[0], *w, *samples, *dsamples;
  g_auto (EnsNodeViews) views;

  ens_node_views_init (&views, node);
  set_bias (&back);
  if (!ens_deform_resolve (&views.operands, &back.deform, error))
    return FALSE;
  prepare (&back);
  dy = arrange (&back, dy,
                &ENS_SHAPE (back.images * back.places, group, back.deform.filters / group), "102");
  w = reshape (
      &back, node->inputs[ENS_DEFORM_WEIGHTS],
      &ENS_SHAPE (group, back.deform.filters / group, back.taps * back.deform.group_channels));
  samples = take_samples (&back);
  dsamples = to_offsets (&back, product (&back, dy, w));
  if (gradient->wanted[ENS_DEFORM_WEIGHTS])
    set_weights (&back, samples, dy);
  if (is_wanted (gradient, ENS_DEFORM_MASK))
    set_mask (&back, samples, dsamples);
  set_sources (&back, dsamples);
  return TRUE;
}
