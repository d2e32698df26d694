/* What Python said when it came up, for the log. */
#ifndef HOST_PYTHON_READY_H
#define HOST_PYTHON_READY_H

#include <stdbool.h>

struct config;

/* Logs Python's version and its walls (info), and its warnings: `text` is what the zygote's READY
 * carries. */
void python_ready_log(const char *text, const struct config *config);

#endif
