/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The state of an import, shared by the files that it is made of. */
#pragma once

#include "base/fail.h"
#include "onnx/body.h"
#include "onnx/onnx-private.h"

/* A tensor of the file, by its name there. */
typedef struct {
  const char *name;
  EnsType type;
  int onnx_type;  /* of an initializer: the file's number; 0 of all others */
  EnsShape shape; /* in ONNX's order, at the nominal size */
  /* Known contents in ONNX's order: still in the file, or read. */
  Onnx__TensorProto *initializer;
  EnsTensor *contents;
  /* Its values in the graph: channels first as in ONNX, and channels last. NULL until something
   * reads it in that order. The same below rank 3. */
  EnsValue *first, *last;
  gboolean computed_last;
  /* The name is of no interest: it is between the parts of a node, or of integers that real numbers
   * stand for here. */
  gboolean provisional;
  /* The contents lie in the file, and nothing has been made of them yet. */
  gboolean stored;
  gboolean aliased; /* it has several names */
  /* Of real numbers that stand for the file's integers: what one step of those is worth. 0 of all
   * other tensors, and where there are several. */
  double scale;
} EnsOnnxTensor;

typedef struct {
  EnsGraph *graph;
  const Onnx__ModelProto *model;
  EnsOnnxFunctions functions;
  guint depth;       /* bodies within bodies, of which it is at the innermost */
  GPtrArray *bodies; /* EnsOnnxBody: of the graph and of branches that are taken */
  GString *choices;  /* a letter for each branch that was taken by the nominal size */
  gint64 opset;      /* of ONNX's own operators */
  guint nominal_size;
  guint nominal_channels; /* of images, where the file leaves them open */
  gint64 nominal_batch;   /* of the first input */
  gboolean any_size;      /* heights and widths that the file declares are open */
  EnsOnnxFiles *files;
  GHashTable *tensors;   /* name → EnsOnnxTensor */
  GPtrArray *all;        /* EnsOnnxTensor, owned */
  GStringChunk *names;   /* of all tensors */
  GHashTable *written;   /* name → Onnx__NodeProto that computes it, also those still to come */
  GHashTable *read;      /* names that nodes or the graph's outputs read → by how many to come */
  GArray *declared;      /* EnsShape of each of the graph's inputs */
  GHashTable *samples;   /* values whose contents are right for the nominal size alone */
  GHashTable *kept;      /* values that what is not known beforehand is computed from */
  gsize budget;          /* bytes that what is made of the file's contents may still take */
  gsize work;            /* the same, with what has been let go again */
  double steps;          /* that computing it may still take */
  gsize n_external;      /* bytes of files beside the model that both have been raised by */
  guint n_quantised;     /* nodes of integer arithmetic, loaded as real arithmetic */
  char *first_quantised; /* what the first of them is called in messages */
} EnsOnnxImport;

/* Takes this of the budget; FALSE, and nothing is taken, if less is left. */
static inline gboolean
ens_onnx_budget_take (gsize *budget, gsize size)
{
  if (size > *budget)
    return FALSE;
  *budget -= size;
  return TRUE;
}

/* Raises what may be made of the file by what its size allows. */
void ens_onnx_import_raise (EnsOnnxImport *import, gsize file_size);
/* As ens_onnx_budget_take () for contents that the import makes. */
gboolean ens_onnx_import_take (EnsOnnxImport *import, gsize size);
/* The same for the steps that computing a node's outputs took. */
gboolean ens_onnx_import_take_steps (EnsOnnxImport *import, const EnsNode *node);
/* A node has been imported: lets go known contents that no node to come reads, and nothing that is
 * computed later. */
void ens_onnx_import_release (EnsOnnxImport *import, const Onnx__NodeProto *node);
/* How many nodes to come read that name. */
guint ens_onnx_count_reads (const EnsOnnxImport *import, const char *name);

