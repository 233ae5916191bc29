/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "train/coverage.h"

#include "check-main.h"

/* -- one object and one region -- */

/* The first three are those of the method's figure 6: wholly inside, outside, half inside. */
static const struct {
  const char *name;
  EnsRect object, region;
  double expected;
} covers[] = {
    {"inside", {0.3F, 0.3F, 0.2F, 0.4F}, {0.25F, 0.25F, 0.5F, 0.5F}, 1},
    {"outside", {0.8F, 0.3F, 0.2F, 0.4F}, {0.25F, 0.25F, 0.5F, 0.5F}, 0},
    {"half", {0.15F, 0.3F, 0.2F, 0.4F}, {0.25F, 0.25F, 0.5F, 0.5F}, 0.5},
    {"corner", {0, 0, 0.5F, 0.5F}, {0.25F, 0.25F, 0.5F, 0.5F}, 0.25},
    {"larger", {0, 0, 1, 1}, {0.25F, 0.25F, 0.5F, 0.5F}, 0.25},
    {"touching", {0, 0, 0.25F, 0.25F}, {0.25F, 0.25F, 0.5F, 0.5F}, 0},
    {"empty", {0.5F, 0.5F, 0, 0}, {0.25F, 0.25F, 0.5F, 0.5F}, 0},
};

START_TEST (test_cover)
{
  ck_assert_double_eq_tol (ens_cover (&covers[_i].object, &covers[_i].region), covers[_i].expected,
                           1e-6);
}
END_TEST

/* -- targets -- */

#define UNKNOWN ENS_LABEL_UNKNOWN

/* A network of 64 pixels whose map has 3 × 3 positions, 32 pixels apart, on an input of 128. The
 * picture is 256 × 128; its left half is seen. Two classes. */
static const EnsDenseMap map = {
    .size = 64, .input = 128, .rows = 3, .columns = 3, .spacing = 32, .is_linear = TRUE};

enum { N_CLASSES = 2, N_POSITIONS = 9 };

#define LEFT                                                                         \
  {                                                                                  \
    {                                                                                \
      255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255 \
    }                                                                                \
  }

