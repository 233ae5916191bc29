/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is drawn: how often, in which ranges, from what alone. */
#include "vision/augment.h"

#include "base/error.h"
#include "check-main.h"

enum { N = 10000 };

static EnsAugmentation
draw (const EnsAugmentOptions *options, guint32 epoch, guint32 index)
{
  const EnsAugmentItem item = {5, epoch, index, FALSE, 640, 480, ENS_RECT_WHOLE};
  EnsAugmentation augmentation;

  ens_augment_draw (options, &item, &augmentation);
  return augmentation;
}

/* Four standard deviations of a binomial distribution; none for 0 and 1. */
static void
assert_count (guint count, double probability)
{
  ck_assert_double_le (fabs (count - N * probability),
                       4 * sqrt (N * probability * (1 - probability)));
}

/* -- how often -- */

START_TEST (test_counts)
{
  const EnsAugmentOptions options = ENS_AUGMENT_DEFAULTS;
  guint counts[ENS_N_AUGMENT_OPERATIONS] = {0}, n_colours_first = 0;

  for (guint i = 0; i < N; i++) {
    EnsAugmentation augmentation = draw (&options, 0, i);

    for (guint o = 0; o < ENS_N_AUGMENT_OPERATIONS; o++)
      counts[o] += ens_augmentation_has (&augmentation, o);
    n_colours_first += augmentation.colours_first;
  }
  for (guint o = 0; o < ENS_N_AUGMENT_OPERATIONS; o++)
    assert_count (counts[o], o == ENS_AUGMENT_EXCHANGE ? 0 : options.probability[o]);
  assert_count (n_colours_first, 0.5);
}
END_TEST

/* Two operations meet as often as independent ones do, in one picture and from epoch to epoch. */
START_TEST (test_pairs)
{
  const EnsAugmentOptions options = ENS_AUGMENT_DEFAULTS;
  const double *p = options.probability;
  guint meet[ENS_N_AUGMENT_OPERATIONS][ENS_N_AUGMENT_OPERATIONS] = {0};
  guint again[ENS_N_AUGMENT_OPERATIONS] = {0};

  for (guint i = 0; i < N; i++) {
    EnsAugmentation augmentation = draw (&options, 0, i), next = draw (&options, 1, i);

    for (guint a = 0; a < ENS_AUGMENT_EXCHANGE; a++) {
      again[a] += ens_augmentation_has (&augmentation, a) && ens_augmentation_has (&next, a);
      for (guint b = 0; b < a; b++)
        meet[a][b] +=
            ens_augmentation_has (&augmentation, a) && ens_augmentation_has (&augmentation, b);
    }
  }
  for (guint a = 0; a < ENS_AUGMENT_EXCHANGE; a++) {
    assert_count (again[a], p[a] * p[a]);
    for (guint b = 0; b < a; b++)
      assert_count (meet[a][b], p[a] * p[b]);
  }
}
END_TEST

static const struct {
  const char *name;
  double share;
  guint n, expected;
} exchanges[] = {
    {"tenth", 0.1, 1000, 100},
    {"rounded-down", 0.1, 1009, 100},
    {"exact-decimal", 0.145, 200, 29},
    {"fewer-than-one", 0.1, 9, 0},
    {"none", 0, 1000, 0},
    {"empty", 0.1, 0, 0},
};

START_TEST (test_exchanged)
{
  EnsAugmentOptions options = ENS_AUGMENT_DEFAULTS;
  const guint n = exchanges[_i].n;

  options.probability[ENS_AUGMENT_EXCHANGE] = exchanges[_i].share;
  for (guint epoch = 0; epoch < 50; epoch++) {
    guint count = 0;

    for (guint i = 0; i < n; i++)
      count += (guint)ens_augment_is_exchanged (&options, 3, epoch, n, i);
    ck_assert_uint_eq (count, exchanges[_i].expected);
  }
}
END_TEST

/* Every picture has its turn, as often as any other. */
START_TEST (test_exchanged_evenly)
{
  enum { N_PICTURES = 20 };
  const EnsAugmentOptions options = ENS_AUGMENT_DEFAULTS;
  guint counts[N_PICTURES] = {0};

  for (guint epoch = 0; epoch < N; epoch++)
    for (guint i = 0; i < N_PICTURES; i++)
      counts[i] += (guint)ens_augment_is_exchanged (&options, 3, epoch, N_PICTURES, i);
  for (guint i = 0; i < N_PICTURES; i++)
    assert_count (counts[i], 0.1);
}
END_TEST