EnsOnnxTensor *ens_onnx_import_find (const EnsOnnxImport *import, const char *name);
/* A new tensor of that name, or NULL if there is one already. */
EnsOnnxTensor *ens_onnx_import_add (EnsOnnxImport *import, const char *name, GError **error);
/* Nodes find the tensor by this name, too. Its values take the name if theirs was provisional. */
gboolean ens_onnx_import_alias (EnsOnnxImport *import, EnsOnnxTensor *tensor, const char *name,
                                GError **error);
/* Tensors that nodes of the file can't find by name: with known contents, which take this name, and
 * of a value in ONNX's order. */
EnsOnnxTensor *ens_onnx_import_known (EnsOnnxImport *import, const char *name, EnsTensor *contents);
EnsOnnxTensor *ens_onnx_import_wrap (EnsOnnxImport *import, EnsValue *value);

typedef struct _EnsOnnxStep EnsOnnxStep;
typedef gboolean (*EnsOnnxImportFunc) (EnsOnnxStep *step, EnsOnnxImport *import, GError **error);

/* A node of the file on its way into the graph. */
struct _EnsOnnxStep {
  const Onnx__NodeProto *proto;
  const Onnx__FunctionProto *function; /* as EnsOnnxBodyNode */
  EnsOnnxImportFunc special;           /* comes before, or instead of, adding a node; or NULL */
  const EnsOp *op;
  gint64 opset;     /* whose rules its attributes follow */
  const char *name; /* in the file, or of its first output */
  char *what;       /* "node “NAME” (Op)" for messages */
  EnsAttributes *attributes;
  EnsOnnxTensor **inputs; /* NULL: absent */
  guint n_inputs, n_outputs;
  gpointer params;
  gboolean last; /* computes with channels last */
  gboolean done; /* nothing is left to do */
};

/* Sets an error "WHAT: MESSAGE" and returns FALSE. */
#define ens_onnx_step_fail(step, error, code, ...) ens_fail (error, code, (step)->what, __VA_ARGS__)
/* Attributes → params. */
gboolean ens_onnx_step_parse (EnsOnnxStep *step, GError **error);

/* What is done with nodes of this operator before, or instead of, adding them. NULL: nothing.
 * domain NULL or "": ONNX's own. */
EnsOnnxImportFunc ens_onnx_find_special (const char *domain, const char *op);
/* The same of operators of other domains, and all of their names, as "DOMAIN.NAME". */
EnsOnnxImportFunc ens_onnx_find_contributed (const char *domain, const char *op);
void ens_onnx_list_contributed (GPtrArray *names);

/* Brings a node of opset 6 or before into the form that opset 7 has for it. */
gboolean ens_onnx_step_raise (EnsOnnxStep *step, EnsOnnxImport *import, GError **error);

/* Of ONNX Runtime's, but in ONNX's domain. */
gboolean ens_onnx_import_simplified_layer_normalization (EnsOnnxStep *step, EnsOnnxImport *import,
                                                         GError **error);
/* Operators of quantised networks. */
gboolean ens_onnx_import_quantize (EnsOnnxStep *step, EnsOnnxImport *import, GError **error);
gboolean ens_onnx_import_dequantize (EnsOnnxStep *step, EnsOnnxImport *import, GError **error);
gboolean ens_onnx_import_dynamic_quantize (EnsOnnxStep *step, EnsOnnxImport *import,
                                           GError **error);
gboolean ens_onnx_import_qlinear_conv (EnsOnnxStep *step, EnsOnnxImport *import, GError **error);
gboolean ens_onnx_import_qlinear_matmul (EnsOnnxStep *step, EnsOnnxImport *import, GError **error);
gboolean ens_onnx_import_conv_integer (EnsOnnxStep *step, EnsOnnxImport *import, GError **error);
gboolean ens_onnx_import_matmul_integer (EnsOnnxStep *step, EnsOnnxImport *import, GError **error);
/* Adds a note to the graph, if there were any. */
void ens_onnx_import_note_quantised (EnsOnnxImport *import);

