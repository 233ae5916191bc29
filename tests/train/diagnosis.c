/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "train/diagnosis.h"

#include "check-main.h"

#define MAX_IMAGES 200
#define CLASSES 3

/* The same file, which looks like nothing. */
#define ONE_COLOUR G_MAXUINT

static const char *const classes[] = {"cat", "dog", "emu", NULL};

/* Images as rows say: SPLIT LABEL COUNT with a size, a look and a probability of each class. */
typedef struct {
  EnsSplit split;
  gint label; /* -1: none of the classes */
  guint n;
  guint side;       /* 0: 200 */
  guint look;       /* images of the same look are near copies; 0: each has its own; ONE_COLOUR */
  float p[CLASSES]; /* all 0: not known */
} Row;

typedef struct {
  EnsDiagnosisImage images[MAX_IMAGES];
  guint8 labels[MAX_IMAGES][CLASSES];
  EnsPictureHash hashes[MAX_IMAGES];
  char paths[MAX_IMAGES][16];
  guint n;
} Set;

static void
draw_look (guint seed, EnsPictureHash *hash)
{
  g_autoptr (GRand) random = g_rand_new_with_seed (seed);
  float pixels[ENS_PICTURE_HASH_PIXELS];

  for (guint i = 0; i < ENS_PICTURE_HASH_PIXELS; i++)
    pixels[i] = seed == ONE_COLOUR ? 128 : (float)g_rand_double_range (random, 0, 255);
  ens_picture_hash_init (hash, pixels);
}

static const EnsImageKey one_colour_key = {{1, 2, 3}};

static void
add_row (Set *set, const Row *row)
{
  for (guint i = 0; i < row->n; i++, set->n++) {
    EnsDiagnosisImage *image = &set->images[set->n];

    g_snprintf (set->paths[set->n], sizeof set->paths[0], "%u.jpg", set->n);
    if (row->label >= 0)
      set->labels[set->n][row->label] = ENS_LABEL_PRESENT;
    draw_look (row->look > 0 ? row->look : 1000 + set->n, &set->hashes[set->n]);
    *image = (EnsDiagnosisImage) {
        .path = set->paths[set->n],
        .split = row->split,
        .labels = set->labels[set->n],
        .width = row->side > 0 ? row->side : 200,
        .height = 300,
        .hash = &set->hashes[set->n],
        .key = row->look == ONE_COLOUR ? &one_colour_key : NULL,
        .probabilities = row->p[0] + row->p[1] + row->p[2] > 0 ? row->p : NULL,
    };
  }
}

/* A set about which there is nothing to say. */
#define SOUND                                          \
  {ENS_SPLIT_TRAIN, 0, 20, 0, 0, {.9F, .1F, .1F}},     \
      {ENS_SPLIT_TRAIN, 1, 20, 0, 0, {.1F, .9F, .1F}}, \
      {ENS_SPLIT_TRAIN, 2, 20, 0, 0, {.1F, .1F, .9F}}, \
  {                                                    \
    ENS_SPLIT_TRAIN, -1, 20, 0, 0,                     \
    {                                                  \
      .1F, .1F, .1F                                    \
    }                                                  \
  }

