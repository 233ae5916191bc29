/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ActivationGrad, of inputs dY and Z: dX = dY · the derivative of a function, which is told by the
 * function's input or by its output (shaders/push/functions.h); Z is the one that tells it. */
#include "ops/elementwise.h"
#include "ops/exponential.h"
#include "ops/per-image.h"
#include "ops/record.h"
#include "ops/registry.h"

#include "push/activation-grad.h"

#define NAME(upper, id, number, formula, of, derivative) [number] = #id,

static const char *const function_names[] = {[ENS_FUNCTION_NONE] = "None",
                                             ENS_ALL_FUNCTIONS (NAME) NULL};

static const EnsAttribute attributes[] = {
    {"function", ENS_ATTRIBUTE_NAME, ENS_MEMBER (EnsActivationGradParams, function),
     .names = function_names},
    {"alpha", ENS_ATTRIBUTE_FLOAT, ENS_MEMBER (EnsActivationGradParams, alpha)},
    {"beta", ENS_ATTRIBUTE_FLOAT, ENS_MEMBER (EnsActivationGradParams, beta)},
    ENS_ATTRIBUTE_END};

static gboolean
shape (EnsOperands *operands, GError **error)
{
  g_autofree char *found = ens_shape_to_string (&operands->inputs[1]->shape);
  g_autofree char *expected = ens_shape_to_string (&operands->inputs[0]->shape);

  if (!ens_check_type (operands, 0, ENS_TYPES_REAL, error)
      || !ens_check_same_types (operands, 1, error))
    return FALSE;
  if (!ens_shape_equal (&operands->inputs[0]->shape, &operands->inputs[1]->shape))
    return ens_op_error (operands, error, ENS_ERROR_SHAPE, "input 1 is %s, expected %s", found,
                         expected);
  return ens_set_output_like_input (operands, error);
}

#define SIGN(y) (((y) > 0) - ((y) < 0))
#define IF_LESS(a, b, y, z) ((a) < (b) ? (y) : (z))

/* In double precision. */

#define REAL(n) (n)
#define MAGNITUDE(y) fabs (y)
#define EXP(y) exp (y)
#define LOGISTIC(y) (1 / (1 + exp (-(y))))
#define ERF(y) erf (y)
#define MINIMUM(a, b) fmin (a, b)
#define SQRT(y) sqrt (y)
#define SIN(y) sin (y)
#define COS(y) cos (y)

#define CASE(upper, id, number, formula, of, derivative) \
  case number:                                           \
    return derivative;

static double
derive (const EnsActivationGradParams *params, double z)
{
  const double x = z, y = z, alpha = (double)params->alpha, beta = (double)params->beta;

  switch (params->function) {
    ENS_ALL_FUNCTIONS (CASE)
  default:
    return 1;
  }
}

static void
reference (const EnsOperands *operands)
{
  const EnsView *dy = operands->inputs[0], *z = operands->inputs[1], *dx = operands->outputs[0];
  gsize n = ens_view_elements (dx);

  for (gsize i = 0; i < n; i++)
    ens_view_set_real (dx, ens_view_offset (dx, i),
                       ens_view_real (dy, ens_view_offset (dy, i))
                           * derive (operands->params, ens_view_real (z, ens_view_offset (z, i))));
}

/* In float, a loop for each function. */

#undef REAL
#undef MAGNITUDE
#undef EXP
#undef LOGISTIC
#undef ERF
#undef MINIMUM
#undef SQRT
#undef SIN
#undef COS
#define REAL(n) (float)(n)
#define MAGNITUDE(y) fabsf (y)
#define EXP(y) ens_exp (y)
#define LOGISTIC(y) (1 / (1 + ens_exp (-(y))))
#define ERF(y) erff (y)
#define MINIMUM(a, b) ((b) < (a) ? (b) : (a))
#define SQRT(y) sqrtf (y)
#define SIN(y) sinf (y)
#define COS(y) cosf (y)

typedef void (*Loop) (const float *dy, const float *z, float *dx, gsize n, float alpha, float beta);

#define LOOP(upper, id, number, formula, of, derivative)                                 \
  ENS_CLONES static void id##_loop (const float *dy, const float *z, float *dx, gsize n, \
                                    float alpha, float beta)                             \
  {                                                                                      \
    for (gsize i = 0; i < n; i++) {                                                      \
      const float x = z[i], y = z[i];                                                    \
                                                                                         \
      (void)x;                                                                           \
      (void)y;                                                                           \
      dx[i] = dy[i] * (float)(derivative);                                               \
    }                                                                                    \
  }

