/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "toy-member.h"

EnsCalibration toy_calibration[] = {{1.5F, -0.5F}, {0.5F, 0}, {3, 1}};
EnsCalibration toy_window_calibration[] = {{0.7F, 0.1F}, {1, -1}, {2, 0.5F}};

static char *taps[2][3] = {
    {(char *)"relu2", (char *)"pool", NULL},
    {(char *)"relu2", (char *)"scores", NULL}, /* of a fully connected layer */
};
static guint scales[] = {32, 40, 56}, window_sizes[] = {32, 48};

void
toy_member_init (ToyMember *member, gboolean fully_connected)
{
  g_autoptr (EnsGraph) network = toy_network (5, TOY_SIZE, TOY_CHANNELS, fully_connected);

  test_folder_set_up ();
  member->network = toy_save_network (network, test_folder, "toy.onnx");
  member->classifier =
      toy_save_classifier (6, TOY_FEATURES, TOY_CLASSES, test_folder, "classifier.onnx");
  member->window_classifier =
      toy_save_classifier (7, TOY_FEATURES, TOY_CLASSES, test_folder, "windows.onnx");
  member->settings =
      (EnsBundleNetwork) {.name = (char *)"toy",
                          .role = ENS_ROLE_RETRAINED,
                          .taps = taps[fully_connected],
                          .normalise = {ENS_ORDER_BGR, {110, 120, 130}, {0.02F, 0.01F, 0.03F}},
                          .size = TOY_SIZE,
                          .scales = scales,
                          .n_scales = G_N_ELEMENTS (scales),
                          .calibration = toy_calibration,
                          .window_sizes = window_sizes,
                          .n_window_sizes = G_N_ELEMENTS (window_sizes),
                          .window_calibration = toy_window_calibration};
}

void
toy_member_clear (ToyMember *member)
{
  test_folder_tear_down ();
  g_free (member->window_classifier);
  g_free (member->classifier);
  g_free (member->network);
}
