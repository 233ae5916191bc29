/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gst-ensemble: a step of training: from a batch and parameters to the loss and its gradients.
 *
 * A step is made of a graph as it was imported or built, with a loss in it: a value of one element,
 * computed from the graph's inputs (pictures, targets, weights of targets …). The constants that
 * operators take as weights, biases and scales become parameters, arrays that the optimiser
 * changes; the graph is differentiated (passes/backward.h) and planned like any other, on any
 * device. All shapes are fixed when the step is made. */
#pragma once

#include "engine/network.h"
#include "graph/op.h"

G_BEGIN_DECLS

typedef struct _EnsStep EnsStep;

/* One parameter tensor, or one of the statistics that batch normalisation keeps. */
typedef struct {
  const char *name; /* of its value in the graph */
  const char *node; /* that reads it */
  guint input;      /* which of its inputs */
  EnsParameterKind kind;
  EnsShape shape; /* as the graph has it: filters are (filter, row, column, channel) */
  gsize offset;   /* of its elements in the arrays of all parameters, or all statistics */
  gsize size;     /* elements */
} EnsParameter;

typedef struct {
  /* Neither passes nor plans have changed it. It stays as it is. */
  const EnsGraph *graph;
  const char *loss;             /* a value */
  const char *const *outputs;   /* values that a step returns besides, up to a NULL; or NULL */
  const EnsShape *input_shapes; /* of the graph's inputs, in order */
  /* Values up to which nothing is trained, up to a NULL: what they are computed from keeps its
   * parameters, and its batch normalisation the statistics that it has. Nothing is differentiated
   * there. Or NULL. */
  const char *const *frozen;
  /* Whether a parameter, given by its value's name, is trained. NULL: all are. */
  gboolean (*is_trained) (gpointer data, const char *name, EnsParameterKind kind);
  gpointer data;
  /* Steps whose parameters this one takes as they are when it runs, up to a NULL: constants of the
   * same names, which it does not train. Gradients pass through the layers that have them. They
   * outlive this step. Or NULL. */
  EnsStep *const *beside;
  /* Batch normalisation takes mean and variance from the batch, and keeps a moving average of
   * them: running = (1 − momentum) · running + momentum · the batch's. FALSE: it takes what was
   * kept, as in use. */
  gboolean batch_statistics;
  double momentum; /* usually 0.1 */
  guint64 seed;    /* of dropout */
  /* Bytes that intermediate values may take; 0: any. A step that would take more computes some of
   * them twice instead of keeping them: results keep their bits. */
  gsize memory_limit;
} EnsStepParams;

/* NULL, with an error that names the node, where the loss can't be differentiated; also where no
 * parameter is left to train, one beside it has another shape, or the memory limit can't be kept.
 * (transfer full) */
EnsStep *ens_step_new (const EnsStepParams *params, EnsDevice *device, GError **error);
void ens_step_free (EnsStep *step);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (EnsStep, ens_step_free)

/* Those that are trained, in the order of the graph's nodes. */
const EnsParameter *ens_step_get_parameters (const EnsStep *step, guint *n);
/* Their elements, one parameter behind the other, as the graph had them; the caller changes them
 * between steps. */
float *ens_step_get_values (EnsStep *step, gsize *n);
/* Moves them into an array of the caller's, which outlives the step: so that those of several steps
 * lie one behind the other, as a loop takes them. */
void ens_step_place_values (EnsStep *step, float *values);
/* Running means and variances; none without batch_statistics. Steps change them. */
const EnsParameter *ens_step_get_statistics (const EnsStep *step, guint *n);
float *ens_step_get_statistic_values (EnsStep *step, gsize *n);
/* Bytes of intermediate values while it runs. */
gsize ens_step_get_arena_size (const EnsStep *step);

typedef struct {
  const gconstpointer *inputs; /* dense, of the graph's inputs */
  const gpointer *outputs;     /* dense, of those that were asked for; NULL: none were */
  float *gradients;            /* of all parameters, in the order of their values */
  guint64 number; /* of the step: what dropout draws depends on it and the seed alone */
} EnsStepArrays;

/* One step. Same inputs, parameters and number, same device: the same bits, for any number of
 * threads. One thread at a time. */
gboolean ens_step_run (EnsStep *step, const EnsStepArrays *arrays, float *loss, GError **error);

/* Puts parameters and statistics as they are now into a graph, the one that the step was made of or
 * a copy of it, where it can be exported from. Values keep their names. FALSE: it is another
 * graph. */
gboolean ens_step_store (const EnsStep *step, EnsGraph *graph, GError **error);

/* A copy of such a graph with parameters and statistics as they are now, ready to run on the step's
 * device; its only output is this value. NULL: the outputs that it has. (transfer full) */
EnsNetwork *ens_step_open_network (const EnsStep *step, const EnsGraph *graph, const char *output,
                                   GError **error);

G_END_DECLS
