/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "latency-window.h"

#include "check-main.h"

#define MS GST_MSECOND

/* What an analysis every `spacing` seconds takes, and what is reported then, in milliseconds. */
static const struct {
  const char *name;
  guint spacing;
  guint taken[16], reported[16];
} rows[] = {
    {"grows at once, with room", 1, {40, 40, 50, 51, 60, 80, 80}, {50, 50, 50, 63, 63, 100, 100}},
    {"falls when two spans have been faster",
     1,
     {400, 40, 40, 40, 40, 40, 40, 40, 40, 40, 40, 40, 40, 40, 40, 40},
     {500, 500, 500, 500, 500, 500, 500, 500, 500, 500, 50, 50, 50, 50, 50, 50}},
    {"stays for a little less",
     1,
     {400, 300, 300, 300, 300, 300, 300, 300, 300, 300, 300, 300, 300, 300, 300, 300},
     {500, 500, 500, 500, 500, 500, 500, 500, 500, 500, 500, 500, 500, 500, 500, 500}},
    {"stays while it is slow now and then",
     1,
     {400, 40, 40, 40, 40, 40, 40, 400, 40, 40, 40, 40, 40, 40, 400, 40},
     {500, 500, 500, 500, 500, 500, 500, 500, 500, 500, 500, 500, 500, 500, 500, 500}},
    {"stays for some milliseconds",
     1,
     {4, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1},
     {5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5}},
    {"one in a long time tells nothing",
     12,
     {400, 250, 400, 250, 400, 250, 400, 250},
     {500, 500, 500, 500, 500, 500, 500, 500}},
    {"falls after some of those",
     12,
     {400, 40, 40, 40, 40, 40, 40, 40, 40, 40, 40, 40},
     {500, 500, 500, 500, 500, 500, 500, 500, 500, 500, 50, 50}},
};

START_TEST (test_reported)
{
  GstEnsembleLatencyWindow window = {0};

  for (guint i = 0; i < 16 && rows[_i].taken[i] > 0; i++) {
    GstClockTime before = window.reported;
    gboolean changed = gst_ensemble_latency_window_add (
        &window, rows[_i].taken[i] * MS, (100 + (gint64)i * rows[_i].spacing) * G_TIME_SPAN_SECOND);

    test_message ("%s, analysis %u", rows[_i].name, i);
    ck_assert_uint_eq (window.reported / MS, rows[_i].reported[i]);
    ck_assert_int_eq (changed, window.reported != before);
  }
}
END_TEST

int
main (int argc, char **argv)
{
  test_init (&argc, &argv);
  test_suite ("gst/latency");
  TEST_ADD_ROWS ("reported", test_reported, rows);
  return test_run ();
}
