/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How similar a vector is to the training examples of each class (M2.1): of an image's features, or
 * of the values of its label layer.
 *
 * The document compares with a class's mean by a similarity that it leaves open. Cosine is the
 * reading closest to it; the others are rivals from open-set recognition. All are learnt from
 * examples, and become nodes of a graph, so that they run wherever networks run.
 *
 * Source: CN111626353A; K. Lee, K. Lee, H. Lee, J. Shin, A Simple Unified Framework for Detecting
 * Out-of-Distribution Samples and Adversarial Attacks, NeurIPS 2018 (Mahalanobis); Y. Sun, Y. Ming,
 * X. Zhu, Y. Li, Out-of-Distribution Detection with Deep Nearest Neighbors, ICML 2022. */
#pragma once

#include "base/thread-pool.h"
#include "classify/examples.h"
#include "graph/graph.h"

/* m: the mean of a class's examples; x̂: x divided by its length, a zero vector by nothing. */
typedef enum {
  ENS_SIMILARITY_COSINE,         /* of x and m; −1 … 1 */
  ENS_SIMILARITY_CENTRED_COSINE, /* of both after subtracting the mean of all examples */
  /* exp (−‖x − m‖² / (2·σ²)), σ² the mean of ‖x − m‖² over the class's examples; 0 … 1 */
  ENS_SIMILARITY_DISTANCE,
  /* exp (−d² / (2·D)), D the length of x, d² = (x̂ − m̂)ᵀ·Σ⁻¹·(x̂ − m̂), m̂ the mean of x̂, Σ the
   * covariance within classes, shared by all and shrunk by a tenth towards a multiple of the unit
   * matrix; 0 … 1 */
  ENS_SIMILARITY_MAHALANOBIS,
  /* The mean cosine to the ENS_SIMILARITY_NEIGHBOURS nearest examples of the class, equal cosines
   * counted once; −1 … 1 */
  ENS_SIMILARITY_NEAREST,
} EnsSimilarity;

#define ENS_SIMILARITY_NEIGHBOURS 5

/* Examples that are kept to be neighbours: so many of a class, and of all classes together, at
 * most, evenly chosen. */
#define ENS_SIMILARITY_MAX_PER_CLASS 200
#define ENS_SIMILARITY_MAX_KEPT 20000

/* Appends to a graph the similarity of each of `vectors` (N, n_features) to each class and returns
 * it: (N, n_classes). Finite for finite vectors. A class without examples is one of a zero vector.
 */
EnsValue *ens_similarity_append (EnsGraph *graph, EnsValue *vectors, EnsSimilarity kind,
                                 const EnsExamples *examples, EnsThreadPool *pool);
