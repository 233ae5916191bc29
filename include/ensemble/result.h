/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gst-ensemble: the classification of one frame. */
#pragma once

#include <ensemble/rect.h>

G_BEGIN_DECLS

/* Structures of the results end in members that are kept for later versions, so that a program need
 * not be built again for these. Only the library makes such structures. */

#define ENS_RESULT_SCHEMA "gst-ensemble/result/1"

/* libgstensemble shows applications these functions of the engine and no others. */
#define ENS_RESULT_API __attribute__ ((visibility ("default")))

/**
 * EnsClassState:
 * @ENS_CLASS_NO_STATE: the result is of a picture by itself
 * @ENS_CLASS_UNKNOWN: not known: too few results yet, or none for too long
 * @ENS_CLASS_ABSENT: the class is not there
 * @ENS_CLASS_PRESENT: it is there
 *
 * What a stream's results together say of a class.
 *
 * Since: 0.3
 */
typedef enum {
  ENS_CLASS_NO_STATE,
  ENS_CLASS_UNKNOWN,
  ENS_CLASS_ABSENT,
  ENS_CLASS_PRESENT,
} EnsClassState;

/**
 * ens_class_state_get_name:
 * @state: a state
 *
 * Returns: (transfer none) (nullable): “unknown”, “absent” or “present”; %NULL: there is none
 *
 * Since: 0.3
 */
ENS_RESULT_API
const char *ens_class_state_get_name (EnsClassState state);

/**
 * EnsClassResult:
 * @name: belongs to the result
 * @p: P, the ensemble's probability: all networks and windows (region proposals) fused
 * @p1: P1, the retrained networks on the whole frame
 * @p2: P2, the original networks on the whole frame
 * @p3: P3, the maximum over the windows
 * @threshold: the class is present from this P on
 * @present: whether P reaches the threshold and the class is not withheld
 * @window: index of a window among the result's windows, -1 without windows: if the class is
 *   present the one that shows the object, near P3 in probability; otherwise the window of P3
 * @sub_image: index of the sub-image of P in the result's map, -1 if P is that of the whole frame
 * @similarity: of the frame to the class's training images, by the bundle's gate; NaN without a
 *   gate for the class, or if it is not a number
 * @range_low: the lowest similarity at which the class is reported; NaN without a gate for the
 * class
 * @range_high: the highest one
 * @withheld: P reaches the threshold, but the similarity is outside the range; see
 *   ens_class_result_get_reason()
 * @smoothed: of a stream's results the mean of P up to now, exponentially weighted in time, in
 * which withheld results count as 0. Since: 0.3
 * @state: what the stream's results together say; see @smoothed. Since: 0.3
 *
 * The probabilities of one class; P, P1, P2 and P3 as in the method. P1 and P2 are weighted
 * averages over the networks of a role, P3 is the maximum of such averages over the windows. The
 * bundle's fusion says what is averaged, probabilities or log odds, and how P follows; where
 * classes exclude each other, P sums to 1 at most. Where a bundle has no networks of a role, that
 * role's probabilities are 0.
 *
 * A large frame is divided into sub-images (tiles, M1.9). A class's P is the maximum of its map,
 * and its P1, P2, P3 and window are those of that sub-image. If the frame was also classified as a
 * whole (ENS_SUB_IMAGES_BOTH), all these are the whole frame's where its P is higher.
 *
 * A bundle's gate (M2) withholds classes from frames that resemble none of their training images:
 * P stays, but the class is not present. The similarity is that of the same sub-image as P, or of
 * its best window if that counted for P and is more similar.
 *
 * Since: 0.1
 */
typedef struct {
  const char *name;
  float p, p1, p2, p3;
  float threshold;
  gboolean present;
  gint window;
  gint sub_image;
  float similarity, range_low, range_high;
  gboolean withheld;
  float smoothed;
  EnsClassState state;
  /*< private >*/
  gpointer _reserved[1];
} EnsClassResult;

/**
 * ens_class_result_get_reason:
 * @class_result: the probabilities of a class
 *
 * Why the class is withheld, in one sentence for people.
 *
 * Returns: (transfer full) (nullable): the sentence; %NULL if the class is not withheld
 *
 * Since: 0.3
 */
ENS_RESULT_API
char *ens_class_result_get_reason (const EnsClassResult *class_result);

/**
 * EnsRegionOrigin:
 * @type: (nullable): what the region shows, as upstream calls it; %NULL if it has no name. Interned
 * @id: its identifier there, of a #GstVideoRegionOfInterestMeta or a #GstAnalyticsODMtd; -1 if it
 *   has none
 *
 * Which region of another element a window is.
 *
 * Since: 0.3
 */
typedef struct {
  const char *type;
  gint id;
  /*< private >*/
  gpointer _reserved[2];
} EnsRegionOrigin;

/**
 * EnsNetworkResult:
 * @name: belongs to the result
 * @probabilities: (array): one per class, on the whole frame; with a map, on each class's
 *   sub-image; NaN of a class that the network does not know
 *
 * The probabilities that one network gives.
 *
 * Since: 0.1
 */
