/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is worth keeping, and what goes first. */
#include "ensemble/collection.h"

#include "vision/picture.h"

#include "check-main.h"

#define SIDE 64

/* A picture that seeds make unlike each other. (transfer full) */
static EnsPicture *
make_picture (guint seed)
{
  EnsPicture *picture = ens_picture_new (ENS_PIXELS_GRAY8, SIDE, SIDE);
  g_autoptr (GRand) random = g_rand_new_with_seed (seed);
  guint8 *pixels = ens_picture_get_pixels (picture, 0);

  for (guint y = 0; y < SIDE; y += 8)
    for (guint x = 0; x < SIDE; x += 8) {
      const guint8 value = (guint8)g_rand_int_range (random, 0, 256);

      for (guint row = 0; row < 8; row++)
        memset (pixels + (y + row) * picture->frame.strides[0] + x, value, 8);
    }
  return picture;
}

/* A class of threshold 0.5 in a frame that follows one of state `before`. */
static const struct {
  const char *name;
  float p;
  gboolean withheld;
  EnsClassState before, state;
  guint seed; /* 1 looks like what is kept */
  EnsCollectReason reason;
} look_rows[] = {
    {"certain", 0.99F, FALSE, ENS_CLASS_PRESENT, ENS_CLASS_PRESENT, 2, ENS_COLLECT_DIFFERENT},
    {"uncertain", 0.55F, FALSE, ENS_CLASS_PRESENT, ENS_CLASS_PRESENT, 2, ENS_COLLECT_UNCERTAIN},
    {"uncertain-below", 0.42F, FALSE, ENS_CLASS_ABSENT, ENS_CLASS_ABSENT, 2, ENS_COLLECT_UNCERTAIN},
    {"withheld", 0.9F, TRUE, ENS_CLASS_ABSENT, ENS_CLASS_ABSENT, 2, ENS_COLLECT_WITHHELD},
    {"appeared", 0.9F, FALSE, ENS_CLASS_ABSENT, ENS_CLASS_PRESENT, 2, ENS_COLLECT_CHANGED},
    {"left", 0.1F, FALSE, ENS_CLASS_PRESENT, ENS_CLASS_ABSENT, 2, ENS_COLLECT_CHANGED},
    {"known-at-last", 0.1F, FALSE, ENS_CLASS_UNKNOWN, ENS_CLASS_ABSENT, 2, ENS_COLLECT_DIFFERENT},
    {"copy", 0.5F, FALSE, ENS_CLASS_ABSENT, ENS_CLASS_PRESENT, 1, ENS_COLLECT_NOT},
};

START_TEST (test_look)
{
  const char *const classes[] = {"cat"}, *const networks[] = {"small"};
  g_autoptr (EnsCollection) collection = ens_collection_new ();
  g_autoptr (EnsResult) result = ens_result_new (classes, 1, networks, 1, 0);
  g_autoptr (EnsPicture) first = make_picture (1), second = make_picture (look_rows[_i].seed);
  EnsCollectLook look;

  result->classes[0].threshold = 0.5F;
  result->classes[0].p = 0.99F;
  result->classes[0].state = look_rows[_i].before;
  look = ens_collection_look (collection, &first->frame, FALSE, result);
  ck_assert_int_eq (look.reason, ENS_COLLECT_DIFFERENT);
  ens_collection_add (collection, "first", look.value, look.hash, 100);
  result->classes[0].p = look_rows[_i].p;
  result->classes[0].withheld = look_rows[_i].withheld;
  result->classes[0].state = look_rows[_i].state;
  look = ens_collection_look (collection, &second->frame, FALSE, result);
  ck_assert_int_eq (look.reason, look_rows[_i].reason);
  ck_assert_int_eq (look.value > 0, look.reason != ENS_COLLECT_NOT);
}
END_TEST

static EnsResult *
make_result (const char *class_name, EnsClassState state, const char *other)
{
  const char *const classes[] = {class_name, other}, *const networks[] = {"small"};
  EnsResult *result = ens_result_new (classes, 2, networks, 1, 2);

  for (guint c = 0; c < 2; c++) {
    result->classes[c].threshold = 0.5F;
    result->classes[c].p = 0.99F;
    result->classes[c].window = -1;
  }
  result->classes[0].state = state;
  result->classes[1].state = ENS_CLASS_ABSENT;
  return result;
}

/* A frame in which "cat" was present or not, one that is not looked at, unless NULL, and one more.
 */
static const struct {
  const char *name;
  EnsClassState first;
  const char *passed;
  EnsClassState passed_state;
  const char *next;
  EnsClassState next_state;
  gboolean changed;
  const char *passed_other; /* the other class of the frame that is not looked at; NULL: "other" */
} change_rows[] = {
    {"plain", ENS_CLASS_PRESENT, NULL, 0, "cat", ENS_CLASS_ABSENT, TRUE},
    {"passed", ENS_CLASS_PRESENT, "cat", ENS_CLASS_ABSENT, "cat", ENS_CLASS_ABSENT, TRUE},
    {"cut", ENS_CLASS_PRESENT, "cat", ENS_CLASS_UNKNOWN, "cat", ENS_CLASS_ABSENT, FALSE},
    {"another-bundle", ENS_CLASS_PRESENT, NULL, 0, "dog", ENS_CLASS_ABSENT, FALSE},
    {"another-bundle-between", ENS_CLASS_PRESENT, "dog", ENS_CLASS_ABSENT, "cat", ENS_CLASS_ABSENT,
     FALSE},
    {"another-bundle-that-has-it-between", ENS_CLASS_PRESENT, "cat", ENS_CLASS_PRESENT, "cat",
     ENS_CLASS_ABSENT, TRUE, "another"},
};

