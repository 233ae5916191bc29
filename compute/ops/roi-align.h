/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What RoiAlign and its gradient share: the samples that an element of the output is made of. */
#pragma once

#include "ops/operands.h"

#include "push/roi-align.h"

enum {
  ENS_ROI_ALIGN_X,
  ENS_ROI_ALIGN_REGIONS,
  ENS_ROI_ALIGN_IMAGES,
  ENS_ROI_ALIGN_OUTPUT_GRADIENT,
};
enum { ENS_ROI_ALIGN_MEAN, ENS_ROI_ALIGN_MAXIMUM };
enum { ENS_ROI_ALIGN_HALF_PIXEL, ENS_ROI_ALIGN_OUTPUT_HALF_PIXEL };

typedef struct {
  guint mode, coordinates;
  gint64 rows, columns;
  gint64 samples; /* along an axis of an element of the output; 0: as many as it covers pixels */
  float scale;    /* of the regions' coordinates */
} EnsRoiAlignParams;

extern const char *const ens_roi_align_modes[];
extern const char *const ens_roi_align_coordinates[];

#define ENS_ROI_ALIGN_ATTRIBUTES                                                               \
  {"coordinate_transformation_mode",                                                           \
   ENS_ATTRIBUTE_NAME,                                                                         \
   ENS_MEMBER (EnsRoiAlignParams, coordinates),                                                \
   .names = ens_roi_align_coordinates,                                                         \
   .integer = ENS_ROI_ALIGN_OUTPUT_HALF_PIXEL,                                                 \
   .until = 15},                                                                               \
      {"coordinate_transformation_mode", ENS_ATTRIBUTE_NAME,                                   \
       ENS_MEMBER (EnsRoiAlignParams, coordinates), .names = ens_roi_align_coordinates,        \
       .since = 16},                                                                           \
      {"mode", ENS_ATTRIBUTE_NAME, ENS_MEMBER (EnsRoiAlignParams, mode),                       \
       .names = ens_roi_align_modes},                                                          \
      {"output_height", ENS_ATTRIBUTE_INT, ENS_MEMBER (EnsRoiAlignParams, rows),               \
       .integer = 1,    .min = 1,          .max = G_MAXINT16},                                 \
      {"output_width", ENS_ATTRIBUTE_INT, ENS_MEMBER (EnsRoiAlignParams, columns),             \
       .integer = 1,   .min = 1,          .max = G_MAXINT16},                                  \
      {"sampling_ratio", ENS_ATTRIBUTE_INT, ENS_MEMBER (EnsRoiAlignParams, samples), .min = 0, \
       .max = 1024},                                                                           \
  {                                                                                            \
    "spatial_scale", ENS_ATTRIBUTE_FLOAT, ENS_MEMBER (EnsRoiAlignParams, scale), .real = 1     \
  }

/* Whether map, regions and images are what the operator takes; the shape of its output. */
gboolean ens_roi_align_resolve (const EnsOperands *operands, EnsShape *output, GError **error);

/* flops () of the operator and its gradient. */
double ens_roi_align_flops (const EnsOperands *operands);

/* A sample lies between two elements along each axis; beyond the map there is none. */
typedef struct {
  gint64 index[2];
  double weight[2];
} EnsRoiAlignSample;

/* Those of an element of the output. */
typedef struct {
  /* Down and across, within the map; room for ENS_ROI_ALIGN_SAMPLES. */
  EnsRoiAlignSample *samples[2];
  gint64 n[2];
  gint64 n_all; /* also those beyond the map, which are 0 */
} EnsRoiAlignSamples;

/* pixel: of the output, region by region. */
void ens_roi_align_find (const EnsOperands *operands, gsize pixel, EnsRoiAlignSamples *samples);
