/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "harness.h"

static const TestRow rows[] = {
    {"by-hand-nearest",
     "input_shape=[1, 1, 2, 1] scales=[1.0, 1.0, 1.0, 2.0] "
     "coordinate_transformation_mode=\"asymmetric\" nearest_mode=\"floor\"",
     "1x1x4x1 = 1 2 30 40", "1x1x2x1 = 3 70"},
    {"by-hand-linear",
     "input_shape=[1, 1, 2, 1] sizes=[1, 1, 1, 3] mode=\"linear\" "
     "coordinate_transformation_mode=\"align_corners\"",
     "1x1x3x1 = 1 10 100", "1x1x2x1 = 6 105"},
    {"by-hand-outside",
     "input_shape=[1, 1, 2, 1] sizes=[1, 1, 1, 3] mode=\"linear\" "
     "coordinate_transformation_mode=\"tf_crop_and_resize\" "
     "roi=[0.0, 0.0, 0.0, 0.0, 1.0, 1.0, 1.0, 2.0]",
     "1x1x3x1 = 1 10 100", "1x1x2x1 = 1 10"},
    {"nearest", "input_shape=[2, 5, 4, 19] scales=[1.0, 1.0, 2.0, 2.0]", "2x10x8x19", "2x5x4x19"},
    {"linear", "input_shape=[2, 5, 4, 19] scales=[1.0, 1.0, 2.0, 1.5] mode=\"linear\"", "2x10x6x19",
     "2x5x4x19"},
    {"linear-smaller", "input_shape=[1, 9, 7, 6] sizes=[1, 6, 4, 3] mode=\"linear\"", "1x4x3x6",
     "1x9x7x6"},
    {"cubic", "input_shape=[1, 5, 4, 6] sizes=[1, 6, 9, 7] mode=\"cubic\" exclude_outside=1",
     "1x9x7x6", "1x5x4x6"},
    {"channels-too", "input_shape=[1, 3, 4, 2] sizes=[1, 5, 6, 7] mode=\"linear\"", "1x6x7x5",
     "1x3x4x2"},
    {"one-dimension", "input_shape=[2, 5, 3] sizes=[2, 3, 8] mode=\"linear\"", "2x8x3", "2x5x3"},
    {"three-dimensions", "input_shape=[1, 2, 3, 2, 5] sizes=[1, 5, 4, 3, 6] mode=\"linear\"",
     "1x4x3x6x5", "1x2x3x2x5"},
    {"matrix", "input_shape=[3, 4] sizes=[6, 5] mode=\"linear\"", "6x5", "3x4"},
    {"float64", "input_shape=[1, 2, 2, 1] scales=[1.0, 1.0, 2.0, 2.0] mode=\"linear\"",
     "float64 1x4x4x1", "float64 1x2x2x1"},
    {"empty-batch", "input_shape=[0, 2, 2, 1] scales=[1.0, 1.0, 2.0, 2.0]", "0x4x4x1", "0x2x2x1"},
    {"gradient-differs", "input_shape=[1, 2, 2, 1] scales=[1.0, 1.0, 2.0, 2.0]", "1x4x5x1",
     .error = "has 5 elements along axis 2, expected 4"},
    {"no-shape", "scales=[1.0, 1.0, 2.0, 2.0]", "1x4x5x1", .error = "“input_shape” is missing"},
    {"wrong-rank", "input_shape=[1, 2, 2] sizes=[1, 1, 2]", "1x4x5x1", .error = "rank 3"},
    {0}};

const TestOperator test_resize_grad[] = {{"ResizeGrad", rows}, {0}};
