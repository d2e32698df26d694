/* The command line; see options.h. */
#include "runner/host/options.h"

#include <string.h>

#include "runner/base/error.h"

const char options_help[] =
    "Usage: task-runner-python            serve n8n's task broker\n"
    "       task-runner-python exec FILE.py [--items FILE.json|-] [--each] [--query TEXT]\n"
    "                                     run one script as a Code node would, without a broker\n"
    "       task-runner-python check [--json]\n"
    "                                     try the walls, and import every allowed package behind\n"
    "                                     them; exits with 0 when all that the settings ask for "
    "holds\n"
    "       task-runner-python --help | --version\n"
    "\n"
    "exec prints the result as JSON on standard output and what the script prints on standard\n"
    "error; it exits with 1 and the error as n8n would show it when the script fails.\n"
    "  --items FILE   the input items: a JSON list, `-` for standard input (default: [])\n"
    "  --each         run the script once for each item (`_item`), not once for all (`_items`)\n"
    "  --query TEXT   the query of an AI tool call: JSON, or else a plain text (`_query`)\n"
    "\n"
    "Settings come from the environment; NAME_FILE names a file to read NAME from. The main ones:\n"
    "  N8N_RUNNERS_TASK_BROKER_URI   where the broker is (default: http://127.0.0.1:5679)\n"
    "  N8N_RUNNERS_AUTH_TOKEN        the token that n8n has, too\n"
    "  N8N_RUNNERS_STDLIB_ALLOW      standard library modules that tasks may import: json,re or *\n"
    "  N8N_RUNNERS_EXTERNAL_ALLOW    packages that tasks may import\n"
    "  N8N_RUNNERS_MAX_CONCURRENCY   tasks at once (default: 5)\n"
    "  N8N_RUNNERS_TASK_TIMEOUT      seconds a task may take (default: 60)\n"
    "  N8N_RUNNERS_TASK_MEMORY_MB    memory a task may use (default: 0, no limit of its own)\n"
    "  N8N_RUNNERS_TASK_NETWORK      deny or allow (default: deny)\n"
    "  N8N_RUNNERS_TASK_TMP_MB       what a task may write to a folder of its own (default: 0)\n"
    "  N8N_RUNNERS_SANDBOX           the kernel's walls: auto (the most that the system gives),\n"
    "                                require (seccomp and Landlock, or no start) or off\n"
    "All of them, and what they do, are in the README.\n";

/* The value of an option: the next argument. */
static int take_value(const char **value, int argc, char **argv, int *at, struct error **err)
{
    if (*at + 1 >= argc)
        return error_set(err, "%s needs a value: see --help", argv[*at]);
    *value = argv[++*at];
    return 0;
}

static int read_exec(struct options *options, int argc, char **argv, struct error **err)
{
    options->command = COMMAND_EXEC;
    for (int i = 2; i < argc; i++) {
        int failed = 0;

        if (strcmp(argv[i], "--items") == 0)
            failed = take_value(&options->items, argc, argv, &i, err);
        else if (strcmp(argv[i], "--query") == 0)
            failed = take_value(&options->query, argc, argv, &i, err);
        else if (strcmp(argv[i], "--each") == 0)
            options->each = true;
        else if (argv[i][0] == '-' && argv[i][1])
            return error_set(err, "exec: unknown option %s: see --help", argv[i]);
        else if (options->file)
            return error_set(err, "exec: one script at a time, not `%s` too", argv[i]);
        else
            options->file = argv[i];
        if (failed < 0)
            return -1;
    }
    return options->file ? 0 : error_set(err, "exec: which script? See --help");
}

static int read_check(struct options *options, int argc, char **argv, struct error **err)
{
    options->command = COMMAND_CHECK;
    for (int i = 2; i < argc; i++) {
        if (strcmp(argv[i], "--json") != 0)
            return error_set(err, "check: unknown argument %s: see --help", argv[i]);
        options->json = true;
    }
    return 0;
}

/* True for what n8n and its launcher start Python with; moves past a value. */
static bool is_pythons(int argc, char **argv, int *at)
{
    if (strcmp(argv[*at], "-I") == 0 || strcmp(argv[*at], "-B") == 0)
        return true;
    if (*at + 1 < argc &&
        ((strcmp(argv[*at], "-X") == 0 && strcmp(argv[*at + 1], "disable_remote_debug") == 0) ||
         (strcmp(argv[*at], "-m") == 0 && strcmp(argv[*at + 1], "src.main") == 0))) {
        ++*at;
        return true;
    }
    return false;
}

int options_read(struct options *options, int argc, char **argv, struct error **err)
{
    *options = (struct options){.command = COMMAND_SERVE};
    if (argc > 1 && strcmp(argv[1], "exec") == 0)
        return read_exec(options, argc, argv, err);
    if (argc > 1 && strcmp(argv[1], "check") == 0)
        return read_check(options, argc, argv, err);
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
            options->command = COMMAND_HELP;
        else if (strcmp(argv[i], "--version") == 0 || strcmp(argv[i], "-V") == 0)
            options->command = COMMAND_VERSION;
        else if (!is_pythons(argc, argv, &i))
            return error_set(err, "unknown %s %s: see --help",
                             argv[i][0] == '-' ? "option" : "command", argv[i]);
    }
    return 0;
}
