/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What an operator is: everything the engine knows of it stands in one EnsOp, in one file of ops/.
 *
 * Operators name ONNX's, in ONNX's meaning, on channels-last tensors. They are stateless and const:
 * all a node adds is in its params. What can fail is checked by attributes and shape (); kernels
 * can't fail. */
#pragma once

#include "base/thread-pool.h"
#include "graph/graph.h"
#include "graph/op-attributes.h"

/* A tensor as kernels see it. Elements lie in C order, except that from one run of the last
 * dimension to the next there are `pitch` elements: dims[rank - 1] when dense, more for a slice of
 * a wider tensor (how Concat along channels needs no copy). Kernels of operators without
 * ENS_OP_PITCHED get dense views only. */
typedef struct {
  EnsType type;
  EnsShape shape;
  gint64 pitch;
  gpointer data; /* in shape (): NULL unless the contents are known */
} EnsView;

static inline EnsView
ens_view_dense (EnsType type, const EnsShape *shape, gpointer data)
{
  return (EnsView) {type, *shape, shape->rank > 0 ? shape->dims[shape->rank - 1] : 1, data};
}

/* A node's tensors. An absent optional input is NULL; beyond n_inputs nothing may be read. */
typedef struct {
  const EnsNode *node; /* for error messages; kernels read params alone */
  gconstpointer params;
  guint n_inputs, n_outputs;
  const EnsView **inputs;
  EnsView **outputs;
} EnsOperands;

/* The operands of a node, whose views lie by value index, `size` bytes apart from the first one.
 * The lists are allocated; they end with ens_operands_clear (). */
void ens_operands_init (EnsOperands *operands, const EnsNode *node, EnsView *first, gsize size);
void ens_operands_clear (EnsOperands *operands);

/* The input, or NULL if it is absent. */
static inline const EnsView *
ens_operands_input (const EnsOperands *operands, guint i)
{
  return i < operands->n_inputs ? operands->inputs[i] : NULL;
}

/* How ONNX's NCHW order of a node's tensors becomes channels-last on import. */
typedef enum {
  /* Tensors of rank 3 and more are (N, C, spatial …) by definition: inputs, weights and outputs are
   * permuted to (N, spatial …, C). Conv, pooling, batch norm. */
  ENS_LAYOUT_SPATIAL,
  /* Any order will do as long as all tensors have the same: elementwise operators. If params hold
   * axes, permute () renumbers them, and inputs of lower rank are lists or numbers; without
   * permute () they are operands to broadcast. Outputs of the inputs' rank are in their order,
   * those of lower rank in ONNX's. */
  ENS_LAYOUT_FOLLOWS,
  /* ONNX's order is part of the meaning: Reshape, Gemm, Transpose. */
  ENS_LAYOUT_PLAIN,
} EnsLayout;

/* Families of operators whose inputs mean the same, so that a pass that knows a family knows all of
 * its members, those to come included. A pass that is about a single operator asks for its name. */
typedef enum {
  ENS_KIND_OTHER, /* none that passes ask for */
  ENS_KIND_VIEW,  /* output 0 has input 0's elements in the same order: no copy */
  ENS_KIND_TRANSPOSE,
  ENS_KIND_REPEAT, /* output 0 repeats input 0's elements along axes, as often as input 1 says */
  /* Of two inputs, or more of the first, elementwise and with broadcasting; EnsBinaryParams. */
  ENS_KIND_ADD,
  ENS_KIND_SUBTRACT,
  ENS_KIND_MULTIPLY,
  ENS_KIND_DIVIDE,
  ENS_KIND_PRODUCT,     /* of input 0 and a matrix, input 1 */
  ENS_KIND_SOFTMAX,     /* along one axis; EnsSoftmaxParams */
  ENS_KIND_POOL,        /* over a sliding window; EnsPoolParams */
  ENS_KIND_GLOBAL_POOL, /* over all positions of a map */
} EnsOpKind;

/* What an input is to its operator if training may change it. */
typedef enum {
  ENS_PARAMETER_NONE,
  ENS_PARAMETER_WEIGHT,
  ENS_PARAMETER_BIAS,     /* is added */
  ENS_PARAMETER_SCALE,    /* is multiplied with */
  ENS_PARAMETER_MEAN,     /* not trained: kept from the batches that have been seen */
  ENS_PARAMETER_VARIANCE, /* the same */
} EnsParameterKind;

#define ENS_MAX_PARAMETERS 5

static inline gboolean
ens_kind_is_arithmetic (EnsOpKind kind)
{
  return kind >= ENS_KIND_ADD && kind <= ENS_KIND_DIVIDE;
}

