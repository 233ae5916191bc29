/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The parts of a page about a retraining. */
#pragma once

#include "retraining.h"

/* Curves of loss, accuracy and learning rate, and their figures. */
void training_add_curves (GString *html, const GArray *history, const EnsRecipeResult *result);
/* A curve for each term of a loss, by the names that the task has, up to a NULL. */
void training_add_terms (GString *html, const GArray *history, const char *const *names);
/* Curves, maps and settings, and links to them. */
void training_add_sections (GString *html, const ToolRetraining *retraining,
                            const EnsFrameOpener *opener);
void training_add_links (GString *html, const ToolRetraining *retraining);
/* What was trained, on how many pictures, as a paragraph. */
void training_add_summary (GString *html, const EnsRecipeResult *result);
/* Pictures with what the network sees on them. */
void training_add_maps (GString *html, const GPtrArray *maps, const EnsFrameOpener *opener);
