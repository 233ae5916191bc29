/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "harness.h"

#define BOTH "direction=\"bidirectional\" "
/* Of 5 inputs and 7 elements of a state. */
#define LSTM(d) "6x3x5; const " d "x28x5; const " d "x28x7"
#define GRU(d) "6x3x5; const " d "x21x5; const " d "x21x7"
#define STATE(d) d "x3x7"

static const TestRow lstm_rows[] = {
    /* i = o = f = ½, c = tanh (x). */
    {"by-hand", NULL, "2x1x1 = 1 2; const 1x4x1 = 0 0 0 1; const 1x4x1 = 0 0 0 0",
     "2x1x1x1 = 0.181701 0.293282; 1x1x1 = 0.293282; 1x1x1 = 0.672412", .tolerance = 1e-5,
     .outputs = 3},
    {"many", "hidden_size=7", LSTM ("1") "; const 1x56", "6x1x3x7", .tolerance = 4e-6,
     .benchmark = "32x32x192; const 1x192x192; const 1x192x48; const 1x384"},
    {"both", BOTH, LSTM ("2") "; const 2x56; -; " STATE ("2") "; " STATE ("2"),
     "6x2x3x7; 2x3x7; 2x3x7", .tolerance = 4e-6, .outputs = 3},
    {"reverse", "direction=\"reverse\"", LSTM ("1"), "6x1x3x7; 1x3x7", .tolerance = 4e-6,
     .outputs = 2},
    {"lengths", BOTH, LSTM ("2") "; -; const int32 3 = 6 0 4", "6x2x3x7; 2x3x7; 2x3x7",
     .tolerance = 4e-6, .outputs = 3},
    {"peepholes", "clip=0.3", LSTM ("1") "; const 1x56; -; -; -; const 1x21",
     "6x1x3x7; 1x3x7; 1x3x7", .tolerance = 4e-6, .outputs = 3},
    {"coupled", "input_forget=1", LSTM ("1"), NULL, .tolerance = 4e-6},
    {"functions",
     "activations=\"HardSigmoid,LeakyRelu,relu\" activation_alpha=[0.25, 0.1] "
     "activation_beta=[0.4]",
     LSTM ("1"), NULL, .tolerance = 4e-6},
    {"batch-first", BOTH "layout=1", "3x6x5; const 2x28x5; const 2x28x7; -; -; 3x2x7",
     "3x6x2x7; 3x2x7; 3x2x7", .tolerance = 4e-6, .outputs = 3},
    {"many-sequences", BOTH, "3x37x5; const 2x28x5; const 2x28x7; const 2x56", "3x2x37x7",
     .tolerance = 4e-6},
    {"unknown-weights", NULL, "6x3x5; 1x28x5; 1x28x7; 1x56", "6x1x3x7", .tolerance = 4e-6},
    {"large", NULL, "2x1x1 = 200 -200; const 1x4x1 = 1 1 1 1; const 1x4x1 = 0 0 0 0", NULL},
    {"no-steps", NULL, "0x3x5; const 1x28x5; const 1x28x7", "0x1x3x7; 1x3x7", .outputs = 2},
    {"no-inputs", NULL, "2x3x0; const 1x28x0; const 1x28x7; const 1x56", "2x1x3x7",
     .tolerance = 4e-6},
    {"wrong-gates", NULL, "6x3x5; const 1x21x5; const 1x28x7",
     .error = "input 1 is 1x21x5, expected 1x28x5"},
    {"wrong-state", NULL, LSTM ("1") "; -; -; 1x3x6", .error = "input 5 is 1x3x6, expected 1x3x7"},
    {"unknown-function", "activations=\"Sigmoid,Tanh,Affine\"", LSTM ("1"),
     .error = "has “Affine”"},
    {"few-functions", BOTH "activations=\"Sigmoid,Tanh,Tanh\"", LSTM ("2"),
     .error = "expected 3 for each of 2 directions"},
    {0}};

static const TestRow gru_rows[] = {
    /* z = ½, h = tanh (x). */
    {"by-hand", NULL, "2x1x1 = 1 2; const 1x3x1 = 0 0 1; const 1x3x1 = 0 0 0",
     "2x1x1x1 = 0.380797 0.672412; 1x1x1 = 0.672412", .tolerance = 1e-5, .outputs = 2},
    {"many", NULL, GRU ("1") "; const 1x42", "6x1x3x7", .tolerance = 4e-6},
    {"late-reset", "linear_before_reset=1", GRU ("1") "; const 1x42", "6x1x3x7; 1x3x7",
     .tolerance = 4e-6, .outputs = 2},
    {"both", BOTH, GRU ("2") "; const 2x42; -; " STATE ("2"), "6x2x3x7; 2x3x7", .tolerance = 4e-6,
     .outputs = 2},
    {"both-late", BOTH "linear_before_reset=1 clip=0.5",
     GRU ("2") "; const 2x42; const int32 3 = 2 6 5", "6x2x3x7; 2x3x7", .tolerance = 4e-6,
     .outputs = 2},
    {"batch-first", "layout=1", "3x6x5; const 1x21x5; const 1x21x7", "3x6x1x7; 3x1x7",
     .tolerance = 4e-6, .outputs = 2},
    {"many-sequences", NULL, "3x37x5; const 1x21x5; 1x21x7", "3x1x37x7", .tolerance = 4e-6},
    {0}};

static const TestRow rnn_rows[] = {
    {"by-hand", NULL, "2x1x1 = 1 2; const 1x1x1 = 1; const 1x1x1 = 1; const 1x2 = -1 0",
     "2x1x1x1 = 0 0.761594; 1x1x1 = 0.761594", .tolerance = 1e-5, .outputs = 2},
    {"relu", "activations=\"Relu\"", "6x3x5; const 1x7x5; const 1x7x7 in -0.3..0.3; const 1x14",
     "6x1x3x7; 1x3x7", .tolerance = 4e-6, .outputs = 2},
    {"both", BOTH, "6x3x5; const 2x7x5; const 2x7x7; -; const int32 3 = 1 6 3; " STATE ("2"),
     "6x2x3x7; 2x3x7", .tolerance = 4e-6, .outputs = 2},
    {0}};

const TestOperator test_recurrent[] = {
    {"LSTM", lstm_rows}, {"GRU", gru_rows}, {"RNN", rnn_rows}, {0}};
