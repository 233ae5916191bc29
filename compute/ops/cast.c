/* Cast: to another element type. */
#include "ops/per-image.h"
#include "ops/record.h"
#include "ops/registry.h"

#include "push/cast.h"

/* The numbers of onnx.proto's TensorProto.DataType. */
static const gint64 onnx_types[ENS_N_TYPES] = {
    [ENS_TYPE_FLOAT32] = 1, [ENS_TYPE_FLOAT16] = 10, [ENS_TYPE_FLOAT64] = 11, [ENS_TYPE_INT64] = 7,
    [ENS_TYPE_INT32] = 6,   [ENS_TYPE_INT8] = 3,     [ENS_TYPE_UINT8] = 2,    [ENS_TYPE_BOOL] = 9,
};

static gboolean
cast_parse (EnsParse *parse, gpointer data, GError **error)
{
  gint64 to = ens_attributes_int (parse->attributes, "to", 0);

  for (guint i = 0; i < ENS_N_TYPES; i++)
    if (onnx_types[i] == to) {
      ((EnsCastParams *)data)->to = i;
      return TRUE;
    }
  return ens_parse_error (parse, error, ENS_ERROR_UNSUPPORTED,
                          "can't cast to ONNX's type %" G_GINT64_FORMAT, to);
}

static void
cast_write (gconstpointer data, EnsAttributes *attributes)
{
  ens_attributes_set_int (attributes, "to", onnx_types[((const EnsCastParams *)data)->to]);
}

static gboolean
cast_shape (EnsOperands *operands, GError **error)
{
  const EnsCastParams *params = operands->params;

  return ens_set_output (operands, 0, params->to, &operands->inputs[0]->shape, error);
}

static void
cast_reference (const EnsOperands *operands)
{
  const EnsView *input = operands->inputs[0], *output = operands->outputs[0];
  gsize n = ens_view_elements (output);

  for (gsize i = 0; i < n; i++)
    if (ens_type_is_real (input->type))
      ens_view_set_real (output, i, ens_view_real (input, i));
    else
      ens_view_set_integer (output, i, ens_view_integer (input, i));
}

#define GROUP 128

/* Between floats, and from truth values to floats. What type values have in memory is the plan's
 * choice: often there is nothing to convert. */
static gboolean
cast_gpu (const EnsOperands *operands, EnsCommands *commands)
{
  const EnsView *x = operands->inputs[0], *y = operands->outputs[0];
  EnsCastPush push = {.n = (guint32)ens_view_elements (y)};
  EnsDispatch dispatch = {
      .shader = x->type == ENS_TYPE_BOOL ? "cast-bool" : "cast",
      .storage = y->type,
      .bindings = {{x, ENS_ACCESS_READ}, {y, ENS_ACCESS_WRITE}},
      .n_bindings = 2,
      .push = &push,
      .push_size = sizeof push,
  };
  EnsType storage;

  if (ens_record_storage (operands, 0, 1, &storage)) {
    ens_record_function (commands, x, y, ENS_FUNCTION_NONE, 0, 0);
    return TRUE;
  }
  if ((x->type != ENS_TYPE_BOOL && !ens_record_takes (x)) || !ens_record_takes (y))
    return FALSE;
  if (push.n > 0) {
    ens_commands_cover (commands, &dispatch, push.n, GROUP);
    ens_commands_dispatch (commands, &dispatch);
  }
  return TRUE;
}

static const EnsOpExample cast_examples[] = {{"2x5x4x7", &(const EnsCastParams) {ENS_TYPE_FLOAT16}},
                                             {NULL}};

const EnsOp ens_op_cast = {.name = "Cast",
                           .min_inputs = 1,
                           .max_inputs = 1,
                           .min_outputs = 1,
                           .max_outputs = 1,
                           .layout = ENS_LAYOUT_FOLLOWS,
                           .params_size = sizeof (EnsCastParams),
                           .parse = cast_parse,
                           .write = cast_write,
                           .shape = cast_shape,
                           .reference = cast_reference,
                           .gpu = cast_gpu,
                           .per_image = ens_per_image_elementwise,
                           .example = cast_examples};