gboolean ens_onnx_import_node (EnsOnnxImport *import, const EnsOnnxBodyNode *node, GError **error);
/* Adds the nodes of a branch of an If. */
const EnsOnnxBody *ens_onnx_import_branch (EnsOnnxImport *import, const EnsOnnxStep *step,
                                           const Onnx__GraphProto *graph, GError **error);
/* Makes the body's outputs the graph's. */
gboolean ens_onnx_import_outputs (EnsOnnxImport *import, const EnsOnnxBody *body, GError **error);
gboolean ens_onnx_import_if (EnsOnnxStep *step, EnsOnnxImport *import, GError **error);
/* The same for a part of a node, of ONNX's own domain. Its attributes are these instead (transfer
 * full) and follow this opset; `what` is what messages call the whole node. */
gboolean ens_onnx_import_part (EnsOnnxImport *import, const Onnx__NodeProto *proto,
                               EnsAttributes *attributes, gint64 opset, const char *what,
                               GError **error);
/* The opset that the file has of a domain; 0: it says none. */
gint64 ens_onnx_find_opset (const Onnx__ModelProto *model, const char *domain);
/* The struct's files and nominal sizes are set. */
void ens_onnx_import_init (EnsOnnxImport *import, const char *name, gsize file_size);
void ens_onnx_import_clear (EnsOnnxImport *import);
/* (transfer full) */
EnsGraph *ens_onnx_import_graph (EnsOnnxImport *import, const Onnx__ModelProto *model,
                                 GError **error);
/* What messages call a node: its name, or that of its first output. */
const char *ens_onnx_node_name (const Onnx__NodeProto *proto);
/* Whether an operator is known in that version. */
gboolean ens_onnx_is_supported (const char *domain, const char *op, gint64 opset);
/* FALSE, with a message that names each of them once, if nodes of the last body have operators that
 * are not supported, or not in the version that the file has. The message is about all bodies, and
 * graphs within their nodes. */
gboolean ens_onnx_check_operators (const GPtrArray *bodies, EnsOnnxFunctions *functions,
                                   GError **error);
/* Adds a node with outputs inferred at the nominal size; NULL if they can't be. */
EnsNode *ens_onnx_import_apply (EnsOnnxImport *import, const EnsOp *op, const char *name,
                                gconstpointer params, EnsValue *const *inputs, guint n_inputs,
                                guint n_outputs, GError **error);

/* The same for a registered operator of one input and output, given by name and attributes. */
EnsValue *ens_onnx_import_make (EnsOnnxImport *import, const char *name, EnsAttributes *attributes,
                                EnsValue *input, GError **error);

/* Whether a node is a Transpose of these four dimensions. */
gboolean ens_onnx_is_transpose (const Onnx__NodeProto *node, const gint64 *perm);
/* Whether an input of rank 4 (declared in the file's order) is (N, H, W, C) in the file. */
gboolean ens_onnx_is_given_last (const EnsOnnxImport *import, const char *name,
                                 const EnsShape *declared);

/* Whether contents don't depend on the graph's inputs, not even on their sizes. */
gboolean ens_onnx_tensor_is_known (const EnsOnnxImport *import, const EnsOnnxTensor *tensor);
/* Known contents in ONNX's order. (transfer full) */
EnsTensor *ens_onnx_tensor_contents (EnsOnnxImport *import, EnsOnnxTensor *tensor, GError **error);
/* The tensor's value in one of the orders; adds a Transpose where it has to. */
EnsValue *ens_onnx_tensor_value (EnsOnnxImport *import, EnsOnnxTensor *tensor, gboolean last,
                                 GError **error);
/* What the value in this order is called where the other one has the tensor's name. (transfer full)
 */
char *ens_onnx_tensor_name_order (const EnsOnnxTensor *tensor, gboolean last);
/* Makes `value` the tensor's, computed in that order. */
void ens_onnx_tensor_set_value (EnsOnnxTensor *tensor, EnsValue *value, gboolean last);
/* A transposed value. Transposes of transposes become one, and none if they cancel. */
EnsValue *ens_onnx_import_transpose (EnsOnnxImport *import, EnsValue *value,
                                     const EnsPermutation *permutation, GError **error);