typedef struct {
  const char *name;
  float *probabilities;
  /*< private >*/
  gpointer _reserved[4];
} EnsNetworkResult;

/**
 * EnsProbabilityMap:
 * @columns: number of columns
 * @rows: number of rows
 * @x: (array length=columns): left edges of the columns, ascending, normalised
 * @y: (array length=rows): upper edges of the rows, ascending, normalised
 * @width: of every sub-image, normalised
 * @height: of every sub-image, normalised
 * @probabilities: (array): P, rows × columns × classes
 *
 * Where in a large frame each class is: a heat map. The frame is divided into sub-images (tiles) of
 * one size, which overlap and cover all of it; each is classified as a frame of its own. Sub-images
 * are counted row by row.
 *
 * Since: 0.1
 */
typedef struct {
  guint columns, rows;
  float *x, *y;
  float width, height;
  float *probabilities;
  /*< private >*/
  gpointer _reserved[4];
} EnsProbabilityMap;

/**
 * ens_probability_map_get_size: (skip)
 * @map: a map
 *
 * Returns: the number of sub-images
 *
 * Since: 0.1
 */
static inline guint
ens_probability_map_get_size (const EnsProbabilityMap *map)
{
  return map->columns * map->rows;
}

/**
 * ens_probability_map_get_rect: (skip)
 * @map: a map
 * @sub_image: less than ens_probability_map_get_size()
 *
 * Returns: its rectangle in the frame
 *
 * Since: 0.1
 */
static inline EnsRect
ens_probability_map_get_rect (const EnsProbabilityMap *map, guint sub_image)
{
  EnsRect rect = {map->x[sub_image % map->columns], map->y[sub_image / map->columns], map->width,
                  map->height};

  return rect;
}

/**
 * EnsTimings:
 * @windows: selective search (region proposals)
 * @prepare: preprocessing: a style, conversion, resizing, normalisation
 * @networks: running networks and classifiers
 * @total: all of it
 * @cpu: processor time of all threads together; that of others, such as a GPU, is not in it. Since:
 *   0.3
 *
 * Nanoseconds that an analysis took.
 *
 * Since: 0.1
 */
typedef struct {
  gint64 windows, prepare, networks, total;
  gint64 cpu;
  /*< private >*/
  gint64 _reserved[3];
} EnsTimings;

/**
 * EnsCut:
 * @windows: how many windows fewer
 * @sub_images: how many sub-images fewer
 * @scales: how many scales fewer
 * @frames: how many due frames go by between two that are analysed
 *
 * What was left out of an analysis to keep within a budget of processor time or latency, of what
 * the bundle or the user asks for.
 *
 * Since: 0.3
 */
typedef struct {
  guint windows, sub_images, scales, frames;
  /*< private >*/
  gpointer _reserved[2];
} EnsCut;

/**
 * EnsEmbedding:
 * @network: name of the network; belongs to the result
 * @n_values: how many there are
 * @values: (array length=n_values): the network's features, not normalised
 *
 * What one network makes of the whole frame before its classifiers: its taps, averaged over
 * positions, one behind the other, and averaged over scales. Pictures that resemble each other have
 * similar ones, by their cosine.
 *
 * Since: 0.3
 */
typedef struct {
  const char *network;
  guint n_values;
  float *values;
  /*< private >*/
  gpointer _reserved[2];
} EnsEmbedding;

/**
 * EnsResult: (ref-func ens_result_ref) (unref-func ens_result_unref)
 * @pts: of the frame analysed, in nanoseconds; %G_MAXUINT64 if it has none
 * @source: (nullable): file or stream it came from; %NULL unless the program that ran the analysis
 *   has set it
 * @width: of the frame analysed
 * @height: of the frame analysed
 * @bundle: name of the ensemble
 * @version: of the ensemble
 * @n_classes: number of classes
 * @n_networks: number of networks
 * @n_windows: number of windows
 * @classes: (array length=n_classes): in the bundle's order
 * @networks: (array length=n_networks): in the bundle's order
 * @windows: (array length=n_windows): best first; with a map, by sub-image, the best of each first
 * @window_probabilities: (array): @n_windows × @n_classes
 * @map: (nullable): %NULL unless the frame was divided
 * @timings: what the analysis took
 * @style: (nullable): name of the style that the frame was adapted by; %NULL: none. Since: 0.3
 * @regions: (array length=n_windows) (nullable): of windows that are regions of other elements,
 *   which ones; %NULL if the windows were searched. Since: 0.3
 * @reused: how many sub-images (of a frame that was not divided, 1 at most) were still and have the
 *   probabilities of the frame before. Since: 0.3
 * @cut: (nullable): what was left out; %NULL if nothing was. Since: 0.3
 * @embedding: (nullable): of the network that was asked for; %NULL if none was. Since: 0.3
 *
 * The classification of one frame. Shared between threads once complete, and immutable from
 * then on.
 *
 * Languages that can't read arrays of structures have ens_result_get_class() and
 * ens_result_get_window(), and ens_result_to_json() for everything.
 *
 * Since: 0.1
 */
