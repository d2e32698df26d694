/*
 * Runs a command under a container engine's seccomp profile, as the engine would for a container
 * without capabilities: under-profile PROFILE.json COMMAND [ARGUMENT...]
 *
 * Reads the JSON that Docker and its relatives ship: a default action, and lists of names with an
 * action, conditions on arguments, and the capabilities and machines that each list is for.
 */
#include <cjson/cJSON.h>
#include <errno.h>
#include <seccomp.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "runner/base/buf.h"
#include "runner/base/error.h"
#include "runner/base/io.h"
#include "runner/base/mem.h"

enum { PROFILE_MAX = 1 << 20, CONDITIONS_MAX = 6 };

#if defined(__x86_64__)
static const char machine[] = "amd64";
#elif defined(__aarch64__)
static const char machine[] = "arm64";
#else
static const char machine[] = "?";
#endif

static uint32_t action_of(const cJSON *rule, uint32_t errno_default)
{
    const char *name = cJSON_GetStringValue(cJSON_GetObjectItem(rule, "action"));
    const cJSON *number = cJSON_GetObjectItem(rule, "errnoRet");

    if (name && strcmp(name, "SCMP_ACT_ALLOW") == 0)
        return SCMP_ACT_ALLOW;
    return SCMP_ACT_ERRNO(cJSON_IsNumber(number) ? (uint32_t)number->valueint : errno_default);
}

static bool has(const cJSON *list, const char *text)
{
    const cJSON *entry;

    cJSON_ArrayForEach(entry, list)
    {
        if (cJSON_IsString(entry) && strcmp(entry->valuestring, text) == 0)
            return true;
    }
    return false;
}

/* A list that is for a capability, which we have none of, or for another machine. */
static bool applies(const cJSON *rule)
{
    const cJSON *includes = cJSON_GetObjectItem(rule, "includes");
    const cJSON *excludes = cJSON_GetObjectItem(rule, "excludes");
    const cJSON *machines = cJSON_GetObjectItem(includes, "arches");

    if (cJSON_GetArraySize(cJSON_GetObjectItem(includes, "caps")) > 0)
        return false;
    if (cJSON_GetArraySize(machines) > 0 && !has(machines, machine))
        return false;
    return !has(cJSON_GetObjectItem(excludes, "arches"), machine);
}

static enum scmp_compare comparison(const char *name)
{
    static const struct {
        const char *name;
        enum scmp_compare compare;
    } table[] = {
        {"SCMP_CMP_NE", SCMP_CMP_NE}, {"SCMP_CMP_LT", SCMP_CMP_LT},
        {"SCMP_CMP_LE", SCMP_CMP_LE}, {"SCMP_CMP_GE", SCMP_CMP_GE},
        {"SCMP_CMP_GT", SCMP_CMP_GT}, {"SCMP_CMP_MASKED_EQ", SCMP_CMP_MASKED_EQ},
    };

    for (size_t i = 0; name && i < ARRAY_COUNT(table); i++)
        if (strcmp(table[i].name, name) == 0)
            return table[i].compare;
    return SCMP_CMP_EQ;
}

static unsigned conditions_of(const cJSON *rule, struct scmp_arg_cmp *conditions)
{
    const cJSON *entry;
    unsigned count = 0;

    cJSON_ArrayForEach(entry, cJSON_GetObjectItem(rule, "args"))
    {
        const cJSON *index = cJSON_GetObjectItem(entry, "index");
        const cJSON *value = cJSON_GetObjectItem(entry, "value");
        const cJSON *second = cJSON_GetObjectItem(entry, "valueTwo");

        if (count == CONDITIONS_MAX || !index || !value)
            break;
        conditions[count++] = (struct scmp_arg_cmp){
            .arg = (unsigned)index->valueint,
            .op = comparison(cJSON_GetStringValue(cJSON_GetObjectItem(entry, "op"))),
            .datum_a = (scmp_datum_t)value->valuedouble,
            .datum_b = second ? (scmp_datum_t)second->valuedouble : 0};
    }
    return count;
}

static int add_rule(scmp_filter_ctx filter, const cJSON *rule, uint32_t errno_default)
{
    struct scmp_arg_cmp conditions[CONDITIONS_MAX];
    unsigned count = conditions_of(rule, conditions);
    uint32_t action = action_of(rule, errno_default);
    const cJSON *name;

    cJSON_ArrayForEach(name, cJSON_GetObjectItem(rule, "names"))
    {
        int number = seccomp_syscall_resolve_name(name->valuestring);
        int failed =
            number < 0 ? 0 : seccomp_rule_add_array(filter, action, number, count, conditions);

        /* what is the default already, or stands twice */
        if (failed < 0 && failed != -EACCES && failed != -EEXIST) {
            fprintf(stderr, "under-profile: %s: %s\n", name->valuestring, strerror(-failed));
            return -1;
        }
    }
    return 0;
}

static int load(const cJSON *profile)
{
    const cJSON *number = cJSON_GetObjectItem(profile, "defaultErrnoRet"), *rule;
    const char *action = cJSON_GetStringValue(cJSON_GetObjectItem(profile, "defaultAction"));
    uint32_t errno_default = cJSON_IsNumber(number) ? (uint32_t)number->valueint : EPERM;
    scmp_filter_ctx filter = seccomp_init(action && strcmp(action, "SCMP_ACT_ALLOW") == 0
                                              ? SCMP_ACT_ALLOW
                                              : SCMP_ACT_ERRNO(errno_default));
    int failed = filter ? 0 : -ENOMEM;

    cJSON_ArrayForEach(rule, cJSON_GetObjectItem(profile, "syscalls"))
    {
        if (failed == 0 && applies(rule))
            failed = add_rule(filter, rule, EPERM);
    }
    if (failed == 0)
        failed = seccomp_load(filter);
    if (filter)
        seccomp_release(filter);
    return failed;
}

int main(int argc, char **argv)
{
    AUTO_ERROR struct error *err = NULL;
    AUTO_BUF struct buf text = {0};
    cJSON *profile;

    if (argc < 3) {
        fputs("Usage: under-profile PROFILE.json COMMAND [ARGUMENT...]\n", stderr);
        return 2;
    }
    if (io_read_file(argv[1], PROFILE_MAX, &text, &err) < 0) {
        fprintf(stderr, "under-profile: %s\n", error_text(err));
        return 2;
    }
    profile = cJSON_ParseWithLength(text.data, text.length);
    if (!profile || load(profile) < 0) {
        fprintf(stderr, "under-profile: `%s` is no profile that can be loaded\n", argv[1]);
        return 2;
    }
    cJSON_Delete(profile);
    execvp(argv[2], argv + 2);
    fprintf(stderr, "under-profile: %s: %s\n", argv[2], strerror(errno));
    return 127;
}
