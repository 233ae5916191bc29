/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What reading and writing ONNX files share. */
#pragma once

#include "graph/attributes.h"
#include "graph/graph.h"
#include "graph/op.h"

#include "onnx/onnx.pb-c.h"

/* A text field, which protobuf leaves NULL if the file has none. */
static inline const char *
ens_onnx_text (const char *text)
{
  return text != NULL ? text : "";
}

/* The domain of ONNX's own operators. */
static inline gboolean
ens_onnx_is_own_domain (const char *domain)
{
  return domain == NULL || *domain == '\0' || g_str_equal (domain, "ai.onnx");
}

void ens_onnx_model_free (Onnx__ModelProto *model);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Onnx__ModelProto, ens_onnx_model_free)

/* Parses a file's bytes. protobuf's own parser says nothing about what is wrong, recurses as deep
 * as a file tells it to, and can take a hundred times the file's size; so the bytes are walked
 * before. (transfer full) */
Onnx__ModelProto *ens_onnx_parse (GBytes *bytes, GError **error);
/* The same of an attribute alone; NULL if it is damaged. (transfer full) */
Onnx__AttributeProto *ens_onnx_parse_attribute (GBytes *bytes);
/* FALSE, with a message of what the bytes are instead, if they are something else that people
 * mistake for a model: a page of a web site, a Git LFS pointer, an archive. */
gboolean ens_onnx_sniff (const guint8 *data, gsize size, GError **error);

/* Files beside a model that hold weights, each mapped once. */
typedef struct _EnsOnnxFiles EnsOnnxFiles;

/* folder NULL: there are none. named: the path by which the user has named the model, whose weights
 * may then be links to anywhere; NULL: they have to lie in the folder. (transfer full) */
EnsOnnxFiles *ens_onnx_files_new (const char *folder, const char *named);
void ens_onnx_files_free (EnsOnnxFiles *files);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (EnsOnnxFiles, ens_onnx_files_free)
/* The model whose files they are, so that those which are missing are named together. Has to
 * outlive reading tensors. */
void ens_onnx_files_set_model (EnsOnnxFiles *files, const Onnx__ModelProto *model);
/* Whether nothing is at a location within the folder. */
gboolean ens_onnx_files_is_missing (EnsOnnxFiles *files, const char *location);
/* What to do about them: "put the 2 missing files beside the model …", each named once with the
 * number of its tensors. model: may be NULL. (transfer full) */
char *ens_onnx_describe_missing_files (EnsOnnxFiles *files, const Onnx__ModelProto *model);
/* The file that a tensor's contents lie in; NULL: they lie in the model, or it does not say. */
const char *ens_onnx_tensor_location (const Onnx__TensorProto *proto);
/* Bytes of those that tensors have been read from so far. */
gsize ens_onnx_files_size (const EnsOnnxFiles *files);
/* Where the `size` bytes of a tensor with external data start. The mapping belongs to `files`. */
const guint8 *ens_onnx_files_find (EnsOnnxFiles *files, const Onnx__TensorProto *proto,
                                   const char *what, gsize size, GError **error);

/* Of newer files than the onnx.proto that this may be built with. */
#define ENS_ONNX_UINT4 21
#define ENS_ONNX_INT4 22

/* Our type for ONNX's. Floating-point types all become float32. Sets an error after "WHAT is ". */
gboolean ens_onnx_type (int onnx_type, const char *what, EnsType *type, GError **error);
/* ONNX's for ours. */
int ens_onnx_type_number (EnsType type);
/* The name of ONNX's type of that number; NULL: there is none. */
const char *ens_onnx_type_name (int onnx_type);

/* Type and shape of a tensor, checked against the size of its contents. `what` names the tensor in
 * messages: "tensor “w”". */
gboolean ens_onnx_tensor_check (const Onnx__TensorProto *proto, const char *what, EnsType *type,
                                EnsShape *shape, GError **error);
/* (transfer full) */
EnsTensor *ens_onnx_tensor_read (const Onnx__TensorProto *proto, const char *what,
                                 EnsOnnxFiles *files, GError **error);

/* A node's attributes. `node` names it in messages: "node “conv1” (Conv)". (transfer full) */
EnsAttributes *ens_onnx_attributes_read (const Onnx__NodeProto *proto, const char *node,
                                         EnsOnnxFiles *files, GError **error);

/* Whether import knows ONNX's operator of that name. */
gboolean ens_onnx_has_operator (const char *name);

/* The shape to infer with where dimensions are open: what is usual for images. */
EnsShape ens_onnx_nominal_shape (const EnsShape *declared, guint channel_axis, gint64 batch,
                                 gint64 size);
/* Sizes to try in turn for heights and widths that are open, up to a 0. Networks with fully
 * connected layers take one size only. */
extern const guint ens_onnx_nominal_sizes[];
/* A copy of the graph, inferred. Dimensions that depend on open ones are -1, as far as that can be
 * told by trying. (transfer full) */
EnsGraph *ens_onnx_infer_open (const EnsGraph *graph, GError **error);

/* Orders of dimensions. A permutation of rank n gives for each dimension of the result the
 * dimension that it is taken from. */
typedef struct {
  guint rank;
  guint from[ENS_MAX_RANK];
} EnsPermutation;

/* (N, C, spatial …) → (N, spatial …, C) and back; nothing moves below rank 3. */
EnsPermutation ens_permutation_to_last (guint rank);
EnsPermutation ens_permutation_to_first (guint rank);
/* First `a`, then `b`. */
EnsPermutation ens_permutation_compose (const EnsPermutation *a, const EnsPermutation *b);
gboolean ens_permutation_is_identity (const EnsPermutation *permutation);
gboolean ens_permutation_equal (const EnsPermutation *a, const EnsPermutation *b);
/* How a Transpose permutes tensors of this rank; FALSE if it can't. */
gboolean ens_onnx_read_permutation (gconstpointer params, guint rank, EnsPermutation *permutation);
/* (transfer full) */
EnsTensor *ens_tensor_permute (EnsTensor *tensor, const EnsPermutation *permutation);
/* An operand of lower rank, to be broadcast to tensors that are permuted like this: brought to
 * their rank by leading dimensions of 1, permuted, and freed of such dimensions again. (transfer
 * full) */
EnsTensor *ens_tensor_permute_operand (EnsTensor *tensor, const EnsPermutation *permutation);
