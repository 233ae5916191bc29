/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gst-ensemble: random changes of training pictures (data augmentation).
 *
 *     EnsAugmentOptions options = ENS_AUGMENT_DEFAULTS;
 *     EnsAugmentation augmentation;
 *
 *     ens_augment_draw (&options, &item, &augmentation);
 *     ens_augment_frame (&augmentation, frame, width, height, &normalise, out);
 *     ens_augment_rect (&augmentation, &box, &moved, &share);
 *
 * Drawing decides what happens to a picture; applying it is exact, for pixels, boxes and maps
 * alike. The order is: geometry and resizing in one step, noise, sharpening, colours, normalising.
 * All draws come from (seed, epoch, item): the number of threads, the order of pictures and a
 * resumed training change nothing. Whether an operation is on does not change what others draw.
 *
 * Every function works on one picture in the calling thread and touches nothing else, so callers
 * may augment the pictures of a batch in parallel.
 *
 * Sources: Wu, Chen et al., "Tencent ML-Images", IEEE Access 2019 (region, flip, rotation and
 * colours, their probabilities and ranges); Neural network training method and device for
 * extracting multi-level image contour information, CN113298092B (the other operations, bounds). */
#pragma once

#include "base/random.h"
#include "vision/frame.h"

G_BEGIN_DECLS

typedef enum {
  ENS_AUGMENT_FLIP,     /* horizontally */
  ENS_AUGMENT_ROTATION, /* about the centre of what is seen */
  ENS_AUGMENT_CROP,     /* by area and aspect ratio */
  ENS_AUGMENT_SCALE,    /* about the crop's centre */
  ENS_AUGMENT_SHIFT,    /* along both axes */
  ENS_AUGMENT_SHEAR,    /* along both axes */
  ENS_AUGMENT_NOISE,    /* normal, each channel of each pixel by itself */
  ENS_AUGMENT_SHARPEN,  /* x + a (x - blur x) */
  ENS_AUGMENT_COLOUR,   /* brightness, contrast, saturation and hue, in one of two orders */
  ENS_AUGMENT_CHANNEL,  /* one channel's values: gain and offset */
  ENS_AUGMENT_EXCHANGE, /* of channels; not by probability but by share of an epoch's pictures */
  ENS_N_AUGMENT_OPERATIONS,
} EnsAugmentOperation;

/* Such as "rotation". */
const char *ens_augment_operation_name (EnsAugmentOperation operation);

typedef struct {
  double low, high;
} EnsAugmentRange;

/* Pixel values are 0 … 255. A range counts only if its operation can happen. */
typedef struct {
  /* Per picture; the last one is a share. */
  double probability[ENS_N_AUGMENT_OPERATIONS];
  EnsAugmentRange rotation;   /* degrees clockwise */
  EnsAugmentRange area;       /* of the crop, as a share of the region's */
  EnsAugmentRange ratio;      /* of the crop's width and height in pixels; log-uniform */
  EnsAugmentRange scale;      /* of what is seen: 2 shows it twice as large */
  EnsAugmentRange shift;      /* of what is seen, as a share of the sides */
  EnsAugmentRange shear;      /* degrees */
  EnsAugmentRange noise;      /* standard deviation */
  EnsAugmentRange sharpen;    /* the factor a */
  EnsAugmentRange brightness; /* added */
  EnsAugmentRange contrast;   /* factor of the distance from the picture's mean luma */
  EnsAugmentRange saturation; /* factor of the distance from a pixel's luma */
  EnsAugmentRange hue;        /* turns of the chroma */
  EnsAugmentRange gain;       /* of one channel */
  EnsAugmentRange offset;     /* of one channel */
} EnsAugmentOptions;

/* A classifier can't rest on colour alone, but colours must stay true most of the time: fewer than
 * this share of an epoch's pictures get their channels exchanged. */
#define ENS_AUGMENT_EXCHANGE_BOUND 0.2
/* Orders of three channels that are not the usual one. */
#define ENS_N_EXCHANGES 5
/* The mean of |change| over one channel's values stays below this in every picture. */
#define ENS_AUGMENT_CHANNEL_BOUND 24.0

/* Data sets of fewer pictures are to take ENS_AUGMENT_SMALL_SET_AREA as area.low. */
#define ENS_AUGMENT_SMALL_SET 10000
#define ENS_AUGMENT_SMALL_SET_AREA 0.35

