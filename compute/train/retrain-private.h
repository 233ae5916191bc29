/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A retraining under way, shared by the files that it is made of. */
#pragma once

#include "train/loader.h"
#include "train/retrain.h"
#include "train/step.h"

/* Values that are added to the network, and the order of the graph's inputs. */
#define ENS_RETRAIN_LOSS "retrain/loss"
#define ENS_RETRAIN_PROBABILITIES "retrain/probabilities"
enum { ENS_RETRAIN_PIXELS, ENS_RETRAIN_TARGETS, ENS_RETRAIN_WEIGHTS, ENS_RETRAIN_N_INPUTS };

/* The network in its forms. */
typedef struct {
  guint size;           /* that it was made for */
  guint n_channels;     /* of its input */
  EnsGraph *network;    /* as the file has it, but for the labels; its output are logits */
  EnsGraph *dense;      /* the same applied convolutionally, with the loss */
  EnsGraph *tail;       /* what comes behind the frozen value, which is its first input; or NULL */
  char *label_node;     /* of both: the label layer */
  char *output_name;    /* of the file's first output */
  char *logits_name;    /* of what that was made of; the same if it gave logits */
  EnsDenseMap map;      /* at the size of sub-images */
  EnsShape map_shape;   /* of a batch's targets */
  EnsShape input_shape; /* of a batch's pixels, or of its features where there is a tail */
} EnsRetrainGraph;

/* Imports the network and gives it labels, whose biases are 0. */
gboolean ens_retrain_graph_init (EnsRetrainGraph *graph, const EnsRetrainParams *params,
                                 guint n_classes, GError **error);
void ens_retrain_graph_clear (EnsRetrainGraph *graph);
/* Cuts the tail off, if the loss depends on the pixels by that value alone. FALSE: there is no such
 * value. */
gboolean ens_retrain_graph_cut (EnsRetrainGraph *graph, const char *value, GError **error);
/* What is trained: the tail, or all of `dense`. */
const EnsGraph *ens_retrain_graph_get_trained (const EnsRetrainGraph *graph);
/* Shapes of its inputs. */
void ens_retrain_graph_get_shapes (const EnsRetrainGraph *graph, guint batch,
                                   EnsShape shapes[ENS_RETRAIN_N_INPUTS]);
/* Writes the network as it is after training. */
gboolean ens_retrain_graph_export (const EnsRetrainGraph *graph, EnsStep *step,
                                   const EnsRetrainParams *params, const char *const *classes,
                                   GError **error);

/* What frozen layers make of sub-images; kept up to a limit. Any thread. */
typedef struct _EnsRetrainFeatures EnsRetrainFeatures;

/* Of a graph with a tail. (transfer full) */
EnsRetrainFeatures *ens_retrain_features_new (const EnsRetrainGraph *graph, const char *value,
                                              EnsDevice *device, GError **error);
void ens_retrain_features_free (EnsRetrainFeatures *features);
/* FALSE: they are not kept. */
gboolean ens_retrain_features_find (EnsRetrainFeatures *features, const char *key, float *out);
gboolean ens_retrain_features_compute (EnsRetrainFeatures *features, const char *key,
                                       const float *pixels, float *out, GError **error);

/* Whether what happens to pictures is one of a few things, so that features can be kept. */
gboolean ens_retrain_augment_is_repeated (EnsRetrainAugment augment);

/* Sub-images of a split with their targets. Its address stays what it is while a loader reads it.
 */
typedef struct {
  const EnsRetrainParams *params;
  const EnsFrameOpener *opener;
  const GPtrArray *images; /* EnsDatasetItem */
  EnsTargetParams targets;
  gboolean is_training; /* else sub-images are spread evenly and nothing is random */
  guint *first;         /* by image: of its items; n_images + 1 */
  guint n_items;
  EnsRetrainFeatures *features; /* borrowed; NULL: samples are pixels */
  gint *sizes; /* by image: width · 2^16 + height once it was read, else 0; atomic */
} EnsRetrainSamples;

/* Training samples of all sub-images read every picture's size first. */
gboolean ens_retrain_samples_init (EnsRetrainSamples *samples, const EnsRetrainGraph *graph,
                                   const EnsRetrainParams *params, const EnsDataset *dataset,
                                   EnsSplit split, const EnsFrameOpener *opener,
                                   const EnsMonitor *monitor, GError **error);
void ens_retrain_samples_clear (EnsRetrainSamples *samples);
/* Tensors in the order of the graph's inputs. */
EnsLoaderSource ens_retrain_samples_get_source (EnsRetrainSamples *samples,
                                                const EnsRetrainGraph *graph);
/* The mean target of each class, as far as it can be said without opening pictures. */
void ens_retrain_samples_get_means (const EnsRetrainSamples *samples, double *means);
/* The image of an item that a loader gives. */
guint ens_retrain_samples_find_image (const EnsRetrainSamples *samples, guint32 item);

/* All that the state of a training depends on, as JSON. NULL: the network's file can't be read.
 * (transfer full) */
char *ens_retrain_describe_settings (const EnsRetrainParams *params, guint size,
                                     const EnsDataset *dataset, GError **error);
