/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Selecting a device. */
#include <string.h>

#include "base/error.h"
#include "vulkan/physical.h"

/* Larger is better. */
static int
rank_type (VkPhysicalDeviceType type)
{
  switch (type) {
  case VK_PHYSICAL_DEVICE_TYPE_DISCRETE_GPU:
    return 4;
  case VK_PHYSICAL_DEVICE_TYPE_INTEGRATED_GPU:
    return 3;
  case VK_PHYSICAL_DEVICE_TYPE_VIRTUAL_GPU:
    return 2;
  case VK_PHYSICAL_DEVICE_TYPE_CPU:
    return 1;
  default:
    return 0;
  }
}

/* The first of the best kind, or NULL. */
static const EnsVulkanPhysical *
find_best (const GArray *list)
{
  const EnsVulkanPhysical *best = NULL;

  for (guint i = 0; i < list->len; i++) {
    const EnsVulkanPhysical *physical = &g_array_index (list, EnsVulkanPhysical, i);

    if (physical->unfit == NULL
        && (best == NULL || rank_type (physical->type) > rank_type (best->type)))
      best = physical;
  }
  return best;
}

/* The best that is no software, or NULL. */
static const EnsVulkanPhysical *
find_gpu (const GArray *list)
{
  const EnsVulkanPhysical *best = find_best (list);

  return best != NULL && !ens_vulkan_physical_is_software (best) ? best : NULL;
}

/* Part of a name, whatever its case, or of a UUID, with or without dashes. */
static gboolean
matches (const EnsVulkanPhysical *physical, const char *selector)
{
  g_autofree char *name = g_utf8_casefold (physical->name, -1);
  g_autofree char *uuid = ens_vulkan_uuid_to_string (physical->uuid);
  g_autofree char *wanted = g_utf8_casefold (selector, -1);
  g_auto (GStrv) digits = g_strsplit (wanted, "-", -1);
  g_autofree char *plain = g_strjoinv (NULL, digits);

  return strstr (name, wanted) != NULL || (*plain != '\0' && strstr (uuid, plain) != NULL);
}

static const EnsVulkanPhysical *
find (const GArray *list, const char *selector)
{
  guint64 index;

  if (selector == NULL)
    return find_gpu (list);
  if (*selector == '\0')
    return find_best (list);
  if (g_ascii_string_to_unsigned (selector, 10, 0, G_MAXUINT32, &index, NULL)
      && strlen (selector) <= 2)
    return index < list->len ? &g_array_index (list, EnsVulkanPhysical, index) : NULL;
  for (guint i = 0; i < list->len; i++)
    if (matches (&g_array_index (list, EnsVulkanPhysical, i), selector))
      return &g_array_index (list, EnsVulkanPhysical, i);
  return NULL;
}

static char *
list_names (const GArray *list)
{
  GString *text = g_string_new (NULL);

  for (guint i = 0; i < list->len; i++) {
    const EnsVulkanPhysical *physical = &g_array_index (list, EnsVulkanPhysical, i);

    g_string_append_printf (text, "%s%u: %s", i > 0 ? ", " : "", i, physical->name);
  }
  return g_string_free (text, FALSE);
}

const EnsVulkanPhysical *
ens_vulkan_select (const GArray *list, const char *selector, GError **error)
{
  const EnsVulkanPhysical *physical = find (list, selector);
  g_autofree char *names = NULL;

  if (physical != NULL && physical->unfit == NULL)
    return physical;
  names = list_names (list);
  if (list->len == 0)
    ens_vulkan_set_no_driver (error);
  else if (physical != NULL)
    g_set_error (error, ENS_ERROR, ENS_ERROR_UNSUPPORTED, "%s can't be used: %s", physical->name,
                 physical->unfit);
  else if (selector == NULL)
    g_set_error (error, ENS_ERROR, ENS_ERROR_UNSUPPORTED, "no real GPU was found among %s", names);
  else
    g_set_error (error, ENS_ERROR, ENS_ERROR_UNSUPPORTED,
                 "no Vulkan device matches “%s”, expected a number, or part of a name or UUID; "
                 "there are %s",
                 selector, names);
  return NULL;
}