/* Each of the five permutations and three channels. */
START_TEST (test_choices)
{
  const EnsAugmentOptions options = ENS_AUGMENT_DEFAULTS;
  guint exchanges_counts[5] = {0}, channels[3] = {0};

  for (guint i = 0; i < N; i++) {
    EnsAugmentation augmentation = draw (&options, 0, i);

    exchanges_counts[augmentation.exchange]++;
    channels[augmentation.channel]++;
  }
  for (guint i = 0; i < 5; i++)
    assert_count (exchanges_counts[i], 0.2);
  for (guint i = 0; i < 3; i++)
    assert_count (channels[i], 1 / 3.0);
}
END_TEST

/* -- values -- */

#define DRAWN(member) G_STRUCT_OFFSET (EnsAugmentation, member)
#define RANGE(member) G_STRUCT_OFFSET (EnsAugmentOptions, member)

static const struct {
  const char *name;
  EnsAugmentOperation operation;
  gsize drawn, range;
  double otherwise;
} values[] = {
    {"rotation", ENS_AUGMENT_ROTATION, DRAWN (rotation), RANGE (rotation), 0},
    {"scale", ENS_AUGMENT_SCALE, DRAWN (scale), RANGE (scale), 1},
    {"shift-x", ENS_AUGMENT_SHIFT, DRAWN (shift[0]), RANGE (shift), 0},
    {"shift-y", ENS_AUGMENT_SHIFT, DRAWN (shift[1]), RANGE (shift), 0},
    {"shear-x", ENS_AUGMENT_SHEAR, DRAWN (shear[0]), RANGE (shear), 0},
    {"shear-y", ENS_AUGMENT_SHEAR, DRAWN (shear[1]), RANGE (shear), 0},
    {"noise", ENS_AUGMENT_NOISE, DRAWN (noise), RANGE (noise), 0},
    {"sharpen", ENS_AUGMENT_SHARPEN, DRAWN (sharpen), RANGE (sharpen), 0},
    {"brightness", ENS_AUGMENT_COLOUR, DRAWN (brightness), RANGE (brightness), 0},
    {"contrast", ENS_AUGMENT_COLOUR, DRAWN (contrast), RANGE (contrast), 1},
    {"saturation", ENS_AUGMENT_COLOUR, DRAWN (saturation), RANGE (saturation), 1},
    {"hue", ENS_AUGMENT_COLOUR, DRAWN (hue), RANGE (hue), 0},
    {"gain", ENS_AUGMENT_CHANNEL, DRAWN (gain), RANGE (gain), 1},
    {"offset", ENS_AUGMENT_CHANNEL, DRAWN (offset), RANGE (offset), 0},
};

/* Uniform in the range, by the mean and the ends; without effect where the operation is off. */
START_TEST (test_value)
{
  const EnsAugmentOptions options = ENS_AUGMENT_DEFAULTS;
  const EnsAugmentRange range = G_STRUCT_MEMBER (EnsAugmentRange, &options, values[_i].range);
  const double width = range.high - range.low;
  double sum = 0, lowest = INFINITY, highest = -INFINITY;
  guint n = 0, n_wrong = 0;

  for (guint i = 0; i < N; i++) {
    EnsAugmentation augmentation = draw (&options, 0, i);
    double value = G_STRUCT_MEMBER (double, &augmentation, values[_i].drawn);

    if (!ens_augmentation_has (&augmentation, values[_i].operation)) {
      n_wrong += value != values[_i].otherwise;
      continue;
    }
    n++;
    sum += value;
    lowest = fmin (lowest, value);
    highest = fmax (highest, value);
  }
  ck_assert_uint_eq (n_wrong, 0);
  ck_assert (lowest >= range.low && highest <= range.high);
  ck_assert_double_lt (lowest, range.low + 0.02 * width);
  ck_assert_double_gt (highest, range.high - 0.02 * width);
  ck_assert_double_eq_tol (sum / n, (range.low + range.high) / 2, 4 * width / sqrt (12.0 * n));
}
END_TEST

/* Of values, those of one operation left out. */
static guint
count_differences (const EnsAugmentation *a, const EnsAugmentation *b, guint left_out)
{
  guint n = 0;

  for (guint v = 0; v < G_N_ELEMENTS (values); v++)
    if (values[v].operation != left_out)
      n += G_STRUCT_MEMBER (double, a, values[v].drawn)
           != G_STRUCT_MEMBER (double, b, values[v].drawn);
  return n;
}

