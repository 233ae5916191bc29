/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tool.h"

const ToolTerm tool_device_names[] = {
    {"auto", "A GPU if there is one, else the CPU"},
    {"cpu", "The CPU, in float32"},
    {"vulkan", "The best GPU, or software such as Mesa's lavapipe"},
    {"vulkan:N", "The device of that number in the list"},
    {"vulkan:TEXT", "The device with that text in its name or UUID"},
    {"vulkan…+float16",
     "float16 storage with float32 accumulation: half the memory traffic; layers "
     "that overflow fall back to float32"},
    {NULL},
};

const ToolTerm tool_variables[] = {
    {"ENSEMBLE_LEVEL", "Instruction set on the CPU: baseline, avx2, avx512"},
    {"ENSEMBLE_MAX_MEMORY", "Bytes of a network's values (what the machine has)"},
    {"ENSEMBLE_MAX_OPERATIONS", "Operations of a network on an image (4000000000000)"},
    {"ENSEMBLE_MAX_PIXELS", "Larger pictures are refused, undecoded (128000000)"},
    {"ENSEMBLE_PLAN_MEMORY", "Bytes of plans a network keeps (64 MiB; GPU: 1 GiB)"},
    {"ENSEMBLE_VULKAN_MATRICES", "Cooperative matrices: none, subgroup, workgroup"},
    {"ENSEMBLE_VULKAN_NO_TEXELS", "1: storage buffers instead of texel buffers"},
    {"ENSEMBLE_VULKAN_STAGED", "1: staging buffers although memory is shared"},
    {"ENSEMBLE_VULKAN_VALIDATION", "1: Vulkan's validation layers, barriers checked"},
    {"G_MESSAGES_DEBUG", "gst-ensemble: log which device runs what"},
    {"GST_DEBUG", "ensembleclassify:6: log each frame (the element)"},
    {"XDG_CACHE_HOME", "Parent folder of gst-ensemble's caches (~/.cache)"},
    {NULL},
};
