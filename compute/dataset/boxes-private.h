/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What readers of boxes share. */
#pragma once

#include "dataset/boxes.h"
#include "dataset/picture-index.h"

/* A set while it is read. */
typedef struct {
  char *folder;           /* of the set; a reader of one file puts its pictures' there */
  gboolean whole;         /* all of the folder belongs to the set, not what one file names alone */
  GPtrArray *notes;       /* char * */
  GHashTable *used;       /* canonical paths of files that were read, and of pictures */
  GHashTable *declared;   /* classes that files name, whether or not a picture shows them */
  EnsPictureIndex *index; /* NULL until somebody asks */
} EnsBoxesReading;

/* The pictures below the set's folder, which are listed when they are asked for first. */
const EnsPictureIndex *ens_boxes_reading_index (EnsBoxesReading *reading);
/* The picture that a file in the folder `inside`, below the set's own, calls by this name: it is
 * looked for there, in the set's folder, in their folders images, and anywhere if there is one
 * such. NULL: there is none. (transfer none) */
const char *ens_boxes_find_picture (EnsBoxesReading *reading, const char *inside, const char *name);
/* The picture of an annotation that is a file of its own, such as NAME.xml: it is called NAME, too,
 * or else `name`, which may be NULL, and lies beside it, in a folder JPEGImages or images beside
 * the folder of annotations, or anywhere if there is one such. NULL: there is none.
 * (transfer none) */
const char *ens_boxes_find_annotated (EnsBoxesReading *reading, const char *annotation,
                                      const char *name);
/* A folder below the set's own with its last part that is called annotations, or the like,
 * exchanged for another one; NULL if there is none. (transfer full) */
char *ens_boxes_exchange_folder (const char *inside, const char *other);
void ens_boxes_reading_note (EnsBoxesReading *reading, const char *format, ...)
    G_GNUC_PRINTF (2, 3);
/* Notes a class that the set's files name; "" is none. Those that no picture shows are told. */
void ens_boxes_reading_declare (EnsBoxesReading *reading, const char *class);
/* Notes that a file of the set has been read. */
void ens_boxes_reading_use (EnsBoxesReading *reading, const char *path);
/* A file's text, which then counts as read; the error names it. As ens_file_map_text ().
 * (transfer full) */
GBytes *ens_boxes_reading_text (EnsBoxesReading *reading, const char *path, GError **error);
/* Whether an XML file's first element is called so. */
gboolean ens_boxes_has_root (const char *path, const char *element);

/* Whether a file is one of those that a reader reads. */
typedef gboolean (*EnsBoxesFits) (EnsBoxesReading *reading, const char *path);
/* The files that fit, of the set's folder and of the folders in it. (transfer full, char *) */
GPtrArray *ens_boxes_list_files (EnsBoxesReading *reading, EnsBoxesFits fits);

/* The same of all folders below it. (transfer full, char *) */
GPtrArray *ens_boxes_list_below (EnsBoxesReading *reading, EnsBoxesFits fits);
/* The first of those of a folder that is no set yet; NULL if there is none. (transfer full) */
char *ens_boxes_find_below (const char *folder, EnsBoxesFits fits);
/* The one file that was given; its folder is the set's from now on. (transfer full, char *) */
GPtrArray *ens_boxes_take_file (EnsBoxesReading *reading, const char *evidence);
/* The files of a set: those below its folder, or the one that was given. (transfer full, char *) */
GPtrArray *ens_boxes_choose_files (EnsBoxesReading *reading, const char *evidence,
                                   EnsBoxesFits fits);

/* Reads a file, and adds its pictures. by_path: picture → EnsBoxedImage, those of `images`. */
typedef gboolean (*EnsBoxesRead) (EnsBoxesReading *reading, const char *path, GHashTable *by_path,
                                  GPtrArray *images, GError **error);
/* All pictures of the files that are chosen so. (transfer full, EnsBoxedImage) */
GPtrArray *ens_boxes_load_files (EnsBoxesReading *reading, const char *evidence, EnsBoxesFits fits,
                                 EnsBoxesRead read, GError **error);

/* A folder's files that could be annotations, but are none that a reader reads, and why; "" if
 * there are none. (transfer full) */
char *ens_boxes_describe_unfit (const char *folder);

/* A layout of files: one reader for each. */
struct _EnsBoxesLayout {
  const char *name; /* such as “COCO” */
  /* What of the folder shows that it has the layout, such as “annotations/instances.json”; NULL: it
   * has not. (transfer full) */
  char *(*find) (const char *folder);
  /* Of the folder, whose evidence that is, or of one file, which then is the evidence itself.
   * (transfer full, EnsBoxedImage) */
  GPtrArray *(*load) (EnsBoxesReading *reading, const char *evidence, GError **error);
};