START_TEST (test_change)
{
  g_autoptr (EnsCollection) collection = ens_collection_new ();
  g_autoptr (EnsResult) first = make_result ("cat", change_rows[_i].first, "other");
  g_autoptr (EnsResult) next =
      make_result (change_rows[_i].next, change_rows[_i].next_state, "other");
  g_autoptr (EnsPicture) picture = make_picture (1), other = make_picture (2);
  EnsCollectLook look;

  ens_collection_look (collection, &picture->frame, FALSE, first);
  if (change_rows[_i].passed != NULL) {
    const char *other = change_rows[_i].passed_other;
    g_autoptr (EnsResult) passed = make_result (
        change_rows[_i].passed, change_rows[_i].passed_state, other != NULL ? other : "other");

    ens_collection_pass (collection, passed);
  }
  ck_assert_int_eq (ens_collection_changes (collection, next), change_rows[_i].changed);
  look = ens_collection_look (collection, &other->frame, FALSE, next);
  ck_assert_int_eq (look.reason == ENS_COLLECT_CHANGED, change_rows[_i].changed);
}
END_TEST

/* Two things before one background: the frames are near copies, the windows are not. */
START_TEST (test_crops)
{
  const EnsRect rect = {0.5F, 0.5F, 0.25F, 0.25F};
  g_autoptr (EnsCollection) collection = ens_collection_new ();
  g_autoptr (EnsResult) result = make_result ("cat", ENS_CLASS_PRESENT, "other");
  g_autoptr (EnsPicture) picture = make_picture (1);
  guint8 *pixels = ens_picture_get_pixels (picture, 0);
  EnsCollectLook look;

  result->classes[0].window = 1;
  result->windows[1].rect = rect;
  for (guint thing = 0; thing < 2; thing++) {
    for (guint y = SIDE / 2; y < SIDE * 3 / 4; y++)
      for (guint x = SIDE / 2; x < SIDE * 3 / 4; x++)
        pixels[y * picture->frame.strides[0] + x] =
            (guint8)((thing == 0 ? x : y) % 8 < 4 ? 120 : 130);
    look = ens_collection_look (collection, &picture->frame, _i, result);
    ck_assert_int_eq (look.value > 0, thing == 0 || _i);
    ck_assert_double_eq (look.rect.width, (_i ? 0.25F : 1));
    ens_collection_add (collection, "kept", look.value, look.hash, 100);
  }
}
END_TEST

/* Of a, b and c, worth 0.5, 0.2 and 0.2, of 100 bytes each. */
static const struct {
  const char *name;
  guint max_n;
  guint64 max_bytes;
  float value;
  gboolean room;
  const char *goes;
} room_rows[] = {
    {"no-limits", 0, 0, 0.1F, TRUE, ""},
    {"room", 4, 400, 0.1F, TRUE, ""},
    {"number", 3, 0, 0.3F, TRUE, "b"},
    {"bytes", 0, 399, 0.3F, TRUE, "b"},
    {"as-much-worth", 3, 0, 0.2F, TRUE, "b"},
    {"worth-less", 3, 0, 0.1F, FALSE, ""},
    {"two", 0, 299, 0.3F, TRUE, "b c"},
    {"lowered-number", 1, 0, 0.6F, TRUE, "b c a"},
    {"third-worth-more", 0, 199, 0.3F, FALSE, ""},
    {"too-large", 0, 99, 1, FALSE, ""},
};

START_TEST (test_room)
{
  g_autoptr (EnsCollection) collection = ens_collection_new ();
  g_autoptr (GPtrArray) goes = g_ptr_array_new_with_free_func (g_free);
  g_autofree char *names = NULL;

  ens_collection_add (collection, "c", 0.2F, 0, 100);
  ens_collection_add (collection, "a", 0.5F, 1, 100);
  ens_collection_add (collection, "b", 0.2F, 2, 100);
  ck_assert_int_eq (ens_collection_find_room (collection, room_rows[_i].max_n,
                                              room_rows[_i].max_bytes, room_rows[_i].value, 100,
                                              goes),
                    room_rows[_i].room);
  g_ptr_array_add (goes, NULL);
  names = g_strjoinv (" ", (char **)goes->pdata);
  ck_assert_str_eq (names, room_rows[_i].goes);
  ens_collection_remove (collection, "b");
  ck_assert_uint_eq (ens_collection_get_n (collection), 2);
}
END_TEST

int
main (int argc, char **argv)
{
  test_init (&argc, &argv);
  test_suite ("ensemble/collection");
  TEST_ADD_ROWS ("look", test_look, look_rows);
  TEST_ADD_ROWS ("change", test_change, change_rows);
  test_add_loop ("crops", test_crops, 2);
  TEST_ADD_ROWS ("room", test_room, room_rows);
  return test_run ();
}
