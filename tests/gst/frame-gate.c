#include "frame-gate.h"

#define MS GST_MSECOND
#define NONE GST_CLOCK_TIME_NONE

/* One letter per frame: x analysed, . passed. */
static void
test_due (void)
{
  static const struct {
    const char *name;
    guint interval;
    GstClockTime period;
    GstClockTime times[8];
    const char *due;
  } rows[] = {
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
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    GstEnsembleFrameGate gate = {0};

    for (guint f = 0; f < 8; f++) {
      gboolean due =
          gst_ensemble_frame_gate_due (&gate, rows[i].times[f], rows[i].interval, rows[i].period);

      g_test_message ("%s, frame %u", rows[i].name, f);
      g_assert_cmpint (due, ==, rows[i].due[f] == 'x');
    }
  }
}

/* A period made shorter while the old one runs counts at once. */
static void
test_shorter_period (void)
{
  GstEnsembleFrameGate gate = {0};

  g_assert_true (gst_ensemble_frame_gate_due (&gate, 0, 1, 3600 * GST_SECOND));
  g_assert_false (gst_ensemble_frame_gate_due (&gate, 40 * MS, 1, 3600 * GST_SECOND));
  g_assert_true (gst_ensemble_frame_gate_due (&gate, 80 * MS, 1, 20 * MS));
  g_assert_true (gst_ensemble_frame_gate_due (&gate, 120 * MS, 1, 0));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/gst/gate/due", test_due);
  g_test_add_func ("/gst/gate/shorter-period", test_shorter_period);
  return g_test_run ();
}
