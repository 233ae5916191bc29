/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Sound models, and what import makes of them. */
#pragma once

#include "base/error.h"
#include "builder.h"

typedef struct {
  const char *name;
  gint64 opset;
  void (*build) (Onnx__ModelProto *model);
  const char *text; /* of the graph */
} ModelRow;

extern const ModelRow model_rows[];
extern const guint n_model_rows;

/* (transfer full) */
Onnx__ModelProto *model_new_from_row (const ModelRow *row);

/* x → Conv0 (with w and b) → c → Relu1 → y. (transfer full) */
Onnx__ModelProto *model_new_small (void);

/* Import gives an error of that code, which names the model and has `message` in it. */
void assert_import_refuses (GBytes *bytes, const char *folder, EnsErrorCode code,
                            const char *message);