typedef enum {
  ENS_OP_PITCHED = 1 << 0,     /* the CPU kernels take pitched float inputs and outputs */
  ENS_OP_IN_PLACE = 1 << 1,    /* output 0 may be input 0's memory when shapes are equal */
  ENS_OP_SHAPE_ONLY = 1 << 2,  /* reads its input's shape, not its contents */
  ENS_OP_COMMUTATIVE = 1 << 3, /* two inputs that may be exchanged */
  ENS_OP_INTERNAL = 1 << 4,    /* ours, unknown to ONNX: not in files */
  /* Output 0 may be the memory of input max_inputs - 1, an optional residual, when shapes are
   * equal. */
  ENS_OP_RESIDUAL_IN_PLACE = 1 << 5,
  ENS_OP_FUSES = 1 << 6, /* may apply an activation to its result */
} EnsOpFlags;

/* The newest opset of ONNX whose change log has been read for all operators. */
#define ENS_OP_NEWEST_OPSET 28

/* How input 1 is brought to input 0's shape up to opset 6; since 7 its dimensions are the last
 * ones. */
typedef enum {
  ENS_STRETCH_LAST,          /* as since opset 7 */
  ENS_STRETCH_BY_ATTRIBUTES, /* by the attributes `broadcast` and `axis` */
  ENS_STRETCH_CHANNELS,      /* it has one element per channel */
} EnsOldStretch;

/* In which opsets of its domain a node of an operator means what is known here. What has changed in
 * between is said by the rows of its attributes and by `stretch`. */
typedef struct {
  guint since; /* the first that has it; 0: all */
  guint until; /* the last before a change that is not known here; 0: ENS_OP_NEWEST_OPSET */
  EnsOldStretch stretch;
} EnsOpVersions;

/* What a CPU kernel gets beside its operands. */
typedef struct {
  EnsThreadPool *pool;
  gpointer scratch; /* as many bytes as cpu_plan () asked for, 64-byte aligned */
  gpointer state;   /* as cpu_plan () left it; read-only while running */
} EnsCpuContext;

/* pool: may be NULL. */
typedef void (*EnsPackFunc) (gpointer state, const EnsTensor *constant, gpointer packed,
                             EnsThreadPool *pool);

/* Weights in the order a kernel likes, made once per constant and kind, kept as long as the network
 * and shared by all its plans. */
typedef struct _EnsPackedWeights EnsPackedWeights;

typedef struct {
  guint n_threads;           /* given: threads of the pool the plan will run on */
  EnsPackedWeights *weights; /* given */
  EnsThreadPool *pool;       /* given: what weights are packed on; may be cancelled */
  gboolean failed;           /* weights could not be packed: no memory, or it was cancelled */
  gsize scratch_size;        /* asked for */
  gpointer state;            /* kept for running */
  GDestroyNotify free_state;
  const char *kernel; /* name of the chosen kernel, for logs and benchmarks; static */
} EnsCpuPlan;

/* The packed form of `constant`: made by pack (state, …) if the plan's weights have none of this
 * kind (an operator's own number; the same kind has the same size and contents). Belongs to them.
 * NULL, and the plan has failed, if it can't be made; it is not run then. */
gconstpointer ens_packed_weights_get (EnsCpuPlan *plan, EnsTensor *constant, const char *kind,
                                      gsize size, EnsPackFunc pack, gpointer state);

/* A small case of an operator, by which users compare their devices with its reference. */
typedef struct {
  /* Separated by spaces: a shape is an input of random numbers; "=" before it makes it a constant,
   * and "?" an input of random truth values, "=?" a constant of such; "=[2,0]" is a constant list
   * of 64-bit integers. */
  const char *inputs;
  gconstpointer params; /* NULL: zeroes */
  guint n_outputs;      /* 0: as few as there may be, but one */
  gboolean positive;    /* numbers in [0.1, 2), not [-1, 1) */
  gboolean above_one;   /* … in [1.1, 3) */
} EnsOpExample;

/* A node on the way back through a graph of inferred shapes, to which nodes are appended by
 * ops/gradient.h. Gradients have the type and shape of what they belong to. */
typedef struct {
  EnsGraph *graph;
  const EnsNode *node;
  EnsValue *const *outputs; /* the loss's gradient with respect to each output; NULL: zero */
  const gboolean *wanted; /* by input: it is present, of real numbers, and its gradient is needed */
  EnsValue **inputs;      /* to be set; what stays NULL is zero */
} EnsGradient;

/* Commands of a GPU plan, recorded by gpu (). Opaque to operators. */
typedef struct _EnsCommands EnsCommands;

