/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "harness.h"

static const TestRow softmax_rows[] = {
    {"by-hand", NULL, "1x3 = 1 2 3", "1x3 = 0.09003057 0.24472847 0.66524096"},
    {"large", NULL, "1x3 = 1000 1001 1002", "1x3 = 0.09003057 0.24472847 0.66524096"},
    {"axis-0", "axis=0", "2x1 = 0 0", "2x1 = 0.5 0.5"},
    {"rows", "axis=-1", "37x101", NULL, .benchmark = "16x1000"},
    {"channels-first", "axis=1", "2x3x4x5", NULL},
    {"channels-last", "axis=3", "2x3x4x5", NULL},
    {"old-flattens", "axis=1", "1x2x2 = 0 0 0 0", "1x2x2 = 0.25 0.25 0.25 0.25", .opset = 9},
    {"old-default", NULL, "2x3x4", NULL, .opset = 11},
    {"old-last", "axis=-1", "2x3x4", NULL, .opset = 12},
    {"old-last-positive", "axis=3", "2x3x4x5", NULL, .opset = 11},
    {"old-axis-0", "axis=0", "2x3", NULL, .opset = 9},
    {"one", NULL, "1x1", "1x1 = 1"},
    {"empty", NULL, "0x4", "0x4"},
    {"float64", NULL, "float64 2x3", NULL},
    {"no-axis", "axis=2", "2x3", .error = "axis 2 does not exist"},
    {"integers", NULL, "int64 2x3", .error = "input 0 is int64"},
    {0}};

static const TestRow log_softmax_rows[] = {
    {"by-hand", NULL, "1x3 = 1 2 3", "1x3 = -2.4076059 -1.4076059 -0.40760596"},
    {"large", NULL, "1x3 = 1000 1001 1002", "1x3 = -2.4076059 -1.4076059 -0.40760596",
     .tolerance = 1e-7},
    {"rows", "axis=-1", "37x101", NULL},
    {"channels-first", "axis=1", "2x3x4x5", NULL},
    {"old", "axis=1", "2x3x4", NULL, .opset = 9},
    {0}};

static const TestRow arg_max_rows[] = {
    {"by-hand", "axis=1", "2x3 = 1 3 2 5 4 5", "int64 2x1 = 1 0"},
    {"dropped", "axis=1 keepdims=0", "2x3 = 1 3 2 5 4 5", "int64 2 = 1 0"},
    {"last", "axis=1 select_last_index=1", "2x3 = 1 3 2 5 4 5", "int64 2x1 = 1 2"},
    {"default", NULL, "2x3 = 1 3 2 5 4 5", "int64 1x3 = 1 1 1"},
    {"channels-first", "axis=1", "2x3x4x5", "int64 2x1x4x5"},
    {"channels-first-dropped", "axis=1 keepdims=0", "2x3x4x5", "int64 2x4x5"},
    {"long", "axis=-1", "3x301", "int64 3x1"},
    {"ties", "axis=0", "500x7 in 1..1", "int64 1x7 = 0 0 0 0 0 0 0"},
    {"integers", "axis=-1", "int64 3 = 4 9 1", "int64 1 = 1"},
    {"empty-axis", "axis=1", "2x0", .error = "axis 1 is empty"},
    {0}};

static const TestRow arg_min_rows[] = {
    {"ties", "axis=-1 select_last_index=1", "2x200 in 1..1", "int64 2x1 = 199 199"},
    {"by-hand", "axis=1", "2x3 = 1 3 2 5 4 4", "int64 2x1 = 0 1"},
    {"last", "axis=1 select_last_index=1", "2x3 = 1 3 2 5 4 4", "int64 2x1 = 0 2"},
    {0}};

const TestOperator test_softmax[] = {{"Softmax", softmax_rows},
                                     {"LogSoftmax", log_softmax_rows},
                                     {"ArgMax", arg_max_rows},
                                     {"ArgMin", arg_min_rows},
                                     {0}};
