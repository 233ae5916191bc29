/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which sizes networks take, as trying tells. */
#include <string.h>

#include "build.h"
#include "check-main.h"
#include "ensemble/member-geometry.h"

#define CHANNELS 3

/* What follows the input, to (batch, features). */
typedef EnsValue *(*Body) (Builder *b, EnsValue *x);

static EnsValue *
pool (Builder *b, EnsValue *x)
{
  return build (b, "Flatten", &(EnsAxisParams) {.axis = 1},
                build (b, "GlobalAveragePool", NULL, x, NULL), NULL);
}

/* Any size from its kernel's on. */
static EnsValue *
convolve (Builder *b, EnsValue *x)
{
  return pool (b, build_conv (b, x, (ConvRow) {.filters = 4, .kernel = 5}));
}

/* Tokens of 8 × 8 pixels, each with a position of its own. */
static EnsValue *
embed (Builder *b, EnsValue *x)
{
  EnsValue *tokens = build_conv (b, x, (ConvRow) {.filters = 4, .kernel = 8, .stride = 8});
  EnsShape shape = tokens->shape;

  shape.dims[0] = 1;
  return pool (b, build (b, "Add", NULL, tokens, build_constant (b, &shape), NULL));
}

/* Halved and enlarged again, beside what it was. */
static EnsValue *
halve (Builder *b, EnsValue *x)
{
  const EnsBlockParams block = {.block_size = 4};
  EnsValue *y = build (b, "SpaceToDepth", &block, x, NULL);

  return pool (b, build (b, "DepthToSpace", &block, y, NULL));
}

/* As many features as it has columns. */
static EnsValue *
keep_columns (Builder *b, EnsValue *x)
{
  return pool (b, build_transpose (b, x, (const gint64[]) {0, 1, 3, 2}));
}

static const struct {
  const char *name;
  Body body;
  guint height, width; /* nominal */
  const char *text;
} rows[] = {
    {"any", convolve, 32, 32, "takes images from 5 pixels a side on"},
    {"any-wide", convolve, 20, 32, "takes images from 5 pixels a side on"},
    {"one", embed, 32, 32, "takes images of 32x32 pixels alone"},
    {"one-wide", embed, 16, 32, "takes images of 32x16 pixels alone"},
    {"steps", halve, 32, 32, "takes images from 4 pixels a side on, in steps of 4"},
    {"features", keep_columns, 32, 32, "takes images of 32x32 pixels alone"},
};

static EnsMemberGeometry
find (guint row)
{
  const EnsShape nominal = ENS_SHAPE (1, rows[row].height, rows[row].width, CHANNELS);
  g_auto (Builder) b;
  EnsValue *output;

  builder_init (&b, 2);
  output = rows[row].body (&b, build_input (&b, &nominal));
  ens_graph_add_output (b.graph, output);
  return ens_member_find_geometry (b.graph, &nominal, (guint)output->shape.dims[1]);
}

START_TEST (test_find)
{
  const EnsMemberGeometry geometry = find ((guint)_i);
  g_autofree char *text = ens_member_geometry_describe (&geometry);

  ck_assert_str_eq (text, rows[_i].text);
}
END_TEST

static const struct {
  EnsMemberGeometry geometry;
  guint side, fitted_height, fitted_width;
  gboolean taken;
} fit_rows[] = {
    {{.min_side = 5, .step = 1}, 300, 300, 300, TRUE},
    {{.min_side = 5, .step = 1}, 4, 5, 5, FALSE},
    {{.min_side = 32, .step = 32}, 100, 96, 96, FALSE},
    {{.min_side = 32, .step = 32}, 128, 128, 128, TRUE},
    {{.min_side = 32, .step = 32}, 1, 32, 32, FALSE},
    {{.height = 16, .width = 32}, 16, 16, 32, TRUE},
    {{.height = 16, .width = 32}, 64, 16, 32, FALSE},
};

START_TEST (test_fit)
{
  EnsShape shape = ENS_SHAPE (1, fit_rows[_i].side, fit_rows[_i].side, CHANNELS);
  g_autofree char *reason = NULL;

  ens_member_geometry_fit (&fit_rows[_i].geometry, &shape);
  ck_assert_int_eq (shape.dims[1], fit_rows[_i].fitted_height);
  ck_assert_int_eq (shape.dims[2], fit_rows[_i].fitted_width);
  ck_assert_int_eq (ens_member_geometry_takes (&fit_rows[_i].geometry, fit_rows[_i].side, &reason),
                    fit_rows[_i].taken);
  ck_assert_int_eq (reason == NULL, fit_rows[_i].taken);
}
END_TEST

int
main (int argc, char **argv)
{
  test_init (&argc, &argv);
  test_suite ("geometry");
  TEST_ADD_ROWS ("find", test_find, rows);
  TEST_ADD_LOOP ("fit", test_fit, fit_rows);
  return test_run ();
}
