/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which attributes an operator has, and where its params hold them.
 *
 * An operator describes its attributes in one table; reading from files, checks, writing and
 * printing all come from it. Names and defaults are ONNX's. */
#pragma once

#include "graph/attributes.h"
#include "graph/graph.h"

/* What ONNX writes, and the type of the member. */
typedef enum {
  ENS_ATTRIBUTE_INT,    /* an int: gint64 */
  ENS_ATTRIBUTE_FLAG,   /* an int, 0 or not: gboolean */
  ENS_ATTRIBUTE_FLOAT,  /* a float: float */
  ENS_ATTRIBUTE_NAME,   /* a string, one of `names`: an enum that counts them */
  ENS_ATTRIBUTE_STRING, /* a string: char[], `length` bytes with the 0 at its end */
  /* A list of strings: the same, joined by commas; empty if it is absent. */
  ENS_ATTRIBUTE_STRINGS,
  /* An int, ONNX's number of an element type: EnsType, ENS_N_TYPES if it is absent. */
  ENS_ATTRIBUTE_TYPE,
  ENS_ATTRIBUTE_INTS,    /* a list of ints: gint64[], and a guint that counts them */
  ENS_ATTRIBUTE_FLOATS,  /* a list of floats: float[], and a guint that counts them */
  ENS_ATTRIBUTE_TENSOR,  /* a tensor: what its functions make of it */
  ENS_ATTRIBUTE_FIXED,   /* an int that may only be `integer`, or one of `names`: no member */
  ENS_ATTRIBUTE_IGNORED, /* anything; it has no effect here: no member */
  ENS_ATTRIBUTE_INPUT,   /* a list of ints that import makes `input`: no member */
  ENS_ATTRIBUTE_OUTPUTS, /* an int, the node's number of outputs, where `count` is 0: no member */
} EnsAttributeKind;

typedef enum {
  ENS_ATTRIBUTE_REQUIRED = 1 << 0, /* there is no default */
  ENS_ATTRIBUTE_INTERNAL = 1 << 1, /* ours, unknown to ONNX: not in files */
} EnsAttributeFlags;

/* Members of params are given by their offsets. */
typedef struct {
  const char *name;
  EnsAttributeKind kind;
  EnsAttributeFlags flags;
  gsize offset; /* the member; of a list, its first element */
  /* What an absent attribute means: of ints, flags, names (the number of the name), and for each
   * element of a list of ints; of floats. */
  gint64 integer;
  float real;
  gint64 min, max;          /* allowed ints; both 0: all */
  const char *const *names; /* up to a NULL */
  /* Lists. Several lists may share the member that counts; then they have to be of one length. */
  gsize count;   /* the guint */
  gsize present; /* a gboolean that is set if the attribute is there; 0: none */
  gsize second;  /* where the list's second half goes; 0: it is not halved */
  guint length;  /* elements of the array */
  /* Tensors. read () returns NULL or what it expected; write () is (transfer full). */
  const char *(*read) (const EnsTensor *tensor, gpointer member);
  EnsTensor *(*write) (gconstpointer member);
  /* Opsets: the first with this attribute, and the last one that it has this form in. 0: no limit.
   * Of rows of one name, which follow each other, the first holds whose `until` is not passed.
   * `since` only matters for writing: files are known that have attributes too early. */
  guint since, until;
  /* The input that stands for the attribute, and the opset from which on it does. Import turns such
   * an input, if constant, into the attribute in any opset, so that axes in it can be renumbered.
   * 0: none. */
  guint input, input_since;
  const char *advice; /* what an error adds, such as "; export the network again", or NULL */
} EnsAttribute;

#define ENS_ATTRIBUTE_END \
  {                       \
    NULL                  \
  }

/* The member of a struct; of a list in an EnsList or EnsFloats (ops/params.h). */
#define ENS_MEMBER(type, member) .offset = G_STRUCT_OFFSET (type, member)
#define ENS_LIST_MEMBER(type, member)                                                           \
  .kind = ENS_ATTRIBUTE_INTS, ENS_MEMBER (type, member.values),                                 \
  .count = G_STRUCT_OFFSET (type, member.n), .present = G_STRUCT_OFFSET (type, member.present), \
  .length = G_N_ELEMENTS (((type *)NULL)->member.values)
#define ENS_FLOATS_MEMBER(type, member)                           \
  .kind = ENS_ATTRIBUTE_FLOATS, ENS_MEMBER (type, member.values), \
  .count = G_STRUCT_OFFSET (type, member.n),                      \
  .length = G_N_ELEMENTS (((type *)NULL)->member.values)

/* A node whose attributes are read. */
typedef struct {
  const char *node; /* for messages: "node “conv1” (Conv)" */
  gint64 opset;
  guint n_outputs;
  gboolean internal; /* internal attributes are read; else they are unknown, as in files */
  EnsAttributes *attributes;
} EnsParse;

/* Attributes → params, of op->params_size bytes. An attribute that is missing, of another type, out
 * of range or unknown is an error. */
gboolean ens_op_read_attributes (const EnsOp *op, const EnsParse *parse, gpointer params,
                                 GError **error);
/* params → attributes as of `opset`. Those that have their default are left out. */
void ens_op_write_attributes (const EnsOp *op, gconstpointer params, guint n_outputs, gint64 opset,
                              EnsAttributes *attributes);
/* The row of that name that is written, or NULL. */
const EnsAttribute *ens_op_find_attribute (const EnsOp *op, const char *name);
/* "axis=1 mode="edge"", as people see it. (transfer full) */
char *ens_node_attributes_to_string (const EnsNode *node);
