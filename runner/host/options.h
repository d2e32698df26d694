/* The command line. Pure. */
#ifndef HOST_OPTIONS_H
#define HOST_OPTIONS_H

#include <stdbool.h>

struct error;

enum command {
    COMMAND_SERVE,
    COMMAND_EXEC,
    COMMAND_CHECK,
    COMMAND_HELP,
    COMMAND_VERSION,
};

struct options {
    enum command command;
    const char *file;  /* of exec; "-" is standard input */
    const char *items; /* a path, "-", or NULL: [{"json": {}}] is not assumed, but [] */
    const char *query; /* JSON, or a text; NULL: none */
    bool each;
    bool json; /* of check */
};

extern const char options_help[];

/* Reads the command line; texts are borrowed from `argv`. What Python was started with in our place
 * (-I -B -X disable_remote_debug -m src.main) is accepted and means nothing. -1 with `err`. */
int options_read(struct options *options, int argc, char **argv, struct error **err);

#endif
