/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kernels/softmax.h"

#include "kernels/kernels.h"

float
ens_softmax_exponentials (const EnsKernels *kernels, const EnsSoftmaxRow *row)
{
  return kernels->softmax (row);
}
