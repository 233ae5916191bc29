/* gst-ensemble: results on buffers.
 *
 * A result travels as a custom GstMeta without tags, which every element that copies metadata
 * carries on, and every transformation copies it: what was found in the frame that was analysed
 * stays true whatever becomes of the picture. Its rectangles belong to that frame; where objects
 * are on the buffer at hand, regions tell (gst/ensemble/regions.h). Its GstStructure is the
 * interface for languages without bindings, such as Python through plain introspection:
 *
 *     meta = buffer.get_custom_meta ("GstEnsembleMeta")
 *     meta.get_structure ().get_value ("probabilities").unpack ()     # {"cat": 0.93, "dog": 0.08}
 *
 *     schema           string           "gst-ensemble/result/1"
 *     bundle, version  string           which ensemble judged
 *     pts              guint64          of the frame analysed; may be GST_CLOCK_TIME_NONE
 *     age              guint64          nanoseconds of running time from that frame to this one, 0
 *                                       on the frame itself; GST_CLOCK_TIME_NONE if unknown
 *     width, height    guint            of the frame analysed
 *     probabilities    GVariant a{sd}   class and P
 *     classes          GVariant aa{sv}  name s; p, p1, p2, threshold d; present b; and of the best
 *                                       window, where there are windows: p3 d, rect (dddd),
 *                                       window i (its index in "windows"); with a map also
 *                                       sub_image i (row × columns + column)
 *     networks         GVariant a(sad)  name; probability per class, on the whole frame
 *     windows          GVariant aa{sv}  rect (dddd): x, y, width, height in [0, 1]; score d;
 *                                       probabilities ad
 *     map              GVariant a{sv}   of a frame that was divided into sub-images: columns,
 *                                       rows u; x, y ad, where these begin, and width, height d
 *                                       of each, in [0, 1]; probabilities a{sad}: class and P
 *                                       in every sub-image, row by row
 *     timings          GVariant a{sx}   windows, prepare, networks, total: nanoseconds
 *     result           EnsResult        the same for C, boxed
 *
 * Vectors of probabilities follow the order of "classes". GVariants and the result are shared, so
 * copying the metadata costs a dozen references however many classes and windows there are. */
#pragma once

#include <ensemble/result.h>
#include <gst/ensemble/ensemble-prelude.h>

G_BEGIN_DECLS

#define GST_ENSEMBLE_META_NAME "GstEnsembleMeta"

typedef struct {
  GstCustomMeta meta;
} GstEnsembleMeta;

/* EnsResult as a boxed type: g_boxed_copy () takes a reference, g_boxed_free () drops one. */
#define GST_TYPE_ENSEMBLE_RESULT (gst_ensemble_result_get_type ())
GST_ENSEMBLE_API
GType gst_ensemble_result_get_type (void);

/* Registers the metadata when called first. */
GST_ENSEMBLE_API
const GstMetaInfo *gst_ensemble_meta_get_info (void);

/* The structure described above, with age 0. It holds a reference on the result. (transfer full) */
GST_ENSEMBLE_API
GstStructure *gst_ensemble_structure_new (EnsResult *result);

/* Attaches a structure of gst_ensemble_structure_new (), made once and used for every frame that
 * the result rides on. The buffer must be writable; its memory need not. (transfer none) */
GST_ENSEMBLE_API
GstEnsembleMeta *gst_buffer_add_ensemble_structure (GstBuffer *buffer,
                                                    const GstStructure *structure,
                                                    GstClockTime age);
/* As above for a result that is attached once. (transfer none) */
GST_ENSEMBLE_API
GstEnsembleMeta *gst_buffer_add_ensemble_meta (GstBuffer *buffer, EnsResult *result,
                                               GstClockTime age);

/* The first ensemble's result on the buffer, or NULL. */
GST_ENSEMBLE_API
GstEnsembleMeta *gst_buffer_get_ensemble_meta (GstBuffer *buffer);
/* Several ensembles in a row leave one result each: the next one, or NULL after the last.
 * *state starts as NULL. */
GST_ENSEMBLE_API
GstEnsembleMeta *gst_buffer_iterate_ensemble_meta (GstBuffer *buffer, gpointer *state);

/* The fields, which the metadata owns. (transfer none) */
GST_ENSEMBLE_API
const GstStructure *gst_ensemble_meta_get_structure (GstEnsembleMeta *meta);
/* Everything there is, valid as long as the metadata is. (transfer none) */
GST_ENSEMBLE_API
EnsResult *gst_ensemble_meta_get_result (GstEnsembleMeta *meta);
GST_ENSEMBLE_API
GstClockTime gst_ensemble_meta_get_pts (GstEnsembleMeta *meta);
GST_ENSEMBLE_API
GstClockTime gst_ensemble_meta_get_age (GstEnsembleMeta *meta);

GST_ENSEMBLE_API
guint gst_ensemble_meta_get_n_classes (GstEnsembleMeta *meta);
/* class_index < gst_ensemble_meta_get_n_classes (). (transfer none) */
GST_ENSEMBLE_API
const char *gst_ensemble_meta_get_class_name (GstEnsembleMeta *meta, guint class_index);
/* FALSE if the ensemble does not know the class, or if top-k left it out. present may be NULL. */
GST_ENSEMBLE_API
gboolean gst_ensemble_meta_get_probability (GstEnsembleMeta *meta, const char *class_name,
                                            float *probability, gboolean *present);

/* One line of JSON, the classes sorted by probability. (transfer full) */
GST_ENSEMBLE_API
char *gst_ensemble_meta_to_json (GstEnsembleMeta *meta);

G_END_DECLS
