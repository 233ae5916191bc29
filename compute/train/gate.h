/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Learning the similarity gate (M2) on the features of one network.
 *
 * Several kinds of similarity compete (classify/similarity.h), on the features themselves and on
 * the values of a label layer (classify/label-layer.h), the document's among them. The one is
 * chosen that tells best the images of known classes from others, by the area under the curve of
 * receiver operating characteristics (AUROC; 0.5: not at all), averaged over
 *
 * - own classes: some are left out of learning, in turn, and their images are the others;
 * - unrelated images: those that are known to have no class, and whatever else the user has.
 *
 * A kind that takes the label layer's probability into account is measured, too, but not chosen: it
 * ranks all images best, but of those that are tagged it tells fewer, as their probability is high.
 *
 * An image's similarity is that to the class that is likeliest by the label layer. All figures and
 * the ranges are cross-fitted: of images that the gate they are judged by has not learnt. */
#pragma once

#include "classify/examples.h"
#include "classify/label-layer.h"
#include "engine/network.h"
#include "ensemble/bundle.h"
#include "graph/graph.h"
#include "train/options.h"
#include "train/own-rows.h"

#define ENS_GATE_MAX_KINDS 12

/* A class with fewer images has no range: it is reported whatever the similarity. */
#define ENS_GATE_MIN_IMAGES 5
/* One with fewer has the range of all classes together. */
#define ENS_GATE_MIN_OWN_RANGE 20

/* How a gate is learnt, the user's wishes. */
typedef enum {
  ENS_GATE_KEEP,     /* share of correct labels that ranges keep above their lower end … */
  ENS_GATE_HIGH,     /* … and below their upper end; 1: whatever resembles more is accepted */
  ENS_GATE_LOSS_LOW, /* the label layer's range */
  ENS_GATE_LOSS_HIGH,
  ENS_GATE_WIDTH, /* values of the label layer; 0: one for each class */
  ENS_GATE_N_OPTIONS,
} EnsGateOption;

extern const EnsOption ens_gate_options[];

typedef struct {
  gboolean off;
  const char *kind; /* NULL: the best one */
  double options[ENS_GATE_N_OPTIONS];
} EnsGateSettings;

/* Reads [KIND|off][,OPTION=VALUE…], NULL for all by default. FALSE with an error that says what
 * there is. */
gboolean ens_gate_parse (const char *text, EnsGateSettings *settings, GError **error);

typedef struct {
  EnsExamples examples;   /* of all images, those that have no class too */
  guint first, length;    /* the features that are compared; the gate takes all n_features */
  const float *unrelated; /* further images that have no class, n_unrelated × n_features */
  guint n_unrelated;
  const EnsOwnRows *own_rows; /* what the label layer begins with; NULL: random weights alone */
  const EnsGateSettings *settings;
  EnsDevice *device; /* that measures */
} EnsGateTask;

typedef struct {
  const char *kind;
  /* AUROC with own classes left out, with unrelated images, and the mean; NaN: can't be measured */
  double left_out, unrelated, mean;
} EnsGateFigure;

typedef struct {
  const char *kind;     /* of the figures' */
  EnsGraph *graph;      /* features (N, n_features) → similarities (N, n_classes), −1 … 1 */
  EnsGateRange *ranges; /* per class */
  EnsGateFigure figures[ENS_GATE_MAX_KINDS];
  guint n_figures;
  guint n_unrelated;      /* images that the second figure is of */
  EnsLabelLayerFit layer; /* how its label layer was trained */
} EnsFittedGate;

void ens_fitted_gate_clear (EnsFittedGate *gate);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (EnsFittedGate, ens_fitted_gate_clear)

gboolean ens_gate_learn (const EnsGateTask *task, EnsFittedGate *gate, GError **error);
