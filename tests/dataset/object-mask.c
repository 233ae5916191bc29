/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Masks of objects, from polygons and from pictures of numbers. */
#include "dataset/object-mask.h"

#include "check-main.h"
#include "dataset/dataset.h"
#include "support/folder.h"
#include "vision/picture.h"

static const struct {
  const char *name;
  double points[10];
  guint n;
  guint n_cells;           /* of 256 */
  guint row, column;       /* one that the object is in … */
  guint no_row, no_column; /* … and one that it is not in */
} polygon_rows[] = {
    {"box", {10, 20, 42, 20, 42, 52, 10, 52}, 4, 256, 0, 0, 16, 16},
    {"left-half", {10, 20, 26, 20, 26, 52, 10, 52}, 4, 128, 15, 7, 0, 8},
    {"beyond", {0, 0, 100, 0, 100, 36, 0, 36}, 4, 128, 7, 15, 8, 0},
    {"triangle", {10, 20, 42.1, 20, 10, 52.1}, 3, 136, 0, 15, 15, 15},
    {"point", {20, 30}, 1, 0, 16, 16, 0, 0},
};

START_TEST (test_polygons)
{
  const double box[4] = {10, 20, 32, 32};
  EnsObjectMask mask = {{0}};

  ens_object_mask_add_polygon (&mask, polygon_rows[_i].points, polygon_rows[_i].n, box);
  ck_assert_uint_eq (ens_object_mask_count (&mask), polygon_rows[_i].n_cells);
  if (polygon_rows[_i].row < ENS_OBJECT_MASK_SIDE)
    ck_assert (ens_object_mask_has (&mask, polygon_rows[_i].row, polygon_rows[_i].column));
  if (polygon_rows[_i].no_row < ENS_OBJECT_MASK_SIDE)
    ck_assert (!ens_object_mask_has (&mask, polygon_rows[_i].no_row, polygon_rows[_i].no_column));
}
END_TEST

/* Polygons of one object add up. */
START_TEST (test_two_polygons)
{
  const double box[4] = {0, 0, 16, 16};
  EnsObjectMask mask = {{0}};

  ens_object_mask_add_polygon (&mask, (const double[]) {0, 0, 8, 0, 8, 8, 0, 8}, 4, box);
  ens_object_mask_add_polygon (&mask, (const double[]) {4, 0, 16, 0, 16, 8, 4, 8}, 4, box);
  ck_assert_uint_eq (ens_object_mask_count (&mask), 128);
}
END_TEST

/* -- pictures of numbers -- */

static const struct {
  const char *name;
  guint number;
  guint8 colour[3];
} colour_rows[] = {{"first", 1, {128, 0, 0}},
                   {"second", 2, {0, 128, 0}},
                   {"fourth", 4, {0, 0, 128}},
                   {"eighth", 8, {64, 0, 0}},
                   {"21st", 21, {128, 64, 128}}};

/* A picture of 32 × 32 in whose left half the object is; the rest is VOC's border. (transfer full)
 */
static EnsPicture *
draw_numbers (const guint8 colour[3])
{
  static const guint8 border[3] = {224, 224, 192};
  EnsPicture *picture = ens_picture_new (ENS_PIXELS_RGB, 32, 32);

  for (guint y = 0; y < 32; y++)
    for (guint x = 0; x < 32; x++)
      memcpy (ens_picture_get_pixels (picture, 0) + y * picture->frame.strides[0] + 3 * x,
              x < 16 ? colour : border, 3);
  return picture;
}

START_TEST (test_numbers)
{
  g_autoptr (EnsPicture) picture = draw_numbers (colour_rows[_i].colour);
  EnsObjectMask mask = {{0}}, other = {{0}};

  ens_object_mask_find (&mask, &picture->frame, colour_rows[_i].number, &ENS_RECT_WHOLE);
  ens_object_mask_find (&other, &picture->frame, colour_rows[_i].number + 1, &ENS_RECT_WHOLE);
  for (guint row = 0; row < ENS_OBJECT_MASK_SIDE; row++)
    ck_assert_uint_eq (mask.rows[row], 255);
  ck_assert_uint_eq (ens_object_mask_count (&other), 0);
}
END_TEST

/* -- data sets -- */

/* Reads pictures of numbers, of the first object. */
static gboolean
next (EnsFrameSource *source, EnsPicture **picture, GError **error)
{
  *picture = draw_numbers (colour_rows[0].colour);
  return TRUE;
}

static void
keep (EnsFrameSource *source)
{
}

static EnsFrameSource *
open_numbers (gpointer data, const char *path, GError **error)
{
  static EnsFrameSource source = {next, keep};

  if (!g_str_has_suffix (path, "SegmentationObject/2.png"))
    return &source;
  g_set_error (error, ENS_ERROR, ENS_ERROR_FORMAT, "%s: no picture", path);
  return NULL;
}

static void
on_note (const char *text, gpointer data)
{
  g_string_append (data, text);
}