static const struct {
  const char *name;
  Row rows[9];
  EnsFindingKind kind;
  const char *text;  /* NULL: no finding at all */
  const char *paths; /* of the pictures, with their captions */
} findings_rows[] = {
    {"sound", {SOUND}, 0, NULL, NULL},
    {"balance",
     {SOUND, {ENS_SPLIT_TRAIN, 1, 41, 0, 0, {.1F, .9F, .1F}}},
     ENS_FINDING_BALANCE,
     "“dog” has 3.0 times as many training pictures as “cat” (61 and 20): add pictures of “cat”, "
     "“emu” until each class has at least 21.",
     "0.jpg cat; 40.jpg emu; 1.jpg cat; 41.jpg emu; 2.jpg cat; 42.jpg emu; 3.jpg cat; 43.jpg emu; "
     "4.jpg cat; 44.jpg emu; 5.jpg cat; 45.jpg emu"},
    {"no-none",
     {{ENS_SPLIT_TRAIN, 0, 5}, {ENS_SPLIT_TRAIN, 1, 6}, {ENS_SPLIT_TRAIN, 2, 7}},
     ENS_FINDING_NONE,
     "No training picture shows none of the classes, so that pictures of anything else may well be "
     "given one: add 6 of what else the camera sees, in train/none.",
     ""},
    {"few-none",
     {{ENS_SPLIT_TRAIN, 0, 9},
      {ENS_SPLIT_TRAIN, 1, 9},
      {ENS_SPLIT_TRAIN, 2, 9},
      {ENS_SPLIT_TRAIN, -1, 4}},
     ENS_FINDING_NONE,
     "Only 4 of the training pictures show none of the classes: add 5 more of what else the camera "
     "sees, in train/none.",
     "27.jpg none; 28.jpg none; 29.jpg none; 30.jpg none"},
    {"false-alarms",
     {SOUND,
      {ENS_SPLIT_VALIDATION, -1, 1, 0, 0, {.1F, .6F, .1F}},
      {ENS_SPLIT_VALIDATION, -1, 1, 0, 0, {.6F, .8F, .1F}}},
     ENS_FINDING_NONE,
     "2 of the 22 pictures that show none of the classes are reported as one, most often as “dog”: "
     "add more pictures like these, in train/none.",
     "81.jpg none, reported as dog (0.80); 80.jpg none, reported as dog (0.60)"},
    {"small",
     {SOUND, {ENS_SPLIT_TEST, 1, 1, 99, 0}, {ENS_SPLIT_TEST, 0, 1, 40, 0}},
     ENS_FINDING_SMALL,
     "2 of the 82 pictures have fewer than 100 pixels along a side (the smallest 40×300), and are "
     "blown up for the networks: replace them by larger ones, or remove them.",
     "80.jpg 99×300 pixels; 81.jpg 40×300 pixels"},
    {"one-small",
     {SOUND, {ENS_SPLIT_TEST, 0, 1, 40, 0}},
     ENS_FINDING_SMALL,
     "1 of the 81 pictures has fewer than 100 pixels along a side (40×300), and is blown up for "
     "the "
     "networks: replace it by a larger one, or remove it.",
     "80.jpg 40×300 pixels"},
    {"leak",
     {SOUND,
      {ENS_SPLIT_TRAIN, 0, 1, 0, 1},
      {ENS_SPLIT_VALIDATION, 0, 1, 0, 1},
      {ENS_SPLIT_TEST, 0, 1, 0, 1},
      {ENS_SPLIT_TEST, 0, 7}},
     ENS_FINDING_LEAK,
     "1 of the 1 validation pictures and 1 of the 8 test pictures are near copies of pictures of "
     "another split, so that what is measured on them is too good: keep a picture and its copies "
     "in one split.",
     NULL},
    {"leak-of-one-colour",
     {SOUND, {ENS_SPLIT_TRAIN, 0, 1, 0, ONE_COLOUR}, {ENS_SPLIT_TEST, 0, 1, 0, ONE_COLOUR}},
     ENS_FINDING_LEAK,
     "0 of the 0 validation pictures and 1 of the 1 test pictures are near copies of pictures of "
     "another split, so that what is measured on them is too good: keep a picture and its copies "
     "in one split.",
     NULL},
    {"contradiction",
     {SOUND, {ENS_SPLIT_TEST, 0, 1, 0, 1}, {ENS_SPLIT_TEST, 2, 1, 0, 1}},
     ENS_FINDING_CONTRADICT,
     "1 pair of near copies has different labels: one label of each pair is wrong or missing, "
     "correct it.",
     "80.jpg test, cat; 81.jpg test, emu"},
    {"copies",
     {SOUND, {ENS_SPLIT_TRAIN, 0, 3, 0, 1}, {ENS_SPLIT_TEST, 2, 2, 0, 2}},
     ENS_FINDING_COPIES,
     "5 pictures are near copies of another one of their split, in 2 groups: they teach nothing "
     "new "
     "and count several times, keep one of each group.",
     NULL},
    {"labels",
     {SOUND,
      {ENS_SPLIT_TRAIN, 0, 1, 0, 0, {.3F, .95F, .1F}},
      {ENS_SPLIT_TRAIN, 1, 1, 0, 0, {.1F, .2F, .99F}},
      {ENS_SPLIT_TRAIN, 2, 1, 0, 0, {.6F, .1F, .5F}}},
     ENS_FINDING_LABELS,
     "2 of 83 pictures look like another class than their label says, to classifiers that were "
     "trained without them: look at them, the likeliest errors first, and correct the labels that "
     "are wrong.",
     "81.jpg labelled dog; looks like emu (0.99); 80.jpg labelled cat; looks like dog (0.95)"},
    {"one-label",
     {SOUND, {ENS_SPLIT_TRAIN, 0, 1, 0, 0, {.3F, .95F, .1F}}},
     ENS_FINDING_LABELS,
     "1 of 81 pictures looks like another class than its label says, to classifiers that were "
     "trained without it: look at it, and correct the label if it is wrong.",
     "80.jpg labelled cat; looks like dog (0.95)"},
    {"confusion",
     {SOUND,
      {ENS_SPLIT_TRAIN, 0, 3, 0, 0, {.4F, .5F, .1F}},
      {ENS_SPLIT_TRAIN, 1, 1, 0, 0, {.6F, .5F, .1F}}},
     ENS_FINDING_CONFUSION,
     "“cat” and “dog” are often taken for each other (3 of 23 and 1 of 21 pictures): add pictures "
     "that show what tells them apart, or make them one class if that does not matter.",
     "83.jpg dog, taken for cat (0.60); 80.jpg cat, taken for dog (0.50); 81.jpg cat, taken for "
     "dog (0.50); 82.jpg cat, taken for dog (0.50)"},
};