struct _EnsOp {
  const char *name;   /* ONNX operator, or our own for internal ones */
  const char *domain; /* NULL: ONNX's own; "com.microsoft" … */
  guint min_inputs, max_inputs;
  guint min_outputs, max_outputs;
  EnsLayout layout;
  EnsOpKind kind;
  EnsOpFlags flags;
  gsize params_size;
  EnsOpVersions versions;
  const EnsAttribute *attributes; /* up to ENS_ATTRIBUTE_END; NULL: there are none */
  EnsParameterKind parameters[ENS_MAX_PARAMETERS]; /* by input */

  /* Renumbers axes in params for a tensor of this rank: axis a becomes map[a]. FALSE if the
   * operator can't work in another order with these params (ReduceMean without keepdims that leaves
   * channels and some but not all other axes); then ONNX's order is kept. NULL: no axes. */
  gboolean (*permute) (gpointer params, guint rank, const guint *map);
  /* Output types and shapes from input shapes (and known contents). Checks everything that kernels
   * rely on; messages come from ens_op_error (). */
  gboolean (*shape) (EnsOperands *operands, GError **error);
  /* Floating-point operations, multiplications and additions each one. A file can ask for more than
   * an integer holds. NULL: nothing worth counting. */
  double (*flops) (const EnsOperands *operands);
  /* Elements that are visited, each as often as it is, where that may be far more than there are
   * elements of the outputs and flops () does not tell: windows, sums along axes. NULL: it isn't.
   */
  double (*visits) (const EnsOperands *operands);

  /* Plain C on one thread, dense or pitched, any supported type: the oracle. Mandatory. */
  void (*reference) (const EnsOperands *operands);
  /* The fast kernel, called where input 0 and output 0 are float32. NULL: the reference runs. */
  void (*cpu) (const EnsOperands *operands, const EnsCpuContext *context);
  /* Chooses an algorithm, packs weights, asks for scratch. NULL: nothing to prepare. */
  void (*cpu_plan) (const EnsOperands *operands, EnsCpuPlan *plan);
  /* Records the node's dispatches (graph/commands.h). FALSE, and nothing recorded, for operands
   * that no shader takes; then, or if NULL, the node runs on the CPU. */
  gboolean (*gpu) (const EnsOperands *operands, EnsCommands *commands);
  /* Appends nodes that compute the loss's gradient with respect to those inputs that are wanted.
   * FALSE, with an error, where that is not possible with these params. NULL: not differentiable.
   */
  gboolean (*gradient) (EnsGradient *gradient, GError **error);
  /* Whether each image of the outputs depends on the same image of the inputs alone, so that the
   * node may be run on parts of a batch. Asked of nodes with concrete shapes, of which all outputs,
   * and all inputs that are not constants, have as many images as their first dimension. NULL:
   * no. */
  gboolean (*per_image) (const EnsNode *node);
  /* Whether output 0 is input 0, whatever it is. NULL: never. */
  gboolean (*is_identity) (const EnsNode *node);
  /* With ENS_OP_FUSES: where params hold the EnsFusedActivation. */
  gsize activation_offset;
  /* For the self-test on a user's device, up to one without inputs: at least one, and one for each
   * way that shaders go. Mandatory. */
  const EnsOpExample *example;
};

static inline gboolean
ens_node_is_identity (const EnsNode *node)
{
  return node->op->is_identity != NULL && node->op->is_identity (node);
}

/* ONNX's own operator of that name, or NULL. */
const EnsOp *ens_op_find (const char *name);
/* The same of another domain; NULL or "": ONNX's own. */
const EnsOp *ens_op_find_in (const char *domain, const char *name);
/* All operators, sorted by name, NULL-terminated. */
const EnsOp *const *ens_op_list (void);

/* About how many steps a node takes: flops, visits, or one for each element of the outputs,
 * whichever are most. Of operands that have been checked. */
double ens_op_count_steps (const EnsOp *op, const EnsOperands *operands);

/* All dimensions are known and, axes without elements counted as one, no larger together than
 * sizes and strides in bytes can be computed with. Holds for all inputs that shape () sees. */
gboolean ens_shape_is_countable (const EnsShape *shape);

/* Sets an ENS_ERROR_SHAPE or UNSUPPORTED error "node “NAME” (Op): MESSAGE" and returns FALSE, so
 * that shape () can say `return ens_op_error (operands, error, ENS_ERROR_SHAPE, "…", …)`. */
gboolean ens_op_error (const EnsOperands *operands, GError **error, EnsErrorCode code,
                       const char *format, ...) G_GNUC_PRINTF (4, 5);