/* Off or on, an operation changes no other's draws, the crop's neither. */
START_TEST (test_others_stay)
{
  guint n_differ = 0;

  for (guint i = 0; i < 200; i++) {
    EnsAugmentOptions options = ENS_AUGMENT_DEFAULTS;
    EnsAugmentation before, after;

    options.probability[ENS_AUGMENT_SCALE] = options.probability[ENS_AUGMENT_SHIFT] = 0;
    before = draw (&options, 0, i);
    options.probability[_i] = 0;
    after = draw (&options, 0, i);
    before.operations &= ~(1u << _i);
    n_differ += before.operations != after.operations;
    n_differ += count_differences (&before, &after, _i);
    if (_i != ENS_AUGMENT_CROP)
      n_differ += memcmp (&before.view, &after.view, sizeof before.view) != 0;
  }
  ck_assert_uint_eq (n_differ, 0);
}
END_TEST

/* Seed, epoch and item decide, each of them. */
START_TEST (test_repeatable)
{
  const EnsAugmentOptions options = ENS_AUGMENT_DEFAULTS;
  const EnsAugmentItem item = {1, 2, 3, FALSE, 640, 480, ENS_RECT_WHOLE};
  EnsAugmentItem others[] = {item, item, item};
  EnsAugmentation first, again;

  ens_augment_draw (&options, &item, &first);
  ens_augment_draw (&options, &item, &again);
  ck_assert_uint_eq (first.operations, again.operations);
  ck_assert_uint_eq (count_differences (&first, &again, ENS_N_AUGMENT_OPERATIONS), 0);
  ck_assert_bytes_eq (&first.view, sizeof first.view, &again.view, sizeof again.view);
  others[0].seed = others[1].epoch = others[2].item = 7;
  for (guint i = 0; i < G_N_ELEMENTS (others); i++) {
    ens_augment_draw (&options, &others[i], &again);
    ck_assert_double_ne (first.view.x, again.view.x);
  }
}
END_TEST

/* -- crops -- */

static const struct {
  const char *name;
  guint width, height;
  EnsRect region;
} crops[] = {
    {"landscape", 640, 480, {0, 0, 1, 1}},
    {"portrait", 120, 400, {0, 0, 1, 1}},
    {"tiny", 3, 2, {0, 0, 1, 1}},
    {"region", 640, 480, {0.25F, 0.5F, 0.5F, 0.25F}},
    {"beyond", 640, 480, {-0.25F, 0, 1.5F, 1}},
};

/* Inside the region, of legal ratio and area, at any place. */
START_TEST (test_crop)
{
  EnsAugmentOptions options = ENS_AUGMENT_NONE;
  const EnsAugmentRange area = {0.05, 1}, ratio = {0.75, 4 / 3.0};
  const EnsRect region = crops[_i].region;
  const double width = crops[_i].width, height = crops[_i].height, slack = 1e-5;
  double places[2] = {0};
  guint n_wrong = 0;

  options.probability[ENS_AUGMENT_CROP] = 1;
  options.area = area;
  options.ratio = ratio;
  for (guint i = 0; i < 1000; i++) {
    const EnsAugmentItem item = {1, 0, i, FALSE, crops[_i].width, crops[_i].height, region};
    EnsAugmentation drawn;
    double found_area, found_ratio;

    ens_augment_draw (&options, &item, &drawn);
    found_ratio = drawn.view.width * width / (drawn.view.height * height);
    found_area = drawn.view.width * drawn.view.height / region.width / region.height;
    n_wrong += found_ratio < ratio.low - slack || found_ratio > ratio.high + slack;
    n_wrong += found_area < area.low - slack || found_area > area.high + slack;
    n_wrong += drawn.view.x < region.x - slack || drawn.view.y < region.y - slack;
    n_wrong += drawn.view.x + drawn.view.width > region.x + region.width + slack;
    n_wrong += drawn.view.y + drawn.view.height > region.y + region.height + slack;
    places[0] += (drawn.view.x - region.x) / (region.width - drawn.view.width);
    places[1] += (drawn.view.y - region.y) / (region.height - drawn.view.height);
  }
  ck_assert_uint_eq (n_wrong, 0);
  for (guint axis = 0; axis < 2; axis++)
    ck_assert_double_eq_tol (places[axis] / 1000, 0.5, 4 * sqrt (1 / 12000.0));
}
END_TEST