static const struct {
  const char *name;
  guint n_boxes;
  EnsDatasetBox boxes[2];
  guint8 labels[N_CLASSES];
  EnsCoverage coverage;
  double positive_weight;
  gboolean flip;
  guint position, class;
  double target, weight;
} rows[] = {
    /* The object is 64 × 64 at (0, 0), (32, 32) … of the input. */
    {"whole", 1, {{0, {0, 0, 0.25F, 0.5F}}}, {1, 0}, 0, 1, FALSE, 0, 0, 1, 1},
    {"half", 1, {{0, {0, 0, 0.25F, 0.5F}}}, {1, 0}, 0, 1, FALSE, 1, 0, 0.5, 1},
    {"none", 1, {{0, {0, 0, 0.25F, 0.5F}}}, {1, 0}, 0, 1, FALSE, 8, 0, 0, 1},
    {"other-class", 1, {{0, {0, 0, 0.25F, 0.5F}}}, {1, 0}, 0, 1, FALSE, 0, 1, 0, 1},
    {"flipped", 1, {{0, {0, 0, 0.25F, 0.5F}}}, {1, 0}, 0, 1, TRUE, 2, 0, 1, 1},
    {"flipped-away", 1, {{0, {0, 0, 0.25F, 0.5F}}}, {1, 0}, 0, 1, TRUE, 0, 0, 0, 1},
    /* Half of the object is beyond what is seen. */
    {"cut", 1, {{0, {0.375F, 0, 0.25F, 0.5F}}}, {1, 0}, 0, 1, FALSE, 2, 0, 0.5, 1},
    {"unseen", 1, {{0, {0.6F, 0, 0.25F, 0.5F}}}, {1, 0}, 0, 1, FALSE, 2, 0, 0, 1},
    /* Two people far apart. */
    {"max",
     2,
     {{0, {0, 0, 0.25F, 0.5F}}, {0, {0.25F, 0.5F, 0.25F, 0.5F}}},
     {1, 0},
     ENS_COVERAGE_MAX,
     1,
     FALSE,
     0,
     0,
     1,
     1},
    {"union",
     2,
     {{0, {0, 0, 0.25F, 0.5F}}, {0, {0.25F, 0.5F, 0.25F, 0.5F}}},
     {1, 0},
     ENS_COVERAGE_UNION,
     1,
     FALSE,
     0,
     0,
     0.5,
     1},
    {"image", 1, {{0, {0, 0, 0.25F, 0.5F}}}, {1, 0}, ENS_COVERAGE_IMAGE, 1, FALSE, 8, 0, 0.25, 1},
    /* A mask of the box's left half. */
    {"mask-whole", 1, {{0, {0, 0, 0.25F, 0.5F}, .mask = LEFT}}, {1, 0}, 0, 1, FALSE, 0, 0, 1, 1},
    {"mask-none", 1, {{0, {0, 0, 0.25F, 0.5F}, .mask = LEFT}}, {1, 0}, 0, 1, FALSE, 1, 0, 0, 1},
    {"mask-half", 1, {{0, {0, 0, 0.25F, 0.5F}, .mask = LEFT}}, {1, 0}, 0, 1, FALSE, 3, 0, 0.5, 1},
    {"mask-flipped", 1, {{0, {0, 0, 0.25F, 0.5F}, .mask = LEFT}}, {1, 0}, 0, 1, TRUE, 2, 0, 1, 1},
    {"mask-away", 1, {{0, {0, 0, 0.25F, 0.5F}, .mask = LEFT}}, {1, 0}, 0, 1, TRUE, 1, 0, 0, 1},
    /* The box's right half, which the object is not in, is beyond what is seen. */
    {"mask-cut", 1, {{0, {0.375F, 0, 0.25F, 0.5F}, .mask = LEFT}}, {1, 0}, 0, 1, FALSE, 2, 0, 1, 1},
    {"mask-image",
     1,
     {{0, {0, 0, 0.25F, 0.5F}, .mask = LEFT}},
     {1, 0},
     ENS_COVERAGE_IMAGE,
     1,
     FALSE,
     8,
     0,
     0.125,
     1},
    {"mask-image-cut",
     1,
     {{0, {0.375F, 0, 0.25F, 0.5F}, .mask = LEFT}},
     {1, 0},
     ENS_COVERAGE_IMAGE,
     1,
     FALSE,
     8,
     0,
     0.125,
     1},
    {"difficult",
     1,
     {{0, {0, 0, 0.25F, 0.5F}, .difficult = TRUE}},
     {1, 0},
     0,
     1,
     FALSE,
     0,
     0,
     0,
     0},
    {"difficult-elsewhere",
     1,
     {{0, {0, 0, 0.25F, 0.5F}, .difficult = TRUE}},
     {1, 0},
     0,
     1,
     FALSE,
     8,
     0,
     0,
     1},
    {"crowd", 1, {{0, {0, 0, 0.25F, 0.5F}, .crowd = TRUE}}, {1, 0}, 0, 1, FALSE, 1, 0, 0, 0},
    {"tiny", 1, {{0, {0.1F, 0.1F, 0.005F, 0.01F}}}, {1, 0}, 0, 1, FALSE, 0, 0, 0, 0},
    {"anywhere", 1, {{0, {0, 0, 0, 0}, .difficult = TRUE}}, {1, 0}, 0, 1, FALSE, 8, 0, 0, 0},
    {"unknown", 1, {{1, {0, 0, 0.25F, 0.5F}}}, {UNKNOWN, 1}, 0, 1, FALSE, 0, 0, 0, 0},
    {"weighted", 1, {{0, {0, 0, 0.25F, 0.5F}}}, {1, 0}, 0, 5, FALSE, 1, 0, 0.5, 3},
    /* Without boxes. */
    {"label", 0, {{0}}, {1, 0}, 0, 1, FALSE, 8, 0, 1, 1},
    {"label-absent", 0, {{0}}, {1, 0}, 0, 1, FALSE, 8, 1, 0, 1},
    {"label-unknown", 0, {{0}}, {1, UNKNOWN}, 0, 1, FALSE, 8, 1, 0, 0},
};

START_TEST (test_targets)
{
  guint8 labels[N_CLASSES] = {rows[_i].labels[0], rows[_i].labels[1]};
  g_autoptr (GArray) boxes = g_array_new (FALSE, FALSE, sizeof (EnsDatasetBox));
  const EnsDatasetItem item = {.labels = labels, .boxes = rows[_i].n_boxes > 0 ? boxes : NULL};
  const EnsTargetParams params = {&map, N_CLASSES, rows[_i].coverage, rows[_i].positive_weight};
  EnsAugmentation augmentation;
  float targets[N_POSITIONS * N_CLASSES], weights[N_POSITIONS * N_CLASSES];
  guint at = rows[_i].position * N_CLASSES + rows[_i].class;

  g_array_append_vals (boxes, rows[_i].boxes, rows[_i].n_boxes);
  ens_augment_draw (&ENS_AUGMENT_NONE,
                    &(EnsAugmentItem) {.width = 256, .height = 128, .region = {0, 0, 0.5F, 1}},
                    &augmentation);
  if (rows[_i].flip)
    augmentation.operations |= 1u << ENS_AUGMENT_FLIP;
  ens_targets_fill (&params, &item, &augmentation, targets, weights);
  if (weights[at] > 0)
    ck_assert_double_eq_tol (targets[at], rows[_i].target, 1e-5);
  ck_assert_double_eq_tol (weights[at], rows[_i].weight, 1e-5);
}
END_TEST

int
main (int argc, char *argv[])
{
  test_init (&argc, &argv);
  test_suite ("train/coverage");
  TEST_ADD_ROWS ("cover", test_cover, covers);
  TEST_ADD_ROWS ("targets", test_targets, rows);
  return test_run ();
}
