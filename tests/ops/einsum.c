/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "harness.h"

static const TestRow rows[] = {
    {"product", "equation=\"ij,jk->ik\"", "2x2 = 1 2 3 4; 2x2 = 5 6 7 8", "2x2 = 19 22 43 50"},
    {"implicit", "equation=\"ij,jk\"", "2x2 = 1 2 3 4; 2x2 = 5 6 7 8", "2x2 = 19 22 43 50"},
    {"implicit-order", "equation=\"ba\"", "2x3 = 1 2 3 4 5 6", "3x2 = 1 4 2 5 3 6"},
    {"spaces", "equation=\" i j , j -> i \"", "2x2 = 1 2 3 4; 2 = 5 6", "2 = 17 39"},
    {"transpose", "equation=\"abc->cab\"", "2x3x5", "5x2x3"},
    {"sum", "equation=\"ij->\"", "2x2 = 1 2 3 4", "scalar = 10"},
    {"sum-rows", "equation=\"ij->i\"", "2x2 = 1 2 3 4", "2 = 3 7"},
    {"diagonal", "equation=\"ii->i\"", "2x2 = 1 2 3 4", "2 = 1 4"},
    {"trace", "equation=\"ii\"", "2x2 = 1 2 3 4", "scalar = 5"},
    {"diagonals", "equation=\"iijjj,jk->kij\"", "2x2x3x3x3; 3x4", "4x2x3"},
    {"outer", "equation=\"i,j->ij\"", "2 = 1 2; 2 = 3 4", "2x2 = 3 4 6 8"},
    {"batch", "equation=\"bij,bjk->bik\"", "2x3x5; 2x5x7", "2x3x7"},
    {"ellipsis", "equation=\"...ij,...jk->...ik\"", "2x1x3x5; 4x5x7", "2x4x3x7"},
    {"ellipsis-implicit", "equation=\"...ii->...i\"", "3x2x2", "3x2"},
    {"scores", "equation=\"bihd,bjhd->bhij\"", "2x5x3x7; 2x6x3x7", "2x3x5x6"},
    {"relative", "equation=\"bhwc,hkc->bhwk\"", "2x3x4x5; 3x6x5", "2x3x4x6"},
    {"three", "equation=\"ab,bc,cd->ad\"", "2x3; 3x4; 4x5", "2x5"},
    {"elementwise", "equation=\"bnc,bn->bnc\"", "2x5x3; 2x5", "2x5x3"},
    {"repeated", "equation=\"ij,j->i\"", "2x3; 1", "2"},
    {"alone", "equation=\"ij,k->i\"", "2x3; 4", "2"},
    {"empty", "equation=\"ij,jk->ik\"", "2x0; 0x3", "2x3 = 0 0 0 0 0 0"},
    {"capitals", "equation=\"Ab,bA->A\"", "3x2; 2x3", "3"},
    {"other-size", "equation=\"ij,jk->ik\"", "2x3; 4x5",
     .error = "axis 0 of input 1 is 4, elsewhere"},
    {"other-rank", "equation=\"ij,jk->ik\"", "2x3x4; 4x5", .error = "is no equation of 2 inputs"},
    {"unknown", "equation=\"ij->ik\"", "2x3", .error = "is no equation"},
    {"twice", "equation=\"ij->ii\"", "2x3", .error = "is no equation"},
    {"few", "equation=\"ij\"", "2x3; 2x3", .error = "is no equation"},
    {"none", NULL, "2x3", .error = "attribute “equation” is missing"},
    {0}};

const TestOperator test_einsum[] = {{"Einsum", rows}, {0}};
