/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How near a style brings camera A's pictures to camera B's, beside what needs no training:
 *
 *   means        each channel gets B's mean and variance over all pictures
 *   frequencies  a picture gets the amplitudes of its lowest frequencies from a picture of B's:
 *                Yang and Soatto, “FDA: Fourier Domain Adaptation for Semantic Segmentation”, CVPR
 *                2020
 *   batch-norm   pictures stay, and the networks' batch normalisation gets means and variances of
 *                A: Li, Wang, Shi, Liu and Hou, “Revisiting Batch Normalization For Practical
 *                Domain Adaptation”, ICLR 2017 (workshop)
 *
 * Each of the first two changes a frame as a style does: at the size that the style was trained
 * for, what is added being interpolated. */
#pragma once

#include "train/train-style.h"
#include "vision/picture.h"

G_BEGIN_DECLS

typedef enum {
  ENS_STYLE_NOTHING, /* pictures of A as they are */
  ENS_STYLE_MEANS,
  ENS_STYLE_FREQUENCIES,
  ENS_STYLE_BATCH_NORM,
  ENS_STYLE_LEARNT,
  ENS_STYLE_N_METHODS,
} EnsStyleMethod;

/* For people, by value, up to a NULL. */
extern const char *const ens_style_method_names[];

/* NaN: not measured. */
typedef struct {
  /* Of features' means and standard deviations (the pictures', their high frequencies', the
   * classifier's first layers'), in B's standard deviations. */
  double distance;
  double accuracy; /* of the bundle on labelled pictures of A */
} EnsStyleFigure;

/* A picture of A, and what becomes of it; NULL where a method changes no pictures. */
typedef struct {
  char *path;
  EnsPicture *pictures[ENS_STYLE_N_METHODS];
} EnsStyleCard;

typedef struct {
  EnsStyleFigure figures[ENS_STYLE_N_METHODS];
  double floor;          /* the distance of one half of B's pictures to the other */
  EnsStyleMethod simple; /* the best one without training */
  gboolean suffices;     /* it is as good as the style */
  GPtrArray *cards;      /* EnsStyleCard */
  GPtrArray *others;     /* EnsPicture of B */
} EnsStyleMeasure;

typedef struct {
  const EnsStyleTraining *training; /* whose style has been written */
  /* A bundle and a data set of camera A with its classes, whose test split (validation where that
   * is empty) is classified; both NULL: no accuracy is measured. */
  const char *bundle, *test;
  guint n_cards; /* at most */
} EnsStyleMeasureParams;

/* Looks at some of the pictures of both cameras. Labels are for the figures alone. FALSE: nothing
 * is to be cleared. */
gboolean ens_style_measure (const EnsStyleMeasureParams *params, EnsDevice *device,
                            const EnsFrameOpener *opener, const EnsMonitor *monitor,
                            EnsStyleMeasure *measure, GError **error);
void ens_style_measure_clear (EnsStyleMeasure *measure);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (EnsStyleMeasure, ens_style_measure_clear)

G_END_DECLS