ENS_ALL_FUNCTIONS (LOOP)

#define ROW(upper, id, number, formula, of, derivative) [number] = id##_loop,

static const Loop loops[] = {ENS_ALL_FUNCTIONS (ROW)};

typedef struct {
  EnsStrided strided;
  const EnsActivationGradParams *params;
  const float *dy, *z;
  float *dx;
} Grad;

static void
run (gconstpointer data, const gint64 *offsets, gsize n)
{
  const Grad *grad = data;

  loops[grad->params->function](grad->dy + offsets[1], grad->z + offsets[2], grad->dx + offsets[0],
                                n, grad->params->alpha, grad->params->beta);
}

static void
run_range (gconstpointer data, gsize begin, gsize end)
{
  const Grad *grad = data;

  ens_strided_run (&grad->strided, begin, end, run, grad);
}

static void
cpu (const EnsOperands *operands, const EnsCpuContext *context)
{
  const EnsView *dy = operands->inputs[0], *z = operands->inputs[1], *dx = operands->outputs[0];
  Grad grad = {.params = operands->params, .dy = dy->data, .z = z->data, .dx = dx->data};

  if (grad.params->function == ENS_FUNCTION_NONE) {
    reference (operands);
    return;
  }
  grad.strided = ens_strided_broadcast (&dx->shape, (const EnsView *[]) {dx, dy, z}, 3);
  ens_strided_merge (&grad.strided);
  ens_strided_keep_contiguous (&grad.strided, 3);
  ens_parallel (context->pool, ens_strided_elements (&grad.strided), 2, run_range, &grad);
}

/* Invocations of a workgroup, and elements of each. */
#define GROUP 128
#define LANES 4

static gboolean
gpu (const EnsOperands *operands, EnsCommands *commands)
{
  const EnsActivationGradParams *params = operands->params;
  const EnsView *dy = operands->inputs[0], *z = operands->inputs[1], *dx = operands->outputs[0];
  gboolean dense = ens_view_is_dense (dy) && ens_view_is_dense (z) && ens_view_is_dense (dx);
  EnsActivationGradPush push = {
      .rows = dense ? 1 : (guint32)ens_view_rows (dx),
      .columns = (guint32)(dense ? ens_view_elements (dx) : ens_view_columns (dx)),
      .dy_pitch = (guint32)dy->pitch,
      .z_pitch = (guint32)z->pitch,
      .dx_pitch = (guint32)dx->pitch,
      .alpha = params->alpha,
      .beta = params->beta,
  };
  EnsDispatch dispatch = {
      .shader = "activation-grad",
      .bindings = {{dy, ENS_ACCESS_READ}, {z, ENS_ACCESS_READ}, {dx, ENS_ACCESS_WRITE}},
      .n_bindings = 3,
      .constants = {params->function},
      .n_constants = 1,
      .push = &push,
      .push_size = sizeof push,
  };

  if (!ens_record_storage (operands, 0, 2, &dispatch.storage))
    return FALSE;
  if (ens_view_elements (dx) == 0)
    return TRUE;
  ens_commands_cover (commands, &dispatch, (gsize)push.rows * ((push.columns + LANES - 1) / LANES),
                      GROUP);
  ens_commands_dispatch (commands, &dispatch);
  return TRUE;
}

static const EnsOpExample examples[] = {
    {"2x5x4x7 2x5x4x7", &(const EnsActivationGradParams) {ENS_ACTIVATION_RELU}}, {NULL}};

const EnsOp ens_op_activation_grad = {.name = "ActivationGrad",
                                      .min_inputs = 2,
                                      .max_inputs = 2,
                                      .min_outputs = 1,
                                      .max_outputs = 1,
                                      .layout = ENS_LAYOUT_FOLLOWS,
                                      .flags = ENS_OP_PITCHED | ENS_OP_IN_PLACE | ENS_OP_INTERNAL,
                                      .params_size = sizeof (EnsActivationGradParams),
                                      .attributes = attributes,
                                      .shape = shape,
                                      .reference = reference,
                                      .cpu = cpu,
                                      .gpu = gpu,
                                      .per_image = ens_per_image_elementwise,
                                      .example = examples};
