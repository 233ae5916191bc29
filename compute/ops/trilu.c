/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Trilu, the upper or lower triangles of matrices; EyeLike, ones on a diagonal. */
#include "ops/gradient.h"
#include "ops/per-image.h"
#include "ops/record.h"
#include "ops/registry.h"

#include <string.h>

#include "push/trilu.h"

/* Trilu */

typedef struct {
  gboolean upper;
} TriluParams;

static const EnsAttribute trilu_attributes[] = {
    {"upper", ENS_ATTRIBUTE_FLAG, ENS_MEMBER (TriluParams, upper), .integer = 1},
    ENS_ATTRIBUTE_END};

/* The diagonal that bounds the triangle: columns from the main one. */
static gboolean
find_diagonal (const EnsOperands *operands, gint64 *diagonal, GError **error)
{
  *diagonal = 0;
  if (!ens_check_number (operands, 1, diagonal, error))
    return FALSE;
  *diagonal = CLAMP (*diagonal, -G_MAXINT32, G_MAXINT32);
  return TRUE;
}

static gboolean
trilu_shape (EnsOperands *operands, GError **error)
{
  gint64 diagonal;

  return ens_check_rank (operands, 0, 2, ENS_MAX_RANK, error)
         && find_diagonal (operands, &diagonal, error)
         && ens_set_output_like_input (operands, error);
}

static void
trilu_reference (const EnsOperands *operands)
{
  const TriluParams *params = operands->params;
  const EnsView *x = operands->inputs[0], *y = operands->outputs[0];
  gsize columns = ens_view_columns (x), n = ens_view_elements (y), size = ens_type_size (x->type);
  gsize rows = (gsize)x->shape.dims[x->shape.rank - 2];
  gint64 diagonal;

  find_diagonal (operands, &diagonal, NULL);
  for (gsize i = 0; i < n; i++) {
    gint64 beyond = (gint64)(i % columns) - (gint64)(i / columns % rows) - diagonal;

    if (params->upper ? beyond >= 0 : beyond <= 0)
      ens_view_copy_element (y, i, x, i);
    else
      memset ((char *)y->data + i * size, 0, size);
  }
}

#define GROUP 128
/* Beyond all rows and columns, and adding these to it does not overflow. */
#define MAX_DIAGONAL (1 << 30)

static gboolean
trilu_gpu (const EnsOperands *operands, EnsCommands *commands)
{
  const TriluParams *params = operands->params;
  const EnsView *x = operands->inputs[0], *y = operands->outputs[0];
  gint64 diagonal;
  EnsTriluPush push = {.n = (guint32)ens_view_elements (y),
                       .rows = (guint32)x->shape.dims[x->shape.rank - 2],
                       .columns = (guint32)ens_view_columns (x)};
  EnsDispatch dispatch = {.shader = "trilu",
                          .bindings = {{x, ENS_ACCESS_READ}, {y, ENS_ACCESS_WRITE}},
                          .n_bindings = 2,
                          .constants = {params->upper},
                          .n_constants = 1,
                          .push = &push,
                          .push_size = sizeof push};

  if (!ens_record_storage (operands, 0, 1, &dispatch.storage))
    return FALSE;
  find_diagonal (operands, &diagonal, NULL);
  push.diagonal = (gint32)CLAMP (diagonal, -MAX_DIAGONAL, MAX_DIAGONAL);
  if (push.n > 0) {
    ens_commands_cover (commands, &dispatch, push.n, GROUP);
    ens_commands_dispatch (commands, &dispatch);
  }
  return TRUE;
}

static gboolean
trilu_gradient (EnsGradient *gradient, GError **error)
{
  const EnsNode *node = gradient->node;

  gradient->inputs[0] = ens_gradient_apply (gradient, &ens_op_trilu, node->params,
                                            gradient->outputs[0], ens_node_input (node, 1), NULL);
  return TRUE;
}

static gboolean
trilu_per_image (const EnsNode *node)
{
  return ens_per_image_with_constants (node) && node->inputs[0]->shape.rank > 2;
}

static const EnsOpExample trilu_examples[] = {
    {"2x5x7 =[1]", &(const TriluParams) {TRUE}}, {"2x5x7", &(const TriluParams) {FALSE}}, {NULL}};

const EnsOp ens_op_trilu = {.name = "Trilu",
                            .min_inputs = 1,
                            .max_inputs = 2,
                            .min_outputs = 1,
                            .max_outputs = 1,
                            .layout = ENS_LAYOUT_PLAIN,
                            .flags = ENS_OP_IN_PLACE,
                            .params_size = sizeof (TriluParams),
                            .versions = {.since = 14},
                            .attributes = trilu_attributes,
                            .shape = trilu_shape,
                            .reference = trilu_reference,
                            .gpu = trilu_gpu,
                            .gradient = trilu_gradient,
                            .per_image = trilu_per_image,
                            .example = trilu_examples};

/* EyeLike belongs to the arithmetic of shapes: its reference is enough. */

typedef struct {
  EnsType type; /* ENS_N_TYPES: the input's */
  gint64 diagonal;
} EyeParams;

static const EnsAttribute eye_attributes[] = {
    {"dtype", ENS_ATTRIBUTE_TYPE, ENS_MEMBER (EyeParams, type)},
    {"k", ENS_ATTRIBUTE_INT, ENS_MEMBER (EyeParams, diagonal)},
    ENS_ATTRIBUTE_END};

static gboolean
eye_shape (EnsOperands *operands, GError **error)
{
  const EyeParams *params = operands->params;
  const EnsView *input = operands->inputs[0];

  return ens_check_rank (operands, 0, 2, 2, error)
         && ens_set_output (operands, 0, params->type == ENS_N_TYPES ? input->type : params->type,
                            &input->shape, error);
}

static void
eye_reference (const EnsOperands *operands)
{
  const EyeParams *params = operands->params;
  const EnsView *y = operands->outputs[0];
  gint64 n = ens_shape_elements (&y->shape), columns = y->shape.dims[1];

  for (gint64 i = 0; i < n; i++)
    ens_view_set_integer (y, (gsize)i, i % columns - i / columns == params->diagonal);
}

static const EnsOpExample eye_examples[] = {{"5x7", &(const EyeParams) {ENS_N_TYPES, 1}}, {NULL}};

const EnsOp ens_op_eye_like = {.name = "EyeLike",
                               .min_inputs = 1,
                               .max_inputs = 1,
                               .min_outputs = 1,
                               .max_outputs = 1,
                               .layout = ENS_LAYOUT_PLAIN,
                               .flags = ENS_OP_SHAPE_ONLY,
                               .params_size = sizeof (EyeParams),
                               .versions = {.since = 9},
                               .attributes = eye_attributes,
                               .shape = eye_shape,
                               .reference = eye_reference,
                               .example = eye_examples};
