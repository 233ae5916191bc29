/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the files of the memory planner share. */
#pragma once

#include "passes/memory.h"
#include "passes/rewrite.h"

/* Values that share one block of memory. */
struct _EnsMemoryClass {
  gboolean root; /* else this value has joined another one's class */
  EnsPlaceKind kind;
  guint index;      /* as EnsPlace.index */
  gsize size;       /* bytes */
  int first, last;  /* times of the nodes that first write and last read it */
  guint last_users; /* how many nodes use it at its last time, and the position of one of them */
  guint last_user;
  gboolean pitched; /* all that read or write it take pitched tensors */
  gsize offset;     /* in the arena */
};
typedef struct _EnsMemoryClass EnsMemoryClass;

/* A value's place within another one's memory. */
typedef struct {
  guint parent;    /* a value index; its own: the value is the root of its class */
  gsize offset;    /* bytes from the parent's first one */
  gboolean column; /* a slice of the parent's last dimension, so it has the parent's pitch */
} EnsMemoryLink;

/* While the plan is being made. */
typedef struct {
  const EnsGraph *graph;
  const guint *times;      /* by node position */
  EnsMemoryClass *classes; /* by value index; of roots */
  EnsMemoryLink *links;    /* by value index */
  guint *roots;   /* by value index: a value that is nearer to its class's root, or is it */
  gboolean *skip; /* by node position */
} EnsMemoryPlanner;

/* Joins the classes of values that can share memory; fills links and skip. */
void ens_memory_share (EnsMemoryPlanner *planner);

/* The value's place as far as its class and links tell, before there are offsets in the arena. */
EnsPlace ens_memory_locate (const EnsMemoryPlanner *planner, const EnsValue *value);
/* The same for all values. */
void ens_memory_locate_all (const EnsMemoryPlanner *planner, EnsPlace *places);
