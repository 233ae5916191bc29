/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A gate of every kind, learnt on some of the images. */
#pragma once

#include "classify/linear-classifier.h"
#include "classify/similarity.h"
#include "train/gate.h"

typedef struct {
  const char *name;
  gboolean of_labels; /* compares values of the label layer, else features */
  EnsSimilarity similarity;
  gboolean with_probability;
  gboolean rival; /* for comparison only: the probability alone */
} EnsGateKind;

extern const EnsGateKind ens_gate_kinds[];
extern const guint ens_gate_n_kinds;

typedef struct {
  const EnsGateTask *task;
  guint *rows; /* of the task's examples, those learnt */
  guint n_rows;
  gboolean multi_label;
  guint width;              /* values of the label layer, at least one for each class */
  float *features, *values; /* of these rows: what is compared, and the label layer's values */
  guint8 *labels;
  gboolean *has_class; /* per class: whether some row has it */
  EnsLinearClassifier *layer;
  EnsLabelLayerFit fit;
} EnsGateModel;

/* Trains the label layer. The rows are taken over. */
void ens_gate_model_init (EnsGateModel *model, const EnsGateTask *task, guint *rows, guint n_rows);
void ens_gate_model_clear (EnsGateModel *model);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (EnsGateModel, ens_gate_model_clear)

/* As EnsFittedGate has it. (transfer full) */
EnsGraph *ens_gate_model_to_graph (const EnsGateModel *model, const EnsGateKind *kind);

/* Images to be measured: n rows of n_features features. Similarities: n × n_classes. */
typedef struct {
  const float *features;
  guint n;
} EnsGateImages;

gboolean ens_gate_model_measure (const EnsGateModel *model, const EnsGateKind *kind,
                                 const EnsGateImages *images, float *similarities, GError **error);

/* The class, of those learnt, that is likeliest by the label layer, of each image. (transfer full)
 */
guint *ens_gate_model_find_likeliest (const EnsGateModel *model, const EnsGateImages *images);
