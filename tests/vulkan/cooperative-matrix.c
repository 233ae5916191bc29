/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* By what matrices are multiplied: what a device has, and what is wished for. */
#include "vulkan/physical.h"

#include "check-main.h"

typedef struct {
  const char *name;
  gboolean fragment, groups, by_subgroup; /* what the device has */
  gboolean lacks_float16;
  EnsMatrixMode wish, expected;
} Row;

#define NONE ENS_MATRIX_MODE_NONE
#define SUBGROUP ENS_MATRIX_MODE_SUBGROUP
#define WORKGROUP ENS_MATRIX_MODE_WORKGROUP
#define BEST ENS_MATRIX_MODE_BEST

static const Row rows[] = {
    {"nothing", .wish = BEST, .expected = NONE},
    {"nothing-but-wished", .wish = WORKGROUP, .expected = NONE},
    {"subgroup", .fragment = TRUE, .wish = BEST, .expected = SUBGROUP},
    {"subgroup-unwished", .fragment = TRUE, .wish = NONE, .expected = NONE},
    {"next-less", .fragment = TRUE, .wish = WORKGROUP, .expected = SUBGROUP},
    {"workgroup-unasked", .fragment = TRUE, .groups = TRUE, .wish = BEST, .expected = SUBGROUP},
    {"workgroup", .fragment = TRUE, .groups = TRUE, .wish = WORKGROUP, .expected = WORKGROUP},
    {"workgroup-of-one-subgroup", TRUE, TRUE, TRUE, .wish = WORKGROUP, .expected = WORKGROUP},
    {"subgroup-though-workgroup", TRUE, TRUE, .wish = SUBGROUP, .expected = SUBGROUP},
    {"no-float16", TRUE, TRUE, .lacks_float16 = TRUE, .wish = WORKGROUP, .expected = NONE},
};

START_TEST (check_row)
{
  const Row *row = &rows[_i];
  EnsVulkanPhysical physical = {
      .memory_model = TRUE,
      .traits = {.float16 = !row->lacks_float16,
                 .matrices = {.n_groups = row->groups, .by_subgroup = row->by_subgroup}}};

  if (row->fragment)
    physical.traits.matrices.fragment = (EnsMatrixShape) {16, 16, 16};
  ens_vulkan_matrices_choose (&physical, row->wish);
  ck_assert_int_eq (physical.traits.matrices.use, row->expected);
}
END_TEST

int
main (int argc, char **argv)
{
  test_init (&argc, &argv);
  test_suite ("vulkan/matrices");
  TEST_ADD_ROWS (NULL, check_row, rows);
  return test_run ();
}
