/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Small networks, drawn pictures and folders for the tests of the ensemble. */
#pragma once

#include "graph/graph.h"
#include "vision/frame-source.h"

/* A network for size × size RGB images: two convolutions, a pooling, then either the average over
 * positions or a fully connected layer, and a softmax over `n_outputs` scores. Values: "relu2" (8
 * channels), "pool" (those averaged, or pooled by two), "scores", "prob". Weights from `seed`. */
EnsGraph *toy_network (guint seed, guint size, guint n_outputs, gboolean fully_connected);

/* Adds a vector for each position to its pixels, so that it takes images of this size alone. */
void toy_add_positions (EnsGraph *network, guint size);

/* A constant of random numbers in [−range, range). */
EnsValue *toy_add_weights (EnsGraph *graph, GRand *random, const char *name, const EnsShape *shape,
                           double range);

#define TOY_FULLY_CONNECTED TRUE

/* Writes it to FOLDER/NAME and returns the path. (transfer full) */
char *toy_save_network (EnsGraph *network, const char *folder, const char *name);

/* n × n_inputs weights and n biases as classifiers; at FOLDER/NAME. (transfer full) */
char *toy_save_classifier (guint seed, guint n_features, guint n_classes, const char *folder,
                           const char *name);

/* A picture of noise with a disc, a square or a triangle (shape 0, 1, 2; other: nothing) of its own
 * colour somewhere in it. The same seed draws the same. (transfer full) */
EnsPicture *toy_picture (guint seed, guint shape, guint width, guint height);

/* FOLDER/SPLIT/CLASS/N.ppm for classes "disc", "square", "triangle" and "none". */
void toy_dataset (const char *folder, guint n_train, guint n_validation, guint n_test);

/* Takes the pictures of no class away, so that each of the data set shows one. */
void toy_drop_none (const char *folder);

/* Reads the files of toy_dataset (). *n_opened counts. */
EnsFrameOpener toy_opener (guint *n_opened);