/* (transfer full) */
static char *
describe_pictures (const EnsFinding *finding)
{
  GString *text = g_string_new (NULL);

  for (guint i = 0; i < finding->pictures->len; i++) {
    const EnsFindingPicture *picture = &g_array_index (finding->pictures, EnsFindingPicture, i);

    g_string_append_printf (text, "%s%s %s", i > 0 ? "; " : "", picture->path, picture->caption);
  }
  return g_string_free (text, FALSE);
}

/* The findings of a set of rows. (transfer full) */
static GPtrArray *
diagnose (const Row *rows, const EnsLearningPoint *curve)
{
  static const float thresholds[CLASSES] = {.55F, .55F, .55F};
  g_autofree Set *set = g_new0 (Set, 1);

  for (guint r = 0; r < 9 && rows[r].n > 0; r++)
    add_row (set, &rows[r]);
  return ens_diagnose (&(EnsDiagnosis) {.classes = classes,
                                        .n_classes = CLASSES,
                                        .images = set->images,
                                        .n_images = set->n,
                                        .thresholds = thresholds,
                                        .curve = curve});
}

START_TEST (test_findings)
{
  g_autoptr (GPtrArray) findings = diagnose (findings_rows[_i].rows, NULL);
  const EnsFinding *finding;
  g_autofree char *pictures = NULL;

  ck_assert_uint_eq (findings->len, findings_rows[_i].text != NULL);
  if (findings->len == 0)
    return;
  finding = findings->pdata[0];
  ck_assert_int_eq (finding->kind, findings_rows[_i].kind);
  ck_assert_pstr_eq (finding->text, findings_rows[_i].text);
  pictures = describe_pictures (finding);
  if (findings_rows[_i].paths != NULL)
    ck_assert_pstr_eq (pictures, findings_rows[_i].paths);
}
END_TEST

static const struct {
  guint n_images; /* of the first point */
  double score[ENS_LEARNING_POINTS];
  const char *text; /* its end; NULL: no finding */
} curve_rows[] = {
    {10,
     {.5, .6, .7, .8},
     "an accuracy of 0.500, 0.600, 0.700 and 0.800: more pictures would help, "
     "twice as many by about 0.100; add such as are recognised worst."},
    {10,
     {.8, .9, .9, .9},
     ": more pictures of the same kind would hardly help; correct labels, add "
     "other kinds of pictures, or use a better network."},
    {10, {.8, .9, .88, .85}, "would hardly help; correct labels"},
    {10, {1, 1, 1, 1}, "would hardly help; correct labels"},
    {7, {.5, .6, .7, .8}, NULL},
    {10, {NAN, NAN, NAN, NAN}, NULL},
};

START_TEST (test_curve)
{
  static const Row rows[9] = {SOUND};
  EnsLearningPoint curve[ENS_LEARNING_POINTS];
  g_autoptr (GPtrArray) findings = NULL;

  for (guint i = 0; i < ENS_LEARNING_POINTS; i++)
    curve[i] = (EnsLearningPoint) {curve_rows[_i].n_images * (i + 1), curve_rows[_i].score[i]};
  findings = diagnose (rows, curve);
  ck_assert_uint_eq (findings->len, curve_rows[_i].text != NULL);
  if (findings->len > 0)
    ck_assert (g_str_has_suffix (((EnsFinding *)findings->pdata[0])->text, curve_rows[_i].text)
               || strstr (((EnsFinding *)findings->pdata[0])->text, curve_rows[_i].text));
}
END_TEST

/* The worst first; what is recognised is not shown. */
START_TEST (test_curve_pictures)
{
  static const Row rows[9] = {SOUND,
                              {ENS_SPLIT_TRAIN, 0, 1, 0, 0, {.3F, .1F, .1F}},
                              {ENS_SPLIT_TRAIN, -1, 1, 0, 0, {.1F, .8F, .1F}},
                              {ENS_SPLIT_TRAIN, 2, 1, 0, 0, {.1F, .6F, .7F}}};
  EnsLearningPoint curve[ENS_LEARNING_POINTS];
  g_autoptr (GPtrArray) findings = NULL;
  g_autofree char *pictures = NULL;

  for (guint i = 0; i < ENS_LEARNING_POINTS; i++)
    curve[i] = (EnsLearningPoint) {20 * (i + 1), .6};
  findings = diagnose (rows, curve);
  ck_assert_uint_eq (findings->len, 1);
  pictures = describe_pictures (findings->pdata[0]);
  ck_assert_str_eq (pictures, "81.jpg none; P of dog 0.80; 80.jpg cat; P of cat 0.30; "
                              "82.jpg emu; P of dog 0.60");
}
END_TEST

int
main (int argc, char **argv)
{
  test_init (&argc, &argv);
  test_suite ("train/diagnosis");
  TEST_ADD_ROWS ("findings", test_findings, findings_rows);
  TEST_ADD_LOOP ("curve", test_curve, curve_rows);
  test_add ("curve-pictures", test_curve_pictures);
  return test_run ();
}
