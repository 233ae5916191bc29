/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Linear classifiers: one support vector machine a class, that class against the rest (M1.5).
 *
 * L2-regularised, squared hinge loss, solved in the primal by a trust region method. Features are
 * standardised first (mean 0, deviation 1 or less for features that hardly vary, then divided by
 * the root of their number, so that an example has a length of about 1 and C of about 1 suits
 * whatever the number of features); that is folded back, so that the classifiers take features as
 * they are. Examples of the rarer side weigh more, by the square root of how much rarer it is. The
 * same examples give the same bits whatever the number of threads.
 *
 * Source: R.-E. Fan, K.-W. Chang, C.-J. Hsieh, X.-R. Wang, C.-J. Lin, LIBLINEAR: A Library for
 * Large Linear Classification, JMLR 2008; C.-Y. Hsia, W.-L. Chiang, C.-J. Lin, Preconditioned
 * Conjugate Gradient Methods in Truncated Newton Frameworks for Large-scale Linear Classification,
 * ACML 2018.
 */
#pragma once

#include "base/thread-pool.h"
#include "classify/examples.h"
#include "classify/linear-classifier.h"

/* Trains all classes in parallel. A class that all or none of the examples have gets a classifier
 * that always decides 0. c > 0 is the weight of errors against regularisation. Takes 16 bytes of
 * memory for each feature of each example. (transfer full) */
EnsLinearClassifier *ens_svm_train (const EnsExamples *examples, double c, EnsThreadPool *pool);

/* The C among 1/16, 1/4, 1, 4 with the highest mean average precision in a cross validation
 * (classify/folds.h); of equal ones the smallest. decisions, unless NULL: n_samples × n_classes
 * decision values of each example by classifiers that were trained without its fold, with the C
 * that the other folds choose. c > 0: that is the only C. */
double ens_svm_cross_fit (const EnsExamples *examples, double c, EnsThreadPool *pool,
                          float *decisions);

/* Classifiers for windows, where it is known which classes an image has but not in which window. In
 * each of ENS_SVM_ROUNDS rounds the window of each image that the classifier of the round before
 * (first `start`, trained on the images) puts highest joins the images as an example, of the class
 * or against it as its image is: what decides P3 is the highest window, so that is what is trained.
 * Standardised by the images. (transfer full)
 *
 * Source: S. Andrews, I. Tsochantaridis, T. Hofmann, Support Vector Machines for Multiple-Instance
 * Learning, NIPS 2002 (MI-SVM). */
#define ENS_SVM_ROUNDS 2
EnsLinearClassifier *ens_svm_train_on_windows (const EnsBags *bags,
                                               const EnsLinearClassifier *start, double c,
                                               EnsThreadPool *pool);