/* clang-format off */
#define ENS_AUGMENT_DEFAULTS             \
  ((EnsAugmentOptions) {                 \
      .probability = {                   \
          [ENS_AUGMENT_FLIP] = 0.5,      \
          [ENS_AUGMENT_ROTATION] = 0.25, \
          [ENS_AUGMENT_CROP] = 1,        \
          [ENS_AUGMENT_SCALE] = 0.25,    \
          [ENS_AUGMENT_SHIFT] = 0.25,    \
          [ENS_AUGMENT_SHEAR] = 0.25,    \
          [ENS_AUGMENT_NOISE] = 0.1,     \
          [ENS_AUGMENT_SHARPEN] = 0.1,   \
          [ENS_AUGMENT_COLOUR] = 0.5,    \
          [ENS_AUGMENT_CHANNEL] = 0.1,   \
          [ENS_AUGMENT_EXCHANGE] = 0.1,  \
      },                                 \
      .rotation = {-45, 45},             \
      .area = {0.05, 1},                 \
      .ratio = {3 / 4.0, 4 / 3.0},       \
      .scale = {0.8, 1.25},              \
      .shift = {-0.1, 0.1},              \
      .shear = {-10, 10},                \
      .noise = {0, 8},                   \
      .sharpen = {0, 1},                 \
      .brightness = {-32, 32},           \
      .contrast = {0.5, 1.5},            \
      .saturation = {0.5, 1.5},          \
      .hue = {-0.2, 0.2},                \
      .gain = {0.9, 1.1},                \
      .offset = {-24, 24},               \
  })
/* Pictures are cut out and resized, nothing else happens to them. */
#define ENS_AUGMENT_NONE ((EnsAugmentOptions) {0})
/* clang-format on */

/* FALSE and ENS_ERROR_DATA if a probability or a range can't be, with the value and what is
 * accepted. The other functions take options that would pass. */
gboolean ens_augment_options_validate (const EnsAugmentOptions *options, GError **error);

/* Whether the channels of this one of an epoch's n pictures are exchanged: those of exactly ⌊ρ·n⌋
 * are, ρ the options' share. */
gboolean ens_augment_is_exchanged (const EnsAugmentOptions *options, guint64 seed, guint32 epoch,
                                   guint32 n, guint32 item);

/* One picture in one epoch. */
typedef struct {
  guint64 seed;
  guint32 epoch;
  guint32 item;        /* index of the picture, or of its sub-image, in the data set */
  gboolean exchanged;  /* as ens_augment_is_exchanged () says */
  guint width, height; /* of the picture in pixels */
  /* What is seen if nothing is cropped, and what crops are taken from; ENS_RECT_WHOLE or a part.
   * Where it reaches beyond the picture there are bars, as of a letterbox. */
  EnsRect region;
} EnsAugmentItem;

/* What happens to one picture. */
typedef struct {
  guint operations; /* bits 1 << EnsAugmentOperation */
  /* The part of the picture that is seen, before it is turned and sheared about its centre, and
   * flipped. May reach beyond the picture. */
  EnsRect view;
  double aspect; /* the picture's width / height */
  double scale, shift[2];
  double rotation, shear[2]; /* degrees */
  double noise, sharpen;
  gboolean colours_first; /* saturation and hue before brightness and contrast */
  double brightness, contrast, saturation, hue;
  guint channel; /* 0 … 2 */
  double gain, offset;
  guint exchange; /* which one, below ENS_N_EXCHANGES */
  EnsRandomStream noise_stream;
} EnsAugmentation;

static inline gboolean
ens_augmentation_has (const EnsAugmentation *augmentation, EnsAugmentOperation operation)
{
  return (augmentation->operations & 1u << operation) != 0;
}

/* Draws what happens to a picture. A crop is drawn up to 100 times until it fits the region; then
 * it is the largest of a legal ratio in the region's middle. */
void ens_augment_draw (const EnsAugmentOptions *options, const EnsAugmentItem *item,
                       EnsAugmentation *augmentation);

/* Writes the picture, height × width × channels floats as ens_frame_resize () does for one
 * rectangle: upright pictures by that very function, turned and sheared ones by the same filter
 * followed by bilinear interpolation, together about as sharp. What lies beyond the picture is the
 * mean before colours are changed, so 0 if they are not. Pixels of the frame are cut out as
 * if nothing lay around the view, except that turned views show what the picture has there.
 * Without operations the bits are ens_frame_resize ()'s for the region, if it lies in the picture.
 * The frame has the item's size. Frames and networks of one channel: changes of hue, saturation,
 * and single channels, and exchanges, leave gray values as they are. */
void ens_augment_frame (const EnsAugmentation *augmentation, const EnsFrame *frame, guint width,
                        guint height, const EnsNormalise *normalise, float *out);

/* Moves a box of the picture. *moved: the hull of what is left of it, in coordinates of the output;
 * *share: how much of the box's area in the picture is left, in (0, 1]. FALSE if nothing is: both
 * are then 0. */
gboolean ens_augment_rect (const EnsAugmentation *augmentation, const EnsRect *rect, EnsRect *moved,
                           float *share);

/* Resamples a map of the picture as its pixels; the map is a GRAY8 frame of the picture's aspect
 * ratio, of any size. Geometry alone acts on it.
 *
 * Intensities, such as those of contours: height × width floats, 0 … 1 for bytes 0 … 255 whatever
 * the frame's range, 0 beyond the picture. Thin lines become fainter as they are scaled down. */
void ens_augment_intensities (const EnsAugmentation *augmentation, const EnsFrame *map, guint width,
                              guint height, float *out);
/* Labels, which can't be blended: the nearest one, height × width bytes, `beyond` outside. */
void ens_augment_labels (const EnsAugmentation *augmentation, const EnsFrame *map, guint width,
                         guint height, guint8 beyond, guint8 *out);

G_END_DECLS
