/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A training of a contour network under way, shared by the files that it is made of. */
#pragma once

#include "dataset/contours.h"
#include "train/train-contour.h"

/* What the network expects: RGB with the means and deviations of ImageNet's photographs. */
extern const EnsNormalise ens_contour_normalise;

/* A crop of fewer pixels along its side has nothing but border, where the truth is not known. */
#define ENS_CONTOUR_LEAST_CROP 16

/* Whether a pixel is so near the border that it does not count. */
gboolean ens_contour_is_on_border (guint x, guint y, guint width, guint height);

/* The graph's inputs. */
enum { ENS_CONTOUR_PICTURES, ENS_CONTOUR_TRUTH, ENS_CONTOUR_N_INPUTS };

/* Crops of the training photographs. Its address stays what it is while a loader reads it. */
typedef struct {
  const EnsContourTraining *params;
  const EnsFrameOpener *opener;
  const GPtrArray *items; /* EnsContourItem */
} EnsContourCrops;

/* Tensors in the order of the graph's inputs. */
EnsLoaderSource ens_contour_crops_get_source (EnsContourCrops *crops);

/* A whole photograph as the network takes it, with its truth: −1 on the border. */
typedef struct {
  guint width, height;
  float *pixels, *truth; /* height × width × 3, height × width */
} EnsContourExample;

/* Of pictures as ens_contour_item_read () gives them. */
void ens_contour_example_init (EnsContourExample *example, EnsPicture *photograph,
                               EnsPicture *truth);
void ens_contour_example_clear (EnsContourExample *example);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (EnsContourExample, ens_contour_example_clear)
