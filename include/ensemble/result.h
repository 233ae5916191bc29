/* gst-ensemble: what the ensemble found in one frame.
 *
 * P, P1, P2, P3 as in the method: P1 the retrained networks on the whole frame, P2 the original
 * networks on the whole frame, P3 the largest over the windows, P all of them fused. Where a bundle
 * has no networks of a role, that role's probabilities are 0.
 *
 * A large frame is judged by sub-images (M1.9). A class's P is the largest of its map, and its P1,
 * P2, P3 and window are those of the sub-image that has it. If the frame was judged as one as well
 * (ENS_SUB_IMAGES_BOTH), all these are the frame's where its P is larger. */
#pragma once

#include <ensemble/rect.h>

G_BEGIN_DECLS

#define ENS_RESULT_SCHEMA "gst-ensemble/result/1"

typedef struct {
  const char *name; /* belongs to the result */
  float p, p1, p2, p3;
  float threshold;
  gboolean present; /* p >= threshold */
  gint window;      /* the window of p3 in windows[], -1 without windows */
  gint sub_image;   /* the one of p in the map, -1 if p is that of the frame as one */
} EnsClassResult;

typedef struct {
  const char *name;
  float *probabilities; /* n_classes, on the whole frame; with a map, on each class's sub-image */
} EnsNetworkResult;

/* Where in a large frame each class is. The frame is divided into columns × rows sub-images of one
 * size, which overlap and cover all of it; each is judged as a frame of its own. Sub-images are
 * counted row by row. */
typedef struct {
  guint columns, rows;
  float *x, *y;         /* where columns and rows begin, ascending, normalised */
  float width, height;  /* of every sub-image, normalised */
  float *probabilities; /* P: rows × columns × n_classes */
} EnsProbabilityMap;

static inline guint
ens_probability_map_get_size (const EnsProbabilityMap *map)
{
  return map->columns * map->rows;
}

static inline EnsRect
ens_probability_map_get_rect (const EnsProbabilityMap *map, guint sub_image)
{
  return (EnsRect) {map->x[sub_image % map->columns], map->y[sub_image / map->columns], map->width,
                    map->height};
}

/* Nanoseconds. */
typedef struct {
  gint64 windows, prepare, networks, total;
} EnsTimings;

typedef struct {
  guint64 pts;  /* of the frame analysed; G_MAXUINT64 if it has none */
  char *source; /* file or stream it came from; NULL unless whoever ran the analysis has set it */
  guint width, height; /* of the frame analysed */
  char *bundle, *version;
  guint n_classes, n_networks, n_windows;
  EnsClassResult *classes;     /* in the bundle's order */
  EnsNetworkResult *networks;  /* in the bundle's order */
  EnsWindow *windows;          /* best first; with a map, by sub-image, the best of each first */
  float *window_probabilities; /* n_windows × n_classes */
  EnsProbabilityMap *map;      /* NULL unless the frame was divided */
  EnsTimings timings;
  /*< private >*/
  char **class_names, **network_names;
  gatomicrefcount references;
} EnsResult;

/* Room for everything but a map, zeroed, windows and sub-images -1. class_names: n_classes strings,
 * copied. (transfer full)
 */
EnsResult *ens_result_new (const char *const *class_names, guint n_classes,
                           const char *const *network_names, guint n_networks, guint n_windows);
/* Room for a map in a result that has none, zeroed. */
void ens_result_add_map (EnsResult *result, guint columns, guint rows);
/* Shared between threads once complete; immutable from then on. */
EnsResult *ens_result_ref (EnsResult *result);
void ens_result_unref (EnsResult *result);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (EnsResult, ens_result_unref)

/* The result with its top_k most probable classes alone, the most probable first. With top_k 0, or
 * no more classes than that, the result itself, all classes in the bundle's order. (transfer full)
 */
EnsResult *ens_result_top (EnsResult *result, guint top_k);

/* One line of JSON without a newline, "schema": ENS_RESULT_SCHEMA. Classes are sorted by
 * probability, at most top_k of them (0: all); networks' probabilities are theirs, in that order.
 * Of the windows those are listed that are a listed class's best, and the class's "window" is a
 * position in that list. "map" has the geometry and, per listed class, a list of rows. What is
 * unknown is left out: "pts", "source", without windows also "p3", "window" and "windows", without
 * a map also "sub_image" and "map". (transfer full) */
char *ens_result_to_json (const EnsResult *result, guint top_k);

G_END_DECLS
