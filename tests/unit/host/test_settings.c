/* The settings, the lists, the broker's address and the command line. */
#include "tests/unit/unit.h"

#include <stdlib.h>

#include "allowlist/policy.h"
#include "runner/base/error.h"
#include "runner/base/mem.h"
#include "runner/host/config.h"
#include "runner/host/options.h"
#include "runner/host/uri.h"

/* An environment: names and values in turn, ended by NULL. */
static const char *from_list(void *owner, const char *name)
{
    const char *const *list = owner;

    for (; list[0]; list += 2)
        if (strcmp(list[0], name) == 0)
            return list[1];
    return NULL;
}

static int load(struct config *config, const char **list, struct error **err)
{
    return config_load(config, from_list, list, CONFIG_SERVE, err);
}

static void defaults(void **state)
{
    const char *list[] = {"N8N_RUNNERS_AUTH_TOKEN", "t", NULL};
    AUTO_ERROR struct error *err = NULL;
    struct config config;

    (void)state;
    assert_int_equal(load(&config, list, &err), 0);
    assert_string_equal(config.broker_uri, "http://127.0.0.1:5679");
    assert_int_equal(config.max_concurrency, 5);
    assert_int_equal(config.max_payload, 1073741824);
    assert_int_equal(config.task_timeout, 60);
    assert_int_equal(config.auto_shutdown_timeout, 0);
    assert_int_equal(config.graceful_shutdown_timeout, 10);
    assert_false(config.health_enabled);
    assert_int_equal(config.health_port, 5681);
    assert_true(config.block_env_access);
    assert_int_equal(config.policy.stdlib.count, 0);
    assert_true(name_list_has(&config.policy.builtins_deny, "__build_class__"));
    config_free(&config);
}

static void an_empty_list_is_not_the_default(void **state)
{
    const char *list[] = {"N8N_RUNNERS_AUTH_TOKEN", "t", "N8N_RUNNERS_BUILTINS_DENY", "", NULL};
    AUTO_ERROR struct error *err = NULL;
    struct config config;

    (void)state;
    assert_int_equal(load(&config, list, &err), 0);
    assert_int_equal(config.policy.builtins_deny.count, 0);
    config_free(&config);
}

static void every_problem_is_named(void **state)
{
    const char *list[] = {"N8N_RUNNERS_AUTH_TOKEN",
                          "t",
                          "N8N_RUNNERS_TASK_TIMEOUT",
                          "0",
                          "N8N_RUNNERS_MAX_PAYLOAD",
                          "lots",
                          "N8N_RUNNERS_STDLIB_ALLOW",
                          "*,a",
                          NULL};
    AUTO_ERROR struct error *err = NULL;
    struct config config;

    (void)state;
    assert_int_equal(load(&config, list, &err), -1);
    assert_non_null(strstr(error_text(err), "N8N_RUNNERS_TASK_TIMEOUT is `0`"));
    assert_non_null(strstr(error_text(err), "N8N_RUNNERS_MAX_PAYLOAD is `lots`"));
    assert_non_null(strstr(error_text(err), "N8N_RUNNERS_STDLIB_ALLOW is `*,a`"));
}

static void choices_are_names(void **state)
{
    const char *good[] = {"N8N_RUNNERS_AUTH_TOKEN",
                          "t",
                          "N8N_RUNNERS_SANDBOX",
                          "require",
                          "N8N_RUNNERS_TASK_NETWORK",
                          "Allow",
                          NULL};
    const char *bad[] = {"N8N_RUNNERS_AUTH_TOKEN", "t", "N8N_RUNNERS_SANDBOX", "aut", NULL};
    AUTO_ERROR struct error *err = NULL;
    struct config config;

    (void)state;
    assert_int_equal(load(&config, good, &err), 0);
    assert_int_equal(config.sandbox, SANDBOX_CHOICE_REQUIRE);
    assert_int_equal(config.network, NETWORK_ALLOW);
    config_free(&config);
    assert_int_equal(load(&config, bad, &err), -1);
    assert_string_equal(error_text(err),
                        "N8N_RUNNERS_SANDBOX is `aut`: it must be one of auto, require, off");
}

static bool has_entry(char *const *environment, const char *entry)
{
    for (; *environment; environment++)
        if (strcmp(*environment, entry) == 0)
            return true;
    return false;
}

static void children_see_what_the_setting_says(void **state)
{
    char tz[] = "TZ=UTC", mine[] = "MINE=1", token[] = "N8N_RUNNERS_AUTH_TOKEN=t",
         copy[] = "COPY=a-long-token", file[] = "X_FILE=/x", dsn[] = "N8N_SENTRY_DSN=d";
    char *environment[] = {tz, mine, token, copy, file, dsn, NULL};
    struct config config = {.block_env_access = true, .auth_token = copy + strlen("COPY=")};
    char **child = config_child_environment(&config, environment);

    (void)state;
    assert_true(has_entry(child, tz));
    assert_null(child[1]);
    config_free_environment(child);
    config.block_env_access = false;
    child = config_child_environment(&config, environment);
    assert_true(has_entry(child, tz));
    assert_true(has_entry(child, mine));
    assert_null(child[2]);
    config_free_environment(child);
}