extern const EnsBoxesLayout ens_boxes_coco, ens_boxes_csv, ens_boxes_cub, ens_boxes_cvat,
    ens_boxes_json_lines, ens_boxes_json_list, ens_boxes_labelme, ens_boxes_list,
    ens_boxes_open_images, ens_boxes_via, ens_boxes_voc, ens_boxes_yolo;

/* Whether a single file has one of the layouts whose files are called alike. */
gboolean ens_boxes_is_json_list (const char *path);
gboolean ens_boxes_is_labelme (const char *path);
gboolean ens_boxes_is_via (const char *path);

/* The split that folders of a path below the set's own are called after; ENS_SPLIT_UNSAID: none. */
gint ens_boxes_find_split (const char *folder, const char *path);

/* The split that a file of annotations is called after, or else its folders. */
gint ens_boxes_find_file_split (const EnsBoxesReading *reading, const char *path);

/* The folder of a file, below the set's own; "" if it does not lie there. (transfer full) */
char *ens_boxes_inside (const char *folder, const char *path);

/* path: (transfer full) */
EnsBoxedImage *ens_boxed_image_new (char *path);
void ens_boxed_image_free (EnsBoxedImage *image);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (EnsBoxedImage, ens_boxed_image_free)

/* The image of a picture among those that have been read; if it is not there yet, it is added.
 * by_path: picture → EnsBoxedImage, those of `images`. */
EnsBoxedImage *ens_boxes_take_image (GHashTable *by_path, GPtrArray *images, const char *path);

/* Nothing is set where these are no sizes. */
void ens_boxed_image_set_size (EnsBoxedImage *image, double width, double height);

/* Whether a picture's name stays inside the folder that it is looked for in. */
gboolean ens_boxes_name_is_inside (const char *name);

/* NaN for what is no number. */
double ens_boxes_number (const char *text);

/* Edges in pixels of an image of this size, from 0, the right and lower ones excluded. NaN stands
 * for a number that was missing. */
typedef struct {
  double left, top, right, bottom;
  double width, height;
} EnsBoxEdges;

/* Adds a box; one that stands out of the image by rounding is cut, and of one in an image of
 * unknown size, which is NaN or 0, the place is not known. FALSE, with a message for `where`, if
 * there is no such box; its label is then one of the image's doubts. (transfer none; of `box`
 * everything but the rectangle counts) */
gboolean ens_boxed_image_add (EnsBoxedImage *image, const EnsBox *box, const EnsBoxEdges *edges,
                              const char *where, GError **error);

/* The bounds of `n` points x, y in an image of this size. */
EnsBoxEdges ens_box_bounds (const double *points, guint n, double width, double height);

/* Fills a box's mask by a polygon of `n` points x, y, in the unit of its edges. */
void ens_box_fill (EnsBox *box, const EnsBoxEdges *edges, const double *points, guint n);

/* Adds an object whose place is not known. */
void ens_boxed_image_add_somewhere (EnsBoxedImage *image, const EnsBox *box);

/* Adds that an image shows a class, once however often it is said. */
void ens_boxed_image_add_class (EnsBoxedImage *image, const char *label);

/* Notes that an image is said not to show a class. */
void ens_boxed_image_deny (EnsBoxedImage *image, const char *label);

/* Notes that an annotation was left out; label: its class, NULL if that is not known. */
void ens_boxed_image_doubt (EnsBoxedImage *image, const char *label);

/* Sorts EnsBoxedImage by path, in byte order. */
void ens_boxes_sort (GPtrArray *images);

/* Counts entries, and those that are left out because something is wrong with them. */
typedef struct {
  GPtrArray *notes; /* char * */
  guint n, n_broken;
  char *first; /* what was wrong first */
} EnsBoxesTally;

void ens_boxes_tally_clear (EnsBoxesTally *tally);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (EnsBoxesTally, ens_boxes_tally_clear)

/* Leaves out an entry and notes the reason, which it frees. */
void ens_boxes_tally_skip (EnsBoxesTally *tally, GError *reason);
/* Whether more than can be left out of n entries have been: no others need be looked at. */
gboolean ens_boxes_tally_exceeds (const EnsBoxesTally *tally, guint n);
/* FALSE if too many of the entries, which are called `what`, were left out. Of many that were, all
 * but the first are counted in one note. */
gboolean ens_boxes_tally_check (const EnsBoxesTally *tally, const char *path, const char *what,
                                GError **error);
