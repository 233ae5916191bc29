/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a node records where its graph runs on a GPU: dispatches of shaders on views.
 *
 * Operators record once, when a plan is made; the plan runs many times. They know no more of the
 * device than stands here. Barriers are not theirs to set: each dispatch says what it reads and
 * writes, and the plan puts a barrier wherever one is needed. As in cpu_plan (), nothing but
 * constants has contents (EnsView.data, on the host) while recording. vulkan/recording.c implements
 * the interface (EnsCommandsClass). */
#pragma once

#include "graph/op.h"

#define ENS_MAX_BINDINGS 8
#define ENS_MAX_CONSTANTS 16

/* How float16 matrices are multiplied, with float32 accumulation. */
typedef enum {
  ENS_MATRIX_MODE_BEST,      /* as a request: the best mode that has run on some device, SUBGROUP */
  ENS_MATRIX_MODE_NONE,      /* the shader's own arithmetic */
  ENS_MATRIX_MODE_SUBGROUP,  /* small cooperative matrices, each of one subgroup */
  ENS_MATRIX_MODE_WORKGROUP, /* large ones, each of all subgroups of a workgroup */
} EnsMatrixMode;

/* "none", "subgroup" or "workgroup", as ENSEMBLE_VULKAN_MATRICES has them. */
const char *ens_matrix_mode_name (EnsMatrixMode mode);

/* Of a product of m × k by k × n elements. */
typedef struct {
  guint32 m, n, k;
} EnsMatrixShape;

/* Matrices of a workgroup of so many invocations may have any multiple of `unit`. */
typedef struct {
  guint32 invocations;
  EnsMatrixShape unit;
} EnsMatrixGroup;

#define ENS_MAX_MATRIX_GROUPS 8

typedef struct {
  EnsMatrixMode use;       /* the mode of this device's shaders */
  EnsMatrixShape fragment; /* SUBGROUP: what a subgroup multiplies at once */
  /* WORKGROUP: the fewest invocations first. */
  EnsMatrixGroup groups[ENS_MAX_MATRIX_GROUPS];
  guint n_groups;
  guint32 max_dimension;   /* rows and columns at most */
  guint32 reserved_shared; /* bytes of shared memory that the device needs for itself */
  gboolean by_subgroup;    /* the workgroups are single subgroups, and matrices are theirs */
  gboolean tensors;        /* matrices can be read from anywhere in memory, with bounds */
} EnsGpuMatrices;

/* What operators may choose a variant by. */
typedef struct {
  guint32 max_groups[3]; /* workgroups of one dispatch */
  guint32 max_group_size;
  guint32 max_shared; /* bytes of shared memory of a workgroup */
  guint32 subgroup_size;
  gboolean float16;           /* arithmetic; storage follows from the views' types */
  gboolean prefers_texels;    /* texel buffers are read faster than storage buffers */
  guint32 max_texel_elements; /* vec4 of one texel buffer */
  guint32 busy_groups;        /* about as many workgroups keep all of the device busy */
  EnsGpuMatrices matrices;
} EnsGpuTraits;

typedef enum {
  ENS_ACCESS_READ,
  ENS_ACCESS_WRITE,
  ENS_ACCESS_UPDATE, /* reads and writes the same elements */
  ENS_ACCESS_TEXELS, /* reads through a texel buffer, four elements at a time */
} EnsAccess;

typedef struct {
  const EnsView *view; /* an operand of the node, or from one of the functions below */
  EnsAccess access;
} EnsBinding;

typedef struct {
  const char *shader; /* stem of its file in shaders/ */
  EnsType storage;    /* FLOAT32 or FLOAT16: which variant, what its elements are */
  EnsBinding bindings[ENS_MAX_BINDINGS]; /* in the shader's order, from binding 0 on */
  guint n_bindings;
  /* Specialisation constants from constant_id 0 on. Every new combination is one more pipeline to
   * compile: they choose a formula and a tile, never the size of a tensor. */
  guint32 constants[ENS_MAX_CONSTANTS];
  guint n_constants;
  /* The push-constant block. It starts with one guint32 per binding, which recording fills in: the
   * view's first element, counted in elements (texels: in vec4) from where the binding starts. */
  gpointer push;
  gsize push_size;
  guint32 groups[3]; /* workgroups */
  /* The shader counts subgroups: all are to have traits.subgroup_size invocations. */
  gboolean full_subgroups;
} EnsDispatch;

/* What a kind of device implements; the functions below say what each member does. */
typedef struct {
  void (*dispatch) (EnsCommands *commands, const EnsDispatch *dispatch);
  gboolean (*can_run) (EnsCommands *commands, const EnsDispatch *dispatch);
  gboolean (*in_place) (const EnsCommands *commands, const EnsView *whole, gsize element,
                        const EnsView *part);
  gboolean (*aligned) (const EnsCommands *commands, const EnsView *view, guint n);
  const EnsView *(*scratch) (EnsCommands *commands, gsize size);
  const EnsView *(*table) (EnsCommands *commands, gconstpointer data, gsize size);
  const EnsView *(*pack) (EnsCommands *commands, EnsTensor *constant, const char *kind, gsize size,
                          EnsPackFunc pack, gpointer state);
} EnsCommandsClass;

/* The first member of what an implementation records into. */
struct _EnsCommands {
  const EnsCommandsClass *class;
  EnsGpuTraits traits;
};

const EnsGpuTraits *ens_commands_get_traits (const EnsCommands *commands);

void ens_commands_dispatch (EnsCommands *commands, const EnsDispatch *dispatch);

/* Whether the driver really compiles the shader with these constants; tried once for each
 * combination. For variants that a driver may announce and then fail to compile; the log reports a
 * failure. */
gboolean ens_commands_can_run (EnsCommands *commands, const EnsDispatch *dispatch);

/* Sets groups for n invocations in workgroups of `size`, along x and, where the device does not
 * allow that many, y: shaders number invocations by linear_index () of shaders/common.glsl. */
void ens_commands_cover (const EnsCommands *commands, EnsDispatch *dispatch, gsize n, guint32 size);

/* Whether `part` is stored in `whole` from that element (not index) on: there is nothing to copy.
 */
gboolean ens_commands_in_place (const EnsCommands *commands, const EnsView *whole, gsize element,
                                const EnsView *part);

/* Whether the view and each of its rows begin at a multiple of n elements, so that n neighbours can
 * be read and written at once. */
gboolean ens_commands_aligned (const EnsCommands *commands, const EnsView *view, guint n);
gboolean ens_commands_by_four (const EnsCommands *commands, const EnsView *view);

/* `size` bytes that hold what earlier dispatches of the same node wrote; undefined at its start.
 * Elements of the view are of 4 bytes. */
const EnsView *ens_commands_scratch (EnsCommands *commands, gsize size);

/* Small tables of 4-byte elements that shaders read: strides of more axes than push constants hold.
 * Copied. */
const EnsView *ens_commands_table (EnsCommands *commands, gconstpointer data, gsize size);

/* The packed form of a constant on the device, made once for all plans of the network, as
 * ens_packed_weights_get () of graph/op.h does on the CPU: `kind` names the form, of `size` bytes.
 */
const EnsView *ens_commands_pack (EnsCommands *commands, EnsTensor *constant, const char *kind,
                                  gsize size, EnsPackFunc pack, gpointer state);