static void
write_voc (const char *id, gboolean has_numbers)
{
  g_autofree char *annotation = g_strdup_printf ("Annotations/%s.xml", id);
  g_autofree char *picture = g_strdup_printf ("JPEGImages/%s.jpg", id);
  g_autofree char *numbers = g_strdup_printf ("SegmentationObject/%s.png", id);

  test_folder_write (annotation,
                     "<annotation><size><width>32</width><height>32</height></size>"
                     "<object><name>cat</name><bndbox><xmin>9</xmin><ymin>1</ymin><xmax>24</xmax>"
                     "<ymax>32</ymax></bndbox></object><object><name>dog</name><bndbox><xmin>1"
                     "</xmin><ymin>1</ymin><xmax>8</xmax><ymax>32</ymax></bndbox></object>"
                     "</annotation>");
  test_folder_write (picture, "");
  if (has_numbers)
    test_folder_write (numbers, "");
}

/* The first object is in the left half of its box; the second one has its place, but not its
 * number. */
START_TEST (test_voc)
{
  const EnsFrameOpener opener = {open_numbers, NULL};
  g_autoptr (GString) notes = g_string_new (NULL);
  const EnsMonitor monitor = {.note = on_note, .data = notes};
  g_autoptr (EnsDataset) dataset = NULL;
  guint n_cells[5] = {0};

  for (guint i = 1; i <= 4; i++)
    write_voc ((const char[]) {(char)('0' + i), '\0'}, i != 3);
  test_folder_write ("ImageSets/Main/train.txt", "1\n2\n3\n");
  test_folder_write ("ImageSets/Main/val.txt", "4\n");
  dataset = ens_dataset_load (test_folder, NULL, NULL);
  ck_assert (ens_dataset_read_masks (dataset, &opener, &monitor, NULL));
  for (guint s = 0; s <= ENS_SPLIT_VALIDATION; s++)
    for (guint i = 0; i < dataset->samples[s]->len; i++) {
      const EnsDatasetItem *item = dataset->samples[s]->pdata[i];
      const EnsDatasetBox *boxes = (const EnsDatasetBox *)(gpointer)item->boxes->data;

      n_cells[s * 3 + i] = ens_object_mask_count (&boxes[0].mask);
      ck_assert_uint_eq (ens_object_mask_count (&boxes[1].mask), 0);
    }
  ck_assert_uint_eq (n_cells[0], 128);
  ck_assert_uint_eq (n_cells[1], 0);
  ck_assert_uint_eq (n_cells[2], 0);
  ck_assert_uint_eq (n_cells[3], 128);
  ck_assert_contains (notes->str, "2 pictures say which pixels");
  ck_assert_contains (notes->str, "2.png: no picture");
}
END_TEST

START_TEST (test_coco)
{
  g_autoptr (EnsDataset) dataset = NULL;
  const EnsDatasetItem *item;

  test_folder_write ("images/a.jpg", "");
  test_folder_write ("images/b.jpg", "");
  test_folder_write (
      "annotations/all.json",
      "{\"images\": [{\"id\": 1, \"file_name\": \"a.jpg\", \"width\": 100, \"height\": 50}, "
      "{\"id\": 2, \"file_name\": \"b.jpg\", \"width\": 100, \"height\": 50}], "
      "\"categories\": [{\"id\": 1, \"name\": \"dog\"}], \"annotations\": ["
      "{\"image_id\": 1, \"category_id\": 1, \"bbox\": [10, 10, 32, 32], "
      "\"segmentation\": [[10, 10, 26, 10, 26, 42, 10, 42, 7]]}, "
      "{\"image_id\": 1, \"category_id\": 1, \"bbox\": [10, 10, 32, 32], "
      "\"segmentation\": {\"counts\": [1, 2], \"size\": [50, 100]}}]}");
  dataset = ens_dataset_load (test_folder, (const char *const[]) {"dog", NULL}, NULL);
  ck_assert_ptr_nonnull (dataset);
  for (guint s = 0; s < ENS_N_SPLITS; s++)
    for (guint i = 0; i < dataset->samples[s]->len; i++) {
      item = dataset->samples[s]->pdata[i];
      if (!g_str_has_suffix (item->path, "a.jpg"))
        continue;
      ck_assert_uint_eq (item->boxes->len, 2);
      ck_assert_uint_eq (
          ens_object_mask_count (&g_array_index (item->boxes, EnsDatasetBox, 0).mask), 128);
      ck_assert_uint_eq (
          ens_object_mask_count (&g_array_index (item->boxes, EnsDatasetBox, 1).mask), 0);
      return;
    }
  ck_abort_msg ("a.jpg is not there");
}
END_TEST

int
main (int argc, char *argv[])
{
  test_init (&argc, &argv);
  test_suite ("dataset/object-mask");
  test_fixture (test_folder_set_up, test_folder_tear_down);
  TEST_ADD_ROWS ("polygons", test_polygons, polygon_rows);
  test_add ("two-polygons", test_two_polygons);
  TEST_ADD_ROWS ("numbers", test_numbers, colour_rows);
  test_add ("voc", test_voc);
  test_add ("coco", test_coco);
  return test_run ();
}
