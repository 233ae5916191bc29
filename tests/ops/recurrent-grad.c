/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "harness.h"

#define BOTH "direction=\"bidirectional\" "

static const TestRow rows[] = {
    /* h = tanh (1 + h / 2), from 0 on: tanh (1) = 0.761594, then tanh (1.380797) = 0.881130. */
    {"by-hand", "cell=0", "2x1x1 = 1 1; 1x1x1; 1x1x1 = 0.5; -; -; -; -; -; -; 1x1x1 = 1",
     "2x1x1 = 0.0469554 0.2236106; 2x1x1 = 0 0.7615942; 1x1x1 = 0.0234777", .tolerance = 1e-5,
     .outputs = 3},
    {"rnn", BOTH "cell=0 layout=1 activations=\"Relu,HardSigmoid\"",
     "3x6x14; 2x7x5; 2x7x7; 2x14; const int32 3 = 6 0 4; 3x2x7; -; -; 3x6x2x7; 3x2x7",
     "3x6x14; 3x6x14; 3x2x7", .tolerance = 1e-5, .outputs = 3},
    {"gru", "cell=1 direction=\"reverse\"", "6x3x21; 1x21x5; 1x21x7; 1x42; -; -; -; -; 6x1x3x7",
     "6x3x21; 6x3x7; 1x3x7; 6x3x7", .tolerance = 1e-5, .outputs = 4},
    {"gru-late-reset", BOTH "cell=1 linear_before_reset=1 clip=0.5",
     "6x3x42; 2x21x5; 2x21x7; 2x42; const int32 3 = 2 6 5; 2x3x7; -; -; 6x2x3x7; 2x3x7",
     "6x3x42; 6x3x14; 2x3x7; 6x3x14", .tolerance = 1e-5, .outputs = 4},
    {"lstm", BOTH "cell=2",
     "6x3x56; 2x28x5; 2x28x7; 2x56; const int32 3 = 6 0 4; 2x3x7; 2x3x7; 2x21; 6x2x3x7; 2x3x7; "
     "2x3x7",
     "6x3x56; 6x3x14; 2x3x7; 2x3x7; 6x3x14; 3x42", .tolerance = 1e-5, .outputs = 6,
     .benchmark = "32x32x192; 1x192x64; 1x192x48; -; -; -; -; -; 32x1x32x48"},
    {"lstm-many", "cell=2 input_forget=1", "3x37x28; 1x28x5; 1x28x7; -; -; -; -; -; -; -; 1x37x7",
     "3x37x28; 3x37x7; 1x37x7; 1x37x7; 3x37x7; 37x21", .tolerance = 1e-5, .outputs = 6},
    {"no-steps", "cell=0", "0x3x7; 1x7x5; 1x7x7; -; -; -; -; -; -; 1x3x7", "0x3x7; 0x3x7; 1x3x7",
     .outputs = 3},
    {"wrong-products", "cell=0", "6x3x8; 1x7x5; 1x7x7", .error = "input 0 is 6x3x8, expected 6x3x7",
     .outputs = 3},
    {"wrong-gradient", "cell=0", "6x3x7; 1x7x5; 1x7x7; -; -; -; -; -; 6x3x7x1",
     .error = "input 8 is 6x3x7x1, expected 6x1x3x7", .outputs = 3},
    {"few-outputs", "cell=2", "6x3x28; 1x28x5; 1x28x7", .error = "there are 3 outputs, expected 6",
     .outputs = 3},
    {0}};

const TestOperator test_recurrent_grad[] = {{"RecurrentGrad", rows}, {0}};
