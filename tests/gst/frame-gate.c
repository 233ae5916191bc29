/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "frame-gate.h"

#include "check-main.h"

#define MS GST_MSECOND
#define NONE GST_CLOCK_TIME_NONE

/* One letter per frame: x analysed, . passed. */
static const struct {
  const char *name;
  guint interval;
  GstClockTime period;
  GstClockTime times[8];
  const char *due;
} due_rows[] = {
    {"every frame", 1, 0, {0, 1, 2, 3, 4, 5, 6, 7}, "xxxxxxxx"},
    {"every third", 3, 0, {0, 1, 2, 3, 4, 5, 6, 7}, "x..x..x."},
    {"without times", 2, 100 * MS, {NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE}, "x.x.x.x."},
    {"period of two frames and a half stays on its grid",
     1,
     100 * MS,
     {0, 40 * MS, 80 * MS, 120 * MS, 160 * MS, 200 * MS, 240 * MS, 280 * MS},
     "x..x.x.."},
    {"a gap starts a new grid",
     1,
     100 * MS,
     {0, 40 * MS, 1030 * MS, 1070 * MS, 1110 * MS, 1130 * MS, 1200 * MS, 1230 * MS},
     "x.x..x.x"},
    {"interval and period both hold",
     3,
     50 * MS,
     {0, 40 * MS, 80 * MS, 120 * MS, 160 * MS, 200 * MS, 240 * MS, 280 * MS},
     "x..x..x."},
    {"time that jumps back",
     1,
     100 * MS,
     {5000 * MS, 5050 * MS, 10 * MS, 50 * MS, 110 * MS, 150 * MS, 200 * MS, 210 * MS},
     "x.x.x..x"},
    {"time that jumps back within a period",
     1,
     100 * MS,
     {1000 * MS, 950 * MS, 1050 * MS, 1000 * MS, 1100 * MS, 1050 * MS, 1150 * MS, 1200 * MS},
     "x...x..x"},
    {"frames in the order of decoding",
     1,
     100 * MS,
     {0, 120 * MS, 40 * MS, 80 * MS, 240 * MS, 160 * MS, 200 * MS, 360 * MS},
     "xx..x..x"},
    {"time that stands still",
     1,
     100 * MS,
     {500 * MS, 500 * MS, 500 * MS, 500 * MS, 500 * MS, 500 * MS, 500 * MS, 500 * MS},
     "x......."},
    {"time that runs backwards",
     1,
     100 * MS,
     {900 * MS, 850 * MS, 800 * MS, 750 * MS, 700 * MS, 650 * MS, 600 * MS, 550 * MS},
     "x.x.x.x."},
    {"two sources in turn",
     1,
     100 * MS,
     {0, 9000 * MS, 50 * MS, 9050 * MS, 100 * MS, 9100 * MS, 150 * MS, 9150 * MS},
     "xx..xx.."},
};

static gboolean
take_if_due (GstEnsembleFrameGate *gate, GstClockTime time, guint interval, GstClockTime period)
{
  if (!gst_ensemble_frame_gate_due (gate, time, interval, period))
    return FALSE;
  gst_ensemble_frame_gate_take (gate);
  return TRUE;
}

/* A source that comes back after others have had many frames is new. */
START_TEST (test_long_ago)
{
  GstEnsembleFrameGate gate = {0};

  ck_assert (take_if_due (&gate, 9000 * MS, 1, 100 * MS));
  for (guint f = 0; f < 100; f++)
    ck_assert_int_eq (take_if_due (&gate, f * 10 * MS, 1, 100 * MS), f % 10 == 0);
  ck_assert (take_if_due (&gate, 9010 * MS, 1, 100 * MS));
}
END_TEST

START_TEST (test_due)
{
  GstEnsembleFrameGate gate = {0};

  for (guint f = 0; f < 8; f++) {
    gboolean due =
        take_if_due (&gate, due_rows[_i].times[f], due_rows[_i].interval, due_rows[_i].period);

    test_message ("%s, frame %u", due_rows[_i].name, f);
    ck_assert_int_eq (due, due_rows[_i].due[f] == 'x');
  }
}
END_TEST

/* A period made shorter while the old one runs counts at once. */
START_TEST (test_shorter_period)
{
  GstEnsembleFrameGate gate = {0};

  ck_assert (take_if_due (&gate, 0, 1, 3600 * GST_SECOND));
  ck_assert (!take_if_due (&gate, 40 * MS, 1, 3600 * GST_SECOND));
  ck_assert (take_if_due (&gate, 80 * MS, 1, 20 * MS));
  ck_assert (take_if_due (&gate, 120 * MS, 1, 0));
}
END_TEST

/* What is not taken is due again, in its period. */
static const struct {
  const char *name;
  guint interval;
  GstClockTime period;
  const char *usable, *due; /* of frames 40 ms apart */
} untaken_rows[] = {
    {"first", 1, 0, "...xxx", "xxxxxx"},
    {"interval", 3, 0, "x...xxxx", "x..xx..x"},
    {"period", 1, 100 * MS, "x.....xxxxxx", "x..xxxx..x.x"},
};

START_TEST (test_untaken)
{
  GstEnsembleFrameGate gate = {0};

  for (guint f = 0; untaken_rows[_i].usable[f] != '\0'; f++) {
    const gboolean due = gst_ensemble_frame_gate_due (&gate, f * 40 * MS, untaken_rows[_i].interval,
                                                      untaken_rows[_i].period);

    test_message ("%s, frame %u", untaken_rows[_i].name, f);
    ck_assert_int_eq (due, untaken_rows[_i].due[f] == 'x');
    if (due && untaken_rows[_i].usable[f] == 'x')
      gst_ensemble_frame_gate_take (&gate);
  }
}
END_TEST

int
main (int argc, char **argv)
{
  test_init (&argc, &argv);
  test_suite ("gst/gate");
  TEST_ADD_ROWS ("due", test_due, due_rows);
  TEST_ADD_ROWS ("untaken", test_untaken, untaken_rows);
  test_add ("long-ago", test_long_ago);
  test_add ("shorter-period", test_shorter_period);
  return test_run ();
}
