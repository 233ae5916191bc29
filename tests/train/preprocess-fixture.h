/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What tests of preprocessing share: a small network in a folder, and what is found out about it.
 */
#pragma once

#include "base/tensor.h"
#include "check-main.h"
#include "train/preprocess.h"

typedef struct {
  char *folder, *path;
} Place;

void place_init (Place *place);
void place_clear (Place *place);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Place, place_clear)

void put_file (const Place *place, const char *name, const char *contents);

/* A convolution with what stands before and behind it. */
typedef struct {
  gint64 size, channels;  /* -1: open */
  const float *subtract;  /* 3, or NULL */
  const float *multiply;  /* 3, or NULL */
  double mean, deviation; /* of the pixels that batch normalisation has seen; deviation 0: none */
  EnsType type;           /* of the input; casts of others than float32 follow it */
} Design;

/* Writes the network with metadata, keys and values in turn up to a NULL, and a producer. */
void put_network_with (const Place *place, const Design *design, const char *const *properties,
                       const char *producer);
/* With one property, unless key is NULL. */
void put_network (const Place *place, const Design *design, const char *key, const char *value,
                  const char *producer);

/* (transfer full) */
EnsPreprocess *find (const Place *place);
void assert_explained (const EnsPreprocess *preprocess, EnsPreprocessPart part, const char *how);
/* Of three channels. */
void assert_range (const EnsPreprocess *preprocess, const double *means, const double *scales);
