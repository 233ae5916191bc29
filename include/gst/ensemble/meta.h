/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gst-ensemble: results on buffers. */
#pragma once

#include <ensemble/result.h>
#include <gst/ensemble/ensemble-prelude.h>

G_BEGIN_DECLS

#define GST_ENSEMBLE_META_NAME "GstEnsembleMeta"

/**
 * GstEnsembleMeta:
 * @meta: the custom metadata that it is
 *
 * A result on a buffer.
 *
 * It is a custom #GstMeta without tags: every element that copies metadata copies it, and so does
 * every transformation, because a result stays true of the frame that was analysed. Its rectangles
 * are in that frame's coordinates. Regions (gst_buffer_add_ensemble_regions()) are in those of the
 * buffer.
 *
 * Its #GstStructure is the interface for languages without this library, such as Python through
 * plain introspection:
 *
 * ```python
 * meta = buffer.get_custom_meta("GstEnsembleMeta")
 * if meta:  # the first frames of a live source carry no result yet
 *     meta.get_structure().get_value("probabilities").unpack()  # {"cat": 0.93, "dog": 0.08}
 * ```
 *
 * - schema, string: "gst-ensemble/result/1"
 * - bundle, version, strings: which ensemble classified the frame
 * - style, string: which style the frame was adapted by; only if one was
 * - reused, guint: how many sub-images were still and have the probabilities of the frame before;
 *   only if some have
 * - pts, guint64: of the frame analysed; may be GST_CLOCK_TIME_NONE
 * - age, guint64: nanoseconds of running time from that frame to this one, 0 on the frame itself;
 *   GST_CLOCK_TIME_NONE if unknown
 * - width, height, guint: of the frame analysed
 * - probabilities, GVariant a{sd}: class and P
 * - classes, GVariant aa{sv}: name s; p, p1, p2, threshold d; present b; and of the best window,
 *   where there are windows: p3 d, rect (dddd), window i (its index in "windows"); with a map also
 *   sub_image i (row × columns + column), unless P is that of the frame as one; with a gate for the
 *   class similarity d, range (dd), withheld b, and if it is withheld reason s; in streams smoothed
 *   d and state s, “unknown”, “absent” or “present”: what this and earlier results together say
 * - networks, GVariant a(sad): name; probability per class, on the whole frame or on the class's
 *   sub-image
 * - windows, GVariant aa{sv}: rect (dddd): x, y, width, height in [0, 1]; score d; probabilities
 *   ad; of regions of other elements, as far as these have them, type s and id i
 * - map, GVariant a{sv}, of a frame that was divided into sub-images: columns, rows u; x, y ad,
 * where these begin, and width, height d of each, in [0, 1]; probabilities a{sad}: class and P in
 * every sub-image, row by row
 * - embedding, GVariant (sad): name of a network and its features of the whole frame; only if they
 *   were asked for
 * - regions, objects, GVariant ai: ids of the #GstVideoRegionOfInterestMeta and, with GStreamer
 *   1.24, of the #GstAnalyticsODMtd that were attached to the buffer with this result
 * - cut, GVariant a{su}: windows, sub_images, scales, frames that were left out to keep within a
 *   budget of processor time or latency; only if any were
 * - timings, GVariant a{sx}: windows, prepare, networks, total, cpu: nanoseconds
 * - result, EnsResult: the same for C, boxed
 *
 * Vectors of probabilities follow the order of "classes". GVariants and the result are shared, so
 * copying the metadata costs a dozen references however many classes and windows there are.
 *
 * Since: 0.1
 */
typedef struct {
  GstCustomMeta meta;
} GstEnsembleMeta;

/* Boxed types. g_boxed_copy () of a result takes a reference. */
#define GST_TYPE_ENSEMBLE_RESULT (gst_ensemble_result_get_type ())
GST_ENSEMBLE_API
GType gst_ensemble_result_get_type (void);
#define GST_TYPE_ENSEMBLE_CLASS_RESULT (gst_ensemble_class_result_get_type ())
GST_ENSEMBLE_API
GType gst_ensemble_class_result_get_type (void);
#define GST_TYPE_ENSEMBLE_WINDOW (gst_ensemble_window_get_type ())
GST_ENSEMBLE_API
GType gst_ensemble_window_get_type (void);

/**
 * gst_ensemble_meta_get_info: (skip)
 *
 * Registers the metadata when called first.
 *
 * Returns: (transfer none): what GStreamer knows of it
 *
 * Since: 0.1
 */
GST_ENSEMBLE_API
const GstMetaInfo *gst_ensemble_meta_get_info (void);

/**
 * gst_ensemble_structure_new:
 * @result: what was found
 *
 * Makes the structure that #GstEnsembleMeta describes, with age 0. It holds a reference on the
 * result.
 *
 * Returns: (transfer full): the structure
 *
 * Since: 0.1
 */
GST_ENSEMBLE_API
GstStructure *gst_ensemble_structure_new (EnsResult *result);