static void lists_are_parsed(void **state)
{
    AUTO_ERROR struct error *err = NULL;
    struct name_list list;
    char *text;

    (void)state;
    assert_int_equal(name_list_parse(&list, "S", " b ,, a,b\n, C", &err), 0);
    text = name_list_text(&list);
    assert_string_equal(text, "C, a, b");
    assert_true(name_list_has(&list, "a"));
    assert_false(name_list_has(&list, "A"));
    free(text);
    name_list_free(&list);
    assert_int_equal(name_list_parse(&list, "S", " * ", &err), 0);
    assert_true(list.all);
    name_list_free(&list);
    assert_int_equal(name_list_parse(&list, "S", "*,a", &err), -1);
}

static void modules_are_judged_by_their_top(void **state)
{
    AUTO_ERROR struct error *err = NULL;
    struct policy policy = {0};
    char *text;

    (void)state;
    assert_int_equal(name_list_parse(&policy.stdlib, "S", "os,json", &err), 0);
    assert_true(policy_allows(&policy, "os.path", true));
    assert_false(policy_allows(&policy, "osx", true));
    assert_false(policy_allows(&policy, "os", false));
    assert_true(policy_checks_code(&policy));
    text = policy_refusal(&policy, "sys", true);
    assert_string_equal(text, "Import of standard library module 'sys' is disallowed. Allowed "
                              "stdlib modules: json, os");
    free(text);
    text = policy_refusal(&policy, "numpy", false);
    assert_string_equal(text, "Import of external package 'numpy' is disallowed. Allowed external "
                              "packages: none");
    free(text);
    policy_free(&policy);
}

static void addresses(void **state)
{
    static const struct {
        const char *text, *host, *path, *authority;
        int port;
        bool tls;
    } rows[] = {
        {"http://127.0.0.1:5679", "127.0.0.1", "", "127.0.0.1:5679", 5679, false},
        {"localhost:5679", "localhost", "", "localhost:5679", 5679, false},
        {"https://n8n.example/", "n8n.example", "", "n8n.example", 443, true},
        {"wss://h/a/b/", "h", "/a/b", "h", 443, true},
        {"http://[::1]:80", "::1", "", "[::1]", 80, false},
    };
    static const char *const bad[] = {
        "ftp://h",       "http://",        "http://:1",     "http://h:0",  "http://h:99999",
        "http://u:pw@h", "http://u:p w@h", "ftp://u:pw@h",  "http://h/?q", "http://h#f",
        "http://h o",    "http://[::1",    "http://[[::1]", "http://h]"};

    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        AUTO_ERROR struct error *err = NULL;
        AUTO_FREE char *authority = NULL;
        struct uri uri;

        assert_int_equal(uri_parse(&uri, "S", rows[i].text, &err), 0);
        authority = uri_authority(&uri);
        assert_string_equal(uri.host, rows[i].host);
        assert_string_equal(uri.path, rows[i].path);
        assert_string_equal(authority, rows[i].authority);
        assert_int_equal(uri.port, rows[i].port);
        assert_int_equal(uri.tls, rows[i].tls);
        uri_free(&uri);
    }
    for (size_t i = 0; i < ARRAY_COUNT(bad); i++) {
        AUTO_ERROR struct error *err = NULL;
        struct uri uri;

        if (uri_parse(&uri, "S", bad[i], &err) == 0)
            fail_msg("%s is no address", bad[i]);
        assert_non_null(strstr(error_text(err), "S"));
        if (strchr(bad[i], '@') && strpbrk(error_text(err), "@`"))
            fail_msg("%s is shown, and may hold a password", bad[i]);
    }
}

static void command_lines(void **state)
{
    char program[] = "p", isolated[] = "-I", x[] = "-X", debug[] = "disable_remote_debug",
         m[] = "-m", main_module[] = "src.main", exec[] = "exec", file[] = "f.py",
         each[] = "--each", wrong[] = "--wrong";
    char *python[] = {program, isolated, x, debug, m, main_module};
    char *script[] = {program, exec, file, each};
    char *unknown[] = {program, wrong};
    AUTO_ERROR struct error *err = NULL;
    struct options options;

    (void)state;
    assert_int_equal(options_read(&options, 6, python, &err), 0);
    assert_int_equal(options.command, COMMAND_SERVE);
    assert_int_equal(options_read(&options, 4, script, &err), 0);
    assert_int_equal(options.command, COMMAND_EXEC);
    assert_string_equal(options.file, "f.py");
    assert_true(options.each);
    assert_int_equal(options_read(&options, 2, unknown, &err), -1);
    assert_non_null(strstr(error_text(err), "--wrong"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults),
        cmocka_unit_test(an_empty_list_is_not_the_default),
        cmocka_unit_test(every_problem_is_named),
        cmocka_unit_test(choices_are_names),
        cmocka_unit_test(children_see_what_the_setting_says),
        cmocka_unit_test(lists_are_parsed),
        cmocka_unit_test(modules_are_judged_by_their_top),
        cmocka_unit_test(addresses),
        cmocka_unit_test(command_lines),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