/* Nine tenths of a long picture can't have a legal ratio. */
START_TEST (test_no_crop_fits)
{
  EnsAugmentOptions options = ENS_AUGMENT_DEFAULTS;
  const EnsAugmentItem items[] = {{1, 0, 0, FALSE, 1000, 100, ENS_RECT_WHOLE},
                                  {1, 0, 0, FALSE, 100, 1000, ENS_RECT_WHOLE}};
  EnsAugmentation wide, tall;

  options.area.low = 0.9;
  options.probability[ENS_AUGMENT_SCALE] = options.probability[ENS_AUGMENT_SHIFT] = 0;
  ens_augment_draw (&options, &items[0], &wide);
  ens_augment_draw (&options, &items[1], &tall);
  ck_assert_double_eq_tol (wide.view.width, 0.4 / 3, 1e-6);
  ck_assert_double_eq_tol (wide.view.x, 0.5 - 0.2 / 3, 1e-6);
  ck_assert_double_eq (wide.view.height, 1);
  ck_assert_double_eq_tol (tall.view.height, 0.4 / 3, 1e-6);
  ck_assert_double_eq_tol (tall.view.y, 0.5 - 0.2 / 3, 1e-6);
  ck_assert_double_eq (tall.view.width, 1);
}
END_TEST

/* -- options -- */

START_TEST (test_valid)
{
  const EnsAugmentOptions defaults = ENS_AUGMENT_DEFAULTS, none = ENS_AUGMENT_NONE;
  EnsAugmentation augmentation = draw (&none, 0, 0);
  g_autoptr (GError) error = NULL;

  ens_augment_options_validate (&defaults, &error);
  ck_assert_no_error (error);
  ens_augment_options_validate (&none, &error);
  ck_assert_no_error (error);
  ck_assert_uint_eq (augmentation.operations, 0);
  ck_assert_bytes_eq (&augmentation.view, sizeof (EnsRect), &ENS_RECT_WHOLE, sizeof (EnsRect));
}
END_TEST

static const struct {
  const char *name;
  gsize offset; /* of a number */
  double value;
  const char *message;
} invalid[] = {
    {"probability", RANGE (probability[ENS_AUGMENT_FLIP]), 1.5,
     "augmentation: flip: the probability must be 0 to 1, found 1.5"},
    {"negative", RANGE (probability[ENS_AUGMENT_SCALE]), -0.1, "scale: the probability"},
    {"nan", RANGE (probability[ENS_AUGMENT_NOISE]), NAN, "noise: the probability"},
    {"exchange", RANGE (probability[ENS_AUGMENT_EXCHANGE]), 0.2,
     "exchange: the share of pictures must be at least 0 and below 0.2, found 0.2"},
    {"area", RANGE (area.low), 0,
     "area: the range must lie in 0.0001 to 1 in rising order, found 0 to 1"},
    {"ratio", RANGE (ratio.high), INFINITY, "ratio: the range must lie in 0.01 to 100"},
    {"reversed", RANGE (rotation.low), 50, "rotation: the range must lie in -180 to 180 in rising"},
    {"shear", RANGE (shear.high), 45, "shear: the range must lie in -40 to 40"},
    {"range-nan", RANGE (hue.low), NAN, "hue: the range"},
};

START_TEST (test_invalid)
{
  EnsAugmentOptions options = ENS_AUGMENT_DEFAULTS;
  g_autoptr (GError) error = NULL;

  G_STRUCT_MEMBER (double, &options, invalid[_i].offset) = invalid[_i].value;
  ck_assert (!ens_augment_options_validate (&options, &error));
  ck_assert_error (error, ENS_ERROR, ENS_ERROR_DATA);
  ck_assert_contains (error->message, invalid[_i].message);
}
END_TEST

int
main (int argc, char **argv)
{
  test_init (&argc, &argv);
  test_suite ("vision/augment");
  test_add ("counts", test_counts);
  test_add ("pairs", test_pairs);
  TEST_ADD_ROWS ("exchanged", test_exchanged, exchanges);
  test_add ("exchanged-evenly", test_exchanged_evenly);
  test_add ("choices", test_choices);
  TEST_ADD_ROWS ("value", test_value, values);
  for (guint o = 0; o < ENS_AUGMENT_EXCHANGE; o++)
    test_add_row ("others-stay", ens_augment_operation_name (o), test_others_stay, o);
  test_add ("repeatable", test_repeatable);
  TEST_ADD_ROWS ("crop", test_crop, crops);
  test_add ("no-crop-fits", test_no_crop_fits);
  test_add ("valid", test_valid);
  TEST_ADD_ROWS ("invalid", test_invalid, invalid);
  return test_run ();
}
