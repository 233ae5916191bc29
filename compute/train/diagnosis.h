/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is wrong with a data set, and what to do about it.
 *
 * Everything is found in what training and evaluation have anyway: labels, sizes, small pictures
 * (vision/picture-hash.h), and probabilities of images by classifiers that were trained without
 * them. */
#pragma once

#include "dataset/dataset.h"
#include "train/features.h"
#include "train/learning-curve.h"
#include "vision/picture-hash.h"

typedef enum {
  ENS_FINDING_BALANCE,    /* a class has few pictures beside others */
  ENS_FINDING_NONE,       /* too few pictures that show no class, or false alarms on them */
  ENS_FINDING_SMALL,      /* pictures of few pixels */
  ENS_FINDING_LEAK,       /* near copies in several splits */
  ENS_FINDING_CONTRADICT, /* near copies with different labels */
  ENS_FINDING_COPIES,     /* near copies in one split */
  ENS_FINDING_LABELS,     /* labels that are likely wrong */
  ENS_FINDING_CONFUSION,  /* classes that are taken for each other */
  ENS_FINDING_CURVE,      /* whether more pictures would help */
  ENS_FINDING_NEXT,       /* which pictures to label next */
  ENS_N_FINDINGS
} EnsFindingKind;

/* "balance", "none" …: for programs. */
const char *ens_finding_name (EnsFindingKind kind);

typedef struct {
  char *path;
  char *caption; /* why it is shown, in a few words */
} EnsFindingPicture;

typedef struct {
  EnsFindingKind kind;
  char *text;       /* one sentence: what, how many, and what to do */
  GArray *pictures; /* EnsFindingPicture, the clearest first; at most ENS_FINDING_PICTURES */
} EnsFinding;

#define ENS_FINDING_PICTURES 12

void ens_finding_free (EnsFinding *finding);

/* pictures: none yet. (transfer full) */
EnsFinding *ens_finding_new (EnsFindingKind kind, char *text);
/* Does nothing if there are enough already. caption: (transfer full) */
void ens_finding_show (EnsFinding *finding, const char *path, char *caption);

/* An image and what is known of it. */
typedef struct {
  const char *path;
  EnsSplit split;
  const guint8 *labels;       /* n_classes: ENS_LABEL_… */
  guint width, height;        /* in pixels */
  const EnsPictureHash *hash; /* NULL: not looked at */
  const EnsImageKey *key;     /* of the file's contents; NULL: not known */
  const float *probabilities; /* n_classes, by classifiers trained without it; NULL: not known */
} EnsDiagnosisImage;

typedef struct {
  const char *const *classes; /* n_classes */
  guint n_classes;
  gboolean boxed; /* images without a class have no folder of their own */
  const EnsDiagnosisImage *images;
  guint n_images;
  const float *thresholds; /* n_classes: from where on a probability reports the class */
  /* ENS_LEARNING_POINTS of them; NULL: not measured. */
  const EnsLearningPoint *curve;
} EnsDiagnosis;

/* Findings in the order of their kinds, at most three of one kind. (transfer full, EnsFinding) */
GPtrArray *ens_diagnose (const EnsDiagnosis *diagnosis);