/**
 * gst_buffer_add_ensemble_structure:
 * @buffer: a buffer that is writable; its memory need not be
 * @structure: from gst_ensemble_structure_new()
 * @age: nanoseconds of running time since the frame that was analysed
 *
 * Attaches a structure that was made once and is used for every frame that carries the result.
 *
 * Returns: (transfer none): the metadata
 *
 * Since: 0.1
 */
GST_ENSEMBLE_API
GstEnsembleMeta *gst_buffer_add_ensemble_structure (GstBuffer *buffer,
                                                    const GstStructure *structure,
                                                    GstClockTime age);

/**
 * gst_buffer_add_ensemble_meta:
 * @buffer: a buffer that is writable; its memory need not be
 * @result: what was found
 * @age: nanoseconds of running time since the frame that was analysed
 *
 * Attaches a result that is attached once.
 *
 * Returns: (transfer none): the metadata
 *
 * Since: 0.1
 */
GST_ENSEMBLE_API
GstEnsembleMeta *gst_buffer_add_ensemble_meta (GstBuffer *buffer, EnsResult *result,
                                               GstClockTime age);

/**
 * gst_buffer_get_ensemble_meta:
 * @buffer: a buffer
 *
 * Returns: (transfer none) (nullable): the first ensemble's result on the buffer
 *
 * Since: 0.1
 */
GST_ENSEMBLE_API
GstEnsembleMeta *gst_buffer_get_ensemble_meta (GstBuffer *buffer);

/**
 * gst_buffer_iterate_ensemble_meta:
 * @buffer: a buffer
 * @state: (inout) (transfer none) (nullable): the position of the search; %NULL at the beginning
 *
 * Several ensembles in a pipeline attach one result each, in their order.
 *
 * Returns: (transfer none) (nullable): the next one, or %NULL after the last
 *
 * Since: 0.1
 */
GST_ENSEMBLE_API
GstEnsembleMeta *gst_buffer_iterate_ensemble_meta (GstBuffer *buffer, gpointer *state);

/**
 * gst_ensemble_meta_get_structure:
 * @meta: a result on a buffer
 *
 * Returns: (transfer none): its fields, which the metadata owns
 *
 * Since: 0.1
 */
GST_ENSEMBLE_API
const GstStructure *gst_ensemble_meta_get_structure (GstEnsembleMeta *meta);

/**
 * gst_ensemble_meta_get_result:
 * @meta: a result on a buffer
 *
 * Returns: (transfer none) (nullable): everything there is. It lives as long as the metadata does,
 *   or as a reference that ens_result_ref() takes
 *
 * Since: 0.1
 */
GST_ENSEMBLE_API
EnsResult *gst_ensemble_meta_get_result (GstEnsembleMeta *meta);

/**
 * gst_ensemble_meta_get_pts:
 * @meta: a result on a buffer
 *
 * Returns: the time stamp of the frame that was analysed, or %GST_CLOCK_TIME_NONE
 *
 * Since: 0.1
 */
GST_ENSEMBLE_API
GstClockTime gst_ensemble_meta_get_pts (GstEnsembleMeta *meta);

/**
 * gst_ensemble_meta_get_age:
 * @meta: a result on a buffer
 *
 * Returns: nanoseconds of running time from the frame that was analysed to this one, or
 *   %GST_CLOCK_TIME_NONE
 *
 * Since: 0.1
 */
GST_ENSEMBLE_API
GstClockTime gst_ensemble_meta_get_age (GstEnsembleMeta *meta);

/**
 * gst_ensemble_meta_get_n_classes:
 * @meta: a result on a buffer
 *
 * Returns: how many classes the result has
 *
 * Since: 0.1
 */
GST_ENSEMBLE_API
guint gst_ensemble_meta_get_n_classes (GstEnsembleMeta *meta);

/**
 * gst_ensemble_meta_get_class_name:
 * @meta: a result on a buffer
 * @class_index: less than gst_ensemble_meta_get_n_classes()
 *
 * Returns: (transfer none): the name of that class
 *
 * Since: 0.1
 */
GST_ENSEMBLE_API
const char *gst_ensemble_meta_get_class_name (GstEnsembleMeta *meta, guint class_index);

/**
 * gst_ensemble_meta_get_probability:
 * @meta: a result on a buffer
 * @class_name: which class
 * @probability: (out): its P
 * @present: (out) (optional): whether P reaches the class's threshold and the class is not withheld
 *
 * Returns: %FALSE if the ensemble does not know the class, or if top-k left it out
 *
 * Since: 0.1
 */
GST_ENSEMBLE_API
gboolean gst_ensemble_meta_get_probability (GstEnsembleMeta *meta, const char *class_name,
                                            float *probability, gboolean *present);

/**
 * gst_ensemble_meta_to_json:
 * @meta: a result on a buffer
 *
 * Returns: (transfer full) (nullable): the result as ens_result_to_json() writes it, all classes
 *
 * Since: 0.1
 */
GST_ENSEMBLE_API
char *gst_ensemble_meta_to_json (GstEnsembleMeta *meta);

G_END_DECLS
