/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ensemble/frame-windows.h"

#include "check-main.h"

#define MOST 5

typedef struct {
  const char *name;
  guint n;
  struct {
    EnsRect rect;
    float probability;
  } windows[MOST];
  guint expected;
} Row;

#define AROUND(d)                \
  {                              \
    0.2F + (d), 0.2F, 0.3F, 0.3F \
  } /* an object's place */

static const Row rows[] = {
    {"one", 1, {{AROUND (0), 0}}, 0},
    {"highest-of-two-apart", 2, {{{0, 0, 0.2F, 0.2F}, 0.6F}, {{0.5F, 0.5F, 0.2F, 0.2F}, 0.7F}}, 1},
    {"first-of-equal", 2, {{{0, 0, 0.2F, 0.2F}, 0.5F}, {{0.5F, 0.5F, 0.2F, 0.2F}, 0.5F}}, 0},
    /* Three that agree, in their middle; a whole frame for its context, and a part of the object.
     */
    {"agreed-on",
     5,
     {{{0, 0, 1, 1}, 0.9F},
      {AROUND (-0.05F), 0.85F},
      {AROUND (0), 0.85F},
      {AROUND (0.05F), 0.85F},
      {{0.25F, 0.25F, 0.1F, 0.1F}, 0.9F}},
     2},
    {"whole-frame-alone", 2, {{{0, 0, 1, 1}, 0.9F}, {AROUND (0), 0.1F}}, 0},
    {"whole-frame-and-object", 2, {{{0, 0, 1, 1}, 0.9F}, {{0, 0, 0.8F, 0.8F}, 0.85F}}, 1},
    /* Agreed on, but not likely. */
    {"unlikely",
     4,
     {{AROUND (-0.05F), 0.1F},
      {AROUND (0), 0.1F},
      {AROUND (0.05F), 0.1F},
      {{0.7F, 0.7F, 0.2F, 0.2F}, 0.9F}},
     3},
};

/* Probabilities of other classes stand between. */
START_TEST (test_find_object)
{
  const Row *row = &rows[_i];
  EnsWindow windows[MOST] = {{{0}}};
  float probabilities[MOST * 2];

  for (guint w = 0; w < row->n; w++) {
    windows[w].rect = row->windows[w].rect;
    probabilities[2 * w] = row->windows[w].probability;
    probabilities[2 * w + 1] = 1 - row->windows[w].probability;
  }
  ck_assert_uint_eq (ens_windows_find_object (windows, row->n, &ENS_RECT_WHOLE, probabilities, 2),
                     row->expected);
}
END_TEST

int
main (int argc, char **argv)
{
  test_init (&argc, &argv);
  test_suite ("ensemble/frame-windows");
  TEST_ADD_ROWS ("find-object", test_find_object, rows);
  return test_run ();
}
