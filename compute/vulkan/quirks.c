/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Driver workarounds: abilities that a driver announces, but that others found broken or slow. */
#include "vulkan/physical.h"

#include <string.h>

static const EnsDriverQuirk quirks[] = {
    {VK_DRIVER_ID_AMD_PROPRIETARY, ENS_QUIRK_NO_MATRICES,
     "AMD's own driver reports cooperative matrices on GPUs that have none, and may crash when "
     "asked about them (llama.cpp pull requests 11074 and 22750)"},
    {VK_DRIVER_ID_AMD_OPEN_SOURCE, ENS_QUIRK_NO_MATRICES,
     "AMDVLK reports cooperative matrices on GPUs that have none, and may crash when asked about "
     "them (llama.cpp pull requests 11074 and 22750)"},
    {VK_DRIVER_ID_INTEL_OPEN_SOURCE_MESA, ENS_QUIRK_NO_MATRICES,
     "Mesa emulates cooperative matrices on Intel GPUs, slower than doing without (llama.cpp pull "
     "request 10597)"},
    {VK_DRIVER_ID_INTEL_PROPRIETARY_WINDOWS, ENS_QUIRK_NO_MATRICES,
     "Intel's driver gives wrong results with cooperative matrices (llama.cpp pull request "
     "10597)"},
    {VK_DRIVER_ID_MESA_TURNIP, ENS_QUIRK_NO_FULL_SUBGROUPS,
     "Turnip crashes compiling large shaders that ask for full subgroups (ncnn, src/gpu.cpp)"},
};

const EnsDriverQuirk *
ens_vulkan_find_quirk (VkDriverId driver)
{
  for (guint i = 0; i < G_N_ELEMENTS (quirks); i++)
    if (quirks[i].driver == driver)
      return &quirks[i];
  return NULL;
}
