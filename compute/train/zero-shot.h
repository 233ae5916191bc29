/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Zero-shot classification: a bundle without training pictures.
 *
 * Networks of two towers (CLIP, SigLIP and their like) embed pictures and texts in one space. The
 * bundle holds the tower of pictures; classes are the texts' vectors. With the embedding x and the
 * vector v of a class, both of length 1, a class's score is temperature · (x · v) + bias. Its
 * probability is the sigmoid of that, or, where classes exclude each other, the softmax over all of
 * them.
 *
 * Sources: A. Radford et al., Learning Transferable Visual Models From Natural Language
 * Supervision, ICML 2021 (softmax); X. Zhai et al., Sigmoid Loss for Language Image Pre-Training,
 * ICCV 2023. */
#pragma once

#include "train/class-vectors.h"
#include "train/fit.h"

typedef struct {
  /* Whose features are the embedding: its taps, by default the first output that is as long as the
   * vectors. Scales by default: its size. */
  const EnsFitNetwork *network;
  const EnsClassVectors *vectors;
  const char *source; /* file of the vectors, for the bundle's provenance */
  const char *bundle; /* folder to write */
  const char *name;   /* NULL: the folder's without ".ensemble" */
  float temperature, bias;
  gboolean exclusive; /* softmax; the bias then makes no difference */
  float threshold;    /* from which probability on a class is present */
} EnsZeroShotParams;

/* The name of the network's first output that is as long as the vectors, of the first of all if
 * none is: the tap by default. (transfer full) */
char *ens_zero_shot_find_tap (const char *network, const EnsClassVectors *vectors, GError **error);

gboolean ens_zero_shot (const EnsZeroShotParams *params, const EnsMonitor *monitor, GError **error);

/* Adds the classes, and the network, to the bundle that is there: its other networks don't know
 * them, and nothing that it says of its own classes changes. Their names have to be others. FALSE
 * if it has such classes already. */
gboolean ens_zero_shot_add (const EnsZeroShotParams *params, const EnsMonitor *monitor,
                            GError **error);
