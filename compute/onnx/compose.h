/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Nodes of the file that become several nodes: what has no operator of its own here is composed of
 * ONNX's, between tensors by name.
 *
 * After a failure, of which the first is the error, all functions do nothing and return "", so that
 * compositions are plain lists of steps. */
#pragma once

#include "onnx/import.h"

typedef struct {
  EnsOnnxStep *step; /* what is composed */
  EnsOnnxImport *import;
  GError **error;
  gint64 opset; /* whose rules the attributes of its parts follow */
  gboolean failed;
} EnsCompose;

EnsCompose ens_compose_new (EnsOnnxStep *step, EnsOnnxImport *import, GError **error);

/* Fails for a number of inputs, also of those that are present up to `min`. */
void ens_compose_check_inputs (EnsCompose *compose, guint min, guint max);
#define ens_compose_fail(compose, code, ...) \
  ((compose)->failed =                       \
       (compose)->failed                     \
       || !ens_onnx_step_fail ((compose)->step, (compose)->error, code, __VA_ARGS__))

gboolean ens_compose_has_input (const EnsCompose *compose, guint input);
/* Its name; "": it is absent. */
const char *ens_compose_input (const EnsCompose *compose, guint input);
/* The contents of an input that has to be known; NULL: it failed. (transfer full) */
EnsTensor *ens_compose_contents (EnsCompose *compose, guint input);
/* The tensor of that name, or NULL after a failure. */
EnsOnnxTensor *ens_compose_find (const EnsCompose *compose, const char *name);
/* Whether anything reads the output. */
gboolean ens_compose_wants (const EnsCompose *compose, guint output);

/* A tensor to be filled, whose size files decide on; NULL: it failed. source: the one that it is
 * made of element by element; NULL: none. What is made first of contents of the file is a small
 * multiple of them, all else takes of what import may take. (transfer full) */
EnsTensor *ens_compose_tensor (EnsCompose *compose, EnsType type, const EnsShape *shape,
                               EnsOnnxTensor *source);
/* Constants; the contents are taken over. NULL: making them has failed. */
const char *ens_compose_known (EnsCompose *compose, const char *suffix, EnsTensor *contents);
const char *ens_compose_number (EnsCompose *compose, double number);
const char *ens_compose_list (EnsCompose *compose, const gint64 *values, guint n);

/* Attributes of a part. (transfer full) */
EnsAttributes *ens_compose_int (const char *name, gint64 value);
EnsAttributes *ens_compose_ints (const char *name, const gint64 *values, guint n);
EnsAttributes *ens_compose_float (const char *name, float value);
EnsAttributes *ens_compose_string (const char *name, const char *value);
/* Those of the composed node, without what has been read of them. (transfer full) */
EnsAttributes *ens_compose_rest (EnsCompose *compose);

/* Adds a part of one output, and returns its name. Attributes (NULL: none) are taken over; inputs
 * are listed up to a NULL, absent ones are "". */
const char *ens_compose (EnsCompose *compose, const char *op, EnsAttributes *attributes,
                         const char *input, ...) G_GNUC_NULL_TERMINATED;
/* The same with any number of inputs and outputs. outputs: names that the file has, "" for those
 * that nobody reads, or NULL; the latter are made up and set. */
void ens_compose_many (EnsCompose *compose, const char *op, EnsAttributes *attributes,
                       const char *const *inputs, guint n_inputs, const char **outputs,
                       guint n_outputs);
const char *ens_compose_transpose (EnsCompose *compose, const char *input, const gint64 *perm,
                                   guint n);
const char *ens_compose_reshape (EnsCompose *compose, const char *input, const gint64 *shape,
                                 guint n);

/* x + the input, if there is one. */
const char *ens_compose_add_input (EnsCompose *compose, const char *x, guint input);
/* NHWC to NCHW and back, if the tensor is channels-last. */
const char *ens_compose_to_first (EnsCompose *compose, gboolean channels_last, const char *x);
const char *ens_compose_to_last (EnsCompose *compose, gboolean channels_last, const char *x);

/* The output is this tensor. */
void ens_compose_result (EnsCompose *compose, guint output, const char *name);
/* Nothing is left to do. Fails for attributes that nobody has asked for. Returns whether all went
 * well. */
gboolean ens_compose_finish (EnsCompose *compose);
