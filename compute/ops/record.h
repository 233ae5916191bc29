/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the operators' gpu () functions share: which tensors shaders take, and dispatches that
 * several operators record. Nothing is recorded where there is nothing to compute. */
#pragma once

#include "graph/commands.h"
#include "ops/operands.h"
#include "ops/strided.h"

#include "push/functions.h"
#include "push/strided.h"

/* What the loops of an invocation may count to altogether. Mesa's llvmpipe leaves them at 65535,
 * without a word (LP_MAX_TGSI_LOOP_ITERATIONS). */
#define ENS_GPU_MAX_ITERATIONS 65000

/* Whether shaders read and write such a tensor: FLOAT32 or FLOAT16, no more elements than they can
 * count. */
gboolean ens_record_takes (const EnsView *view);

/* The same of inputs [first, end), as far as they are present, and all outputs; besides, all have
 * one type: *storage. */
gboolean ens_record_storage (const EnsOperands *operands, guint first, guint end, EnsType *storage);

/* Axes of index spaces, as shaders/strided.glsl reads them. */
typedef struct {
  guint32 words[2 * ENS_MAX_STRIDED_RANK * ENS_AXIS_WORDS];
  guint n;
} EnsAxes;

/* Appends the first n axes of a space, innermost first. */
void ens_axes_append (EnsAxes *axes, const EnsStrided *strided, guint n);
/* The table on the device; never NULL. */
const EnsView *ens_axes_record (const EnsAxes *axes, EnsCommands *commands);

/* Inputs broadcast to an output, as shaders walk them: rows by a table of axes [output, inputs],
 * and along a row by steps. */
typedef struct {
  const EnsView *axes;
  guint32 n_axes, rows, columns;
  guint32 steps[ENS_MAX_STRIDED - 1]; /* of the inputs; the output has its elements side by side */
} EnsBroadcast;

EnsBroadcast ens_broadcast_record (const EnsView *output, const EnsView *const *inputs, guint n,
                                   EnsCommands *commands);

/* y = function (x), one of ENS_FUNCTION_…; x and y have as many elements and may be the same. */
void ens_record_function (EnsCommands *commands, const EnsView *x, const EnsView *y,
                          guint32 function, float alpha, float beta);

/* y[y_start + strides 0] = x[x_start + strides 1]; starts in elements. Merges `strided`. */
typedef struct {
  const EnsView *x, *y;
  gint64 x_start, y_start;
  EnsStrided strided;
} EnsCopy;

void ens_record_copy (EnsCommands *commands, EnsCopy *copy);

/* Each element of y is reduced from elements of x. */
typedef struct {
  guint32 kind; /* ENS_REDUCE_… of push/reduce.h */
  const EnsView *x, *y;
  EnsStrided kept;    /* merged; strides 0 are y's, strides 1 x's */
  EnsStrided reduced; /* merged; strides 0 are x's */
} EnsReduction;

/* FALSE as gpu (). */
gboolean ens_record_reduction (EnsCommands *commands, const EnsReduction *reduction);

/* Lines that workgroups of shaders/tile.glsl go along. */
typedef struct {
  gsize rows, columns; /* of a line, which is gone through row by row; rows 0: 1 */
  guint passes;        /* how often */
  gboolean neighbours; /* an element's neighbour in memory belongs to the next line */
} EnsTileLines;

/* How many of them a workgroup takes side by side; 0: they are longer than an invocation may go. */
guint32 ens_tile_across (const EnsTileLines *lines);
/* Workgroups for n lines; the shader's constant 0 is ens_tile_across (). */
void ens_tile_cover (const EnsCommands *commands, EnsDispatch *dispatch, gsize n);

/* A tensor as outer × length × inner, the middle being what a function runs over. */
typedef struct {
  gsize outer, length, inner;
} EnsLines;

EnsLines ens_lines_along (const EnsShape *shape, guint first, guint end);

/* Output 0 = lines of input 0, both dense, each divided by what it comes to: kind is one of
 * ENS_LINE_… of push/softmax.h. FALSE as gpu (). */
gboolean ens_record_lines (const EnsOperands *operands, EnsCommands *commands,
                           const EnsLines *lines, guint32 kind);
