/*
 * The demo broker: n8n's side of the runner protocol, for the demo, the tests and the benchmark.
 *
 * One thread runs the loop (server.c): HTTP, WebSockets, timers. A second one (lines.c) only reads
 * standard input and wakes the first. Orders come in as JSON lines (command.c), what happens goes
 * out as JSON lines (event.c). It ends with its standard input, so that it never outlives a test.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runner/base/error.h"
#include "runner/base/mem.h"
#include "tests/broker/broker.h"
#include "tests/broker/lines.h"
#include "tests/broker/server.h"

static const char help[] =
    "usage: demo-broker [--port N] [--host ADDRESS] [--auth-token T] [--no-auth-check]\n"
    "                   [--tls CERT KEY] [--path PREFIX]\n"
    "\n"
    "n8n's task broker for trying a runner out. Port 0 (the default) lets the system pick one;\n"
    "the first line of output says which. Without --auth-token every token is good; with\n"
    "--no-auth-check an upgrade needs no grant token either.\n"
    "\n"
    "Events are written to standard output and commands read from standard input, one JSON\n"
    "object per line; the end of input means quit. Each command is an object with \"cmd\":\n"
    "  task taskId settings [quiet] [retry] [settingsDelayMs] [oneFrame]   settings null: none "
    "sent\n"
    "  accept taskId offerId         settings taskId settings       cancel taskId reason\n"
    "  send raw    sendBinary raw    sendFragmented raw size        sendBytes hex\n"
    "  rpcAnswers on                 expireOffers                   drain\n"
    "  ping        drop              close code                     stopReading ms\n"
    "  refuse what status count      silent what count              what: auth, upgrade\n"
    "  grant                         bench tasks concurrency settings\n"
    "  quit\n"
    "\"runner\":ID picks a runner; without it a command means the newest, or the task's own.\n";

static int usage(const char *wrong)
{
    fprintf(stderr, "demo-broker: %s; try --help\n", wrong);
    return 2;
}

/* 0: go on; otherwise the exit code + 1. */
static int parse(int argc, char **argv, struct broker *broker, struct server_options *options)
{
    for (int i = 1; i < argc; i++) {
        const char *name = argv[i];

        if (strcmp(name, "--help") == 0) {
            fputs(help, stdout);
            return 1;
        }
        if (strcmp(name, "--no-auth-check") == 0) {
            broker->door.unchecked = true;
            continue;
        }
        if (strcmp(name, "--tls") == 0 && i + 2 < argc) {
            options->cert = argv[++i];
            options->key = argv[++i];
            continue;
        }
        if (++i >= argc)
            return 1 + usage("an unknown option, or one without its value");
        if (strcmp(name, "--port") == 0)
            options->port = (int)strtol(argv[i], NULL, 10);
        else if (strcmp(name, "--host") == 0)
            options->host = argv[i];
        else if (strcmp(name, "--auth-token") == 0)
            broker->door.auth_token = argv[i];
        else if (strcmp(name, "--path") == 0)
            broker->path = argv[i];
        else
            return 1 + usage("an unknown option");
    }
    return 0;
}

int main(int argc, char **argv)
{
    static struct broker broker = {.path = ""}; /* the reading thread may look at it to the last */
    struct server_options options = {.host = "127.0.0.1"};
    AUTO_ERROR struct error *err = NULL;
    int ending = parse(argc, argv, &broker, &options);

    if (ending)
        return ending - 1;
    if (server_start(&broker, &options, &err) == 0 &&
        (broker.lines = lines_start(server_wake, &broker, &err)))
        server_run(&broker);
    lines_mute(broker.lines);
    server_stop(&broker);
    if (!err)
        return 0;
    fprintf(stderr, "demo-broker: %s\n", error_text(err));
    return 1;
}