typedef struct {
  guint64 pts;
  char *source;
  guint width, height;
  char *bundle, *version;
  guint n_classes, n_networks, n_windows;
  EnsClassResult *classes;
  EnsNetworkResult *networks;
  EnsWindow *windows;
  float *window_probabilities;
  EnsProbabilityMap *map;
  EnsTimings timings;
  /*< private >*/
  char **class_names, **network_names;
  gatomicrefcount references;
  /*< public >*/
  char *style;
  EnsRegionOrigin *regions;
  guint reused;
  EnsCut *cut;
  EnsEmbedding *embedding;
  /*< private >*/
  gpointer _reserved[3];
} EnsResult;

/**
 * ens_result_new:
 * @class_names: (array length=n_classes): copied
 * @n_classes: number of classes
 * @network_names: (array length=n_networks): copied
 * @n_networks: number of networks
 * @n_windows: number of windows
 *
 * Makes room for everything but a map: zeros, for windows and sub-images of classes -1, and for
 * their similarities and ranges NaN.
 *
 * Returns: (transfer full): the result, to be filled in
 *
 * Since: 0.1
 */
ENS_RESULT_API
EnsResult *ens_result_new (const char *const *class_names, guint n_classes,
                           const char *const *network_names, guint n_networks, guint n_windows);

/**
 * ens_result_add_map:
 * @result: a result that has no map
 * @columns: number of columns
 * @rows: number of rows
 *
 * Makes room for a map: zeros.
 *
 * Since: 0.1
 */
ENS_RESULT_API
void ens_result_add_map (EnsResult *result, guint columns, guint rows);

/**
 * ens_result_add_cut:
 * @result: a result
 * @cut: what was left out of its analysis; copied, unless nothing was
 *
 * Since: 0.3
 */
ENS_RESULT_API
void ens_result_add_cut (EnsResult *result, const EnsCut *cut);

/**
 * ens_result_add_embedding:
 * @result: a result that has no embedding
 * @network: index of the network it is of
 * @n_values: how many values it has
 *
 * Makes room for an embedding: zeros.
 *
 * Since: 0.3
 */
ENS_RESULT_API
void ens_result_add_embedding (EnsResult *result, guint network, guint n_values);

/**
 * ens_result_get_class:
 * @result: a result
 * @i: less than the number of classes
 *
 * Returns: (transfer none): the probabilities of that class
 *
 * Since: 0.1
 */
ENS_RESULT_API
const EnsClassResult *ens_result_get_class (const EnsResult *result, guint i);

/**
 * ens_result_get_window:
 * @result: a result
 * @i: less than the number of windows
 *
 * In languages with garbage collection, keep the window for as long as its rectangle is used.
 *
 * Returns: (transfer none): that window
 *
 * Since: 0.1
 */
ENS_RESULT_API
const EnsWindow *ens_result_get_window (const EnsResult *result, guint i);

/**
 * ens_result_ref:
 * @result: a result
 *
 * Returns: (transfer full): another reference
 *
 * Since: 0.1
 */
ENS_RESULT_API
EnsResult *ens_result_ref (EnsResult *result);

/**
 * ens_result_unref:
 * @result: (transfer full): a result
 *
 * Drops a reference.
 *
 * Since: 0.1
 */
ENS_RESULT_API
void ens_result_unref (EnsResult *result);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (EnsResult, ens_result_unref)

/**
 * ens_result_top:
 * @result: a result
 * @top_k: how many classes; 0: all
 *
 * The result with its most probable classes alone, the most probable first. With @top_k 0, or no
 * more classes than that, the result itself, all classes in the bundle's order.
 *
 * Returns: (transfer full): that result
 *
 * Since: 0.1
 */
ENS_RESULT_API
EnsResult *ens_result_top (EnsResult *result, guint top_k);

/**
 * ens_result_to_json:
 * @result: a result
 * @top_k: how many classes at most; 0: all
 *
 * One line of JSON without a newline, "schema": %ENS_RESULT_SCHEMA, as result.schema.json describes
 * it. Classes are sorted by probability; networks' probabilities are theirs, in that order. Of the
 * windows those are listed that are a listed class's best, or all if they are regions of other
 * elements, and the class's "window" is a position in that list. "map" has the geometry and, per
 * listed class, a list of rows. What is unknown is left out: "pts", "source", without windows also
 * "p3", "window" and "windows", without a map also "map"; "sub_image" where P is that of the frame
 * as one; without a style "style"; without still sub-images "reused"; where nothing was left out
 * "cut"; unless it was asked for "embedding"; without a gate for the class "similarity", "range"
 * and "withheld", and "reason" unless it is withheld; of a picture by itself "smoothed" and
 * "state".
 *
 * Returns: (transfer full): the line
 *
 * Since: 0.1
 */
ENS_RESULT_API
char *ens_result_to_json (const EnsResult *result, guint top_k);

G_END_DECLS
