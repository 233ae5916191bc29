/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A training of a style under way, shared by the files that it is made of. */
#pragma once

#include "base/random.h"
#include "networks/style.h"
#include "train/loader.h"
#include "train/step.h"
#include "train/train-style.h"

/* Pictures are RGB in [−1, 1]. */
#define ENS_STYLE_MIDDLE 127.5f

/* The shorter side of a camera's pictures, A's 0 and B's 1: that which the style is for. */
guint ens_style_get_training_size (const EnsStyleTraining *params, guint camera);

/* ---- style-graph.c ---- */

/* Inputs of the generators' graph, and the first ones of the discriminators'. */
enum { ENS_STYLE_A, ENS_STYLE_B, ENS_STYLE_ADAPTED_A, ENS_STYLE_ADAPTED_B, ENS_STYLE_N_INPUTS };

/* Outputs of a step of the generators: the adapted pictures, then the terms. */
enum { ENS_STYLE_N_GENERATOR_TERMS = 6, ENS_STYLE_N_TERMS = 8 };

/* Values' names, up to a NULL. */
extern const char *const ens_style_generator_outputs[];
extern const char *const ens_style_discriminator_outputs[];
#define ENS_STYLE_LOSS "style/loss"

typedef struct {
  EnsGraph *features;       /* "pictures" → "features", standardised */
  EnsGraph *generator;      /* from A to B, as it is before training */
  EnsGraph *generators;     /* the graph of their step */
  EnsGraph *discriminators; /* … and of theirs */
  guint n_features;
  guint n_terms; /* of the generators' step: those without a weight come last and are left out */
} EnsStyleGraphs;

/* Builds the networks around features of so many channels. colours: from A to B, from B to A. */
void ens_style_graphs_init (EnsStyleGraphs *graphs, EnsGraph *features, guint n_features,
                            const EnsStyleColours colours[2], const EnsStyleTraining *params);
void ens_style_graphs_clear (EnsStyleGraphs *graphs);
/* Which parameters a step trains; data of EnsStepParams: "g" or "d". */
gboolean ens_style_is_trained (gpointer data, const char *name, EnsParameterKind kind);
/* The generator from A to B with the parameters as they are in its step, from pictures of 0 … 255
 * to adapted ones. (transfer full) */
EnsGraph *ens_style_graphs_finish (const EnsStyleGraphs *graphs, EnsStep *step);

/* ---- style-features.c ---- */

/* The features of pictures of a shape (N, H, W, 3), not standardised. *layer: where in the
 * classifier they come from; NULL without one. (transfer full) */
EnsGraph *ens_style_features_open (const EnsStyleTraining *params, const EnsShape *pictures,
                                   const char **layer, GError **error);
/* Mean and variance of each channel over pictures. */
typedef struct {
  guint n_channels;
  double *sum, *squares;
  guint64 n;
} EnsStyleMoments;

void ens_style_moments_init (EnsStyleMoments *moments, guint n_channels);
void ens_style_moments_clear (EnsStyleMoments *moments);
void ens_style_moments_add (EnsStyleMoments *moments, const float *values, gsize n);
double ens_style_moments_mean (const EnsStyleMoments *moments, guint channel);
double ens_style_moments_deviation (const EnsStyleMoments *moments, guint channel);
/* *factor · x + *offset has b's mean and deviation where x has a's. */
void ens_style_moments_match (const EnsStyleMoments *a, const EnsStyleMoments *b, guint channel,
                              double *factor, double *offset);
/* Appends (x − mean) / deviation to the only output. */
void ens_style_features_standardise (EnsGraph *features, const EnsStyleMoments *moments);

/* ---- style-samples.c ---- */

/* Random parts of one camera's pictures. Its address stays what it is while a loader reads it. */
typedef struct {
  const EnsFrameOpener *opener;
  GPtrArray *paths;    /* char * */
  guint size;          /* their shorter side */
  guint width, height; /* of samples */
  gboolean whole;      /* samples are whole pictures */
  guint64 seed;
  guint n_items; /* of an epoch: pictures come up several times where there are fewer */
} EnsStyleSamples;

/* Lists the folder's pictures. */
gboolean ens_style_samples_init (EnsStyleSamples *samples, const char *folder,
                                 const EnsFrameOpener *opener, GError **error);
void ens_style_samples_clear (EnsStyleSamples *samples);
EnsLoaderSource ens_style_samples_get_source (EnsStyleSamples *samples, guint batch);

/* ---- style-buffer.c ---- */

/* How many earlier pictures there are for each discriminator. */
#define ENS_STYLE_BUFFER 50

/* Earlier adapted pictures, in an array of the caller's that a checkpoint keeps: how many there
 * are, then the pictures. */
typedef struct {
  float *values;
  gsize size; /* of a picture */
} EnsStyleBuffer;

gsize ens_style_buffer_count_values (gsize size);
/* Half of the pictures, at random, are exchanged for earlier ones, once there are enough. */
void ens_style_buffer_exchange (EnsStyleBuffer *buffer, const EnsRandomStream *stream,
                                const float *pictures, guint n, float *out);
