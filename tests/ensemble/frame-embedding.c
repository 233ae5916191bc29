/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A result's embedding is what the network makes of the whole frame, however the frame is divided
 * and whatever is reused, and changes nothing else. */
#include "ensemble/member.h"

#include "colour-fixture.h"
#include "toy.h"

/* Divided into 4 × 3 sub-images. */
#define WIDTH 480
#define HEIGHT 320

static const struct {
  const char *name;
  EnsAnalyseOptions options;
  guint reused; /* by the second of two equal frames */
} rows[] = {
    {"undivided", {.windows = 12, .sub_images = ENS_SUB_IMAGES_OFF}, 0},
    {"divided", {.windows = 12}, 0},
    {"both", {.windows = 12, .sub_images = ENS_SUB_IMAGES_BOTH}, 0},
    {"undivided-still", {.sub_images = ENS_SUB_IMAGES_OFF, .reuse = TRUE}, 1},
    {"divided-still", {.reuse = TRUE}, 12},
    {"both-still", {.sub_images = ENS_SUB_IMAGES_BOTH, .reuse = TRUE}, 13},
};

/* By a member without classifiers. (transfer full) */
static float *
compute_features (guint network, const EnsFrame *frame, guint *n)
{
  const EnsBundle *bundle = ens_ensemble_get_bundle (fixture->ensemble);
  const EnsBundleNetwork *settings = &bundle->networks[network];
  g_autofree char *path = g_build_filename (fixture->bundle, settings->network, NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (EnsMember) member =
      ens_member_new (&(EnsMemberSource) {.settings = settings, .network = path},
                      ens_ensemble_get_device (fixture->ensemble), &error);
  g_autoptr (EnsMemberJobs) jobs = NULL;
  float *values;

  ck_assert_no_error (error);
  jobs = ens_member_jobs_new (member);
  *n = ens_member_get_width (member);
  values = g_new (float, *n);
  ens_member_jobs_run_whole (
      jobs,
      &(EnsMemberImages) {frame, &ENS_RECT_WHOLE, 1, settings->scales, settings->n_scales, NULL},
      values, &error);
  ck_assert_no_error (error);
  return values;
}

static void
check_same (const EnsResult *a, const EnsResult *b)
{
  for (guint c = 0; c < a->n_classes; c++) {
    ck_assert (a->classes[c].p == b->classes[c].p);
    ck_assert_int_eq (a->classes[c].window, b->classes[c].window);
  }
}

START_TEST (test_values)
{
  g_autoptr (EnsPicture) picture = toy_picture (3, 1, WIDTH, HEIGHT);
  EnsAnalyseOptions plain = rows[_i].options;
  guint n;
  g_autofree float *features = compute_features (1, &picture->frame, &n);
  g_autoptr (EnsResult) without = NULL;

  plain.threshold = -1;
  without = fixture_analyse (fixture->analysis, &picture->frame, &plain);
  ck_assert_ptr_null (without->embedding);
  for (guint i = 0; i < 3; i++) {
    EnsAnalyseOptions options = plain;
    g_autoptr (EnsResult) result = NULL;

    options.embedding = "retrained";
    result = fixture_analyse (fixture->analysis, &picture->frame, &options);
    ck_assert_uint_eq (result->reused, rows[_i].reused);
    ck_assert_str_eq (result->embedding->network, "retrained");
    ck_assert_uint_eq (result->embedding->n_values, n);
    for (guint k = 0; k < n; k++)
      ck_assert_float_eq_tol (result->embedding->values[k], features[k], 1e-5F);
    check_same (result, without);
  }
}
END_TEST

/* A still frame has not the embedding that another network gave the frame before. */
START_TEST (test_other_network)
{
  g_autoptr (EnsPicture) picture = toy_picture (3, 1, WIDTH, HEIGHT);
  static const char *const names[] = {"retrained", "original", NULL, "original"};

  for (guint i = 0; i < G_N_ELEMENTS (names); i++) {
    const EnsAnalyseOptions options = {
        .threshold = -1, .reuse = TRUE, .embedding = names[i], .sub_images = ENS_SUB_IMAGES_OFF};
    g_autoptr (EnsResult) result = fixture_analyse (fixture->analysis, &picture->frame, &options);
    guint n;
    g_autofree float *features = compute_features (i == 0 ? 1 : 0, &picture->frame, &n);

    ck_assert_uint_eq (result->reused, i > 0 ? 1 : 0);
    ck_assert_int_eq (result->embedding != NULL, names[i] != NULL);
    if (names[i] == NULL)
      continue;
    ck_assert_str_eq (result->embedding->network, names[i]);
    ck_assert_float_eq_tol (result->embedding->values[0], features[0], 1e-5F);
  }
}
END_TEST

START_TEST (test_unknown)
{
  g_autoptr (EnsPicture) picture = toy_picture (3, 1, 64, 48);
  const EnsAnalyseOptions options = {.threshold = -1, .embedding = "nobody"};
  g_autoptr (EnsResult) result = fixture_analyse (fixture->analysis, &picture->frame, &options);
  g_autoptr (GError) error = NULL;

  ck_assert_ptr_null (result->embedding);
  ck_assert_int_eq (ens_ensemble_find_network (fixture->ensemble, "nobody", &error), -1);
  ck_assert_contains (error->message, "one of its networks (original, retrained), found “nobody”");
  ck_assert_int_eq (ens_ensemble_find_network (fixture->ensemble, "retrained", NULL), 1);
}
END_TEST

int
main (int argc, char **argv)
{
  test_init (&argc, &argv);
  test_suite ("ensemble/frame-embedding");
  test_fixture (fixture_set_up, fixture_tear_down);
  TEST_ADD_ROWS ("values", test_values, rows);
  test_add ("other-network", test_other_network);
  test_add ("unknown", test_unknown);
  return test_run ();
}
