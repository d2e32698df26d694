/* A second opinion on JSON; see grammar.h. */
#include "tests/fuzz/grammar.h"

#include <string.h>

struct place {
    const char *at, *end;
    grammar_visit *visit; /* of what the outermost container holds, or NULL */
    void *owner;
};

static enum json_type value(struct place *p, int depth);

static void blanks(struct place *p)
{
    while (p->at < p->end && (*p->at == 0x20 || *p->at == 0x09 || *p->at == 0x0a || *p->at == 0x0d))
        p->at++;
}

/* Moves past one byte from `first` to `last`. */
static bool between(struct place *p, char first, char last)
{
    if (p->at == p->end || *p->at < first || *p->at > last)
        return false;
    p->at++;
    return true;
}

static bool one(struct place *p, char byte)
{
    return between(p, byte, byte);
}

static bool word(struct place *p, const char *text)
{
    while (*text)
        if (!one(p, *text++))
            return false;
    return true;
}

static bool digits(struct place *p)
{
    if (!between(p, '0', '9'))
        return false;
    while (between(p, '0', '9'))
        ;
    return true;
}

static bool number(struct place *p)
{
    one(p, '-');
    if (!one(p, '0') && !digits(p))
        return false;
    if (one(p, '.') && !digits(p))
        return false;
    if (one(p, 'e') || one(p, 'E')) {
        if (!one(p, '+'))
            one(p, '-');
        return digits(p);
    }
    return true;
}

/* One character of UTF-8: its code point is worked out, and must need all the bytes it has. */
static bool character(struct place *p)
{
    static const unsigned long least[] = {0, 0x80, 0x800, 0x10000};
    unsigned char lead = (unsigned char)*p->at++;
    unsigned long point;
    int more;

    if (lead < 0x80)
        return true;
    more = (lead & 0xe0) == 0xc0 ? 1 : (lead & 0xf0) == 0xe0 ? 2 : (lead & 0xf8) == 0xf0 ? 3 : 0;
    if (!more)
        return false;
    point = lead & (0x3fu >> more);
    for (int i = 0; i < more; i++) {
        if (p->at == p->end || ((unsigned char)*p->at & 0xc0) != 0x80)
            return false;
        point = point << 6 | ((unsigned char)*p->at++ & 0x3f);
    }
    return point >= least[more] && point <= 0x10ffff && !(point >= 0xd800 && point <= 0xdfff);
}

static bool escape(struct place *p)
{
    if (!one(p, 'u'))
        return one(p, '"') || one(p, '\\') || one(p, '/') || one(p, 'b') || one(p, 'f') ||
               one(p, 'n') || one(p, 'r') || one(p, 't');
    for (int i = 0; i < 4; i++)
        if (!between(p, '0', '9') && !between(p, 'a', 'f') && !between(p, 'A', 'F'))
            return false;
    return true;
}

static bool string(struct place *p)
{
    if (!one(p, '"'))
        return false;
    while (p->at < p->end) {
        if (one(p, '"'))
            return true;
        if (one(p, '\\')) {
            if (!escape(p))
                return false;
        } else if (between(p, 0x00, 0x1f) || !character(p)) {
            return false;
        }
    }
    return false;
}

/* What stands between the brackets, and the closing one. */
static bool members(struct place *p, int depth, bool object)
{
    char close = object ? '}' : ']';

    blanks(p);
    if (one(p, close))
        return true;
    do {
        struct span key = {p->at, 0}, held;

        blanks(p);
        key.at = p->at;
        if (object && !string(p))
            return false;
        key.length = (size_t)(p->at - key.at);
        blanks(p);
        if (object && !one(p, ':'))
            return false;
        blanks(p);
        held.at = p->at;
        if (value(p, depth) == JSON_NONE)
            return false;
        held.length = (size_t)(p->at - held.at);
        if (depth == 1 && p->visit)
            p->visit(p->owner, key, held);
        blanks(p);
    } while (one(p, ','));
    return one(p, close);
}

static enum json_type value(struct place *p, int depth)
{
    bool object = one(p, '{');

    if (object || one(p, '[')) {
        if (depth == JSON_DEPTH_MAX || !members(p, depth + 1, object))
            return JSON_NONE;
        return object ? JSON_OBJECT : JSON_ARRAY;
    }
    if (p->at == p->end)
        return JSON_NONE;
    switch (*p->at) {
    case '"':
        return string(p) ? JSON_STRING : JSON_NONE;
    case 't':
        return word(p, "true") ? JSON_TRUE : JSON_NONE;
    case 'f':
        return word(p, "false") ? JSON_FALSE : JSON_NONE;
    case 'n':
        return word(p, "null") ? JSON_NULL : JSON_NONE;
    default:
        return number(p) ? JSON_NUMBER : JSON_NONE;
    }
}

static enum json_type whole(struct place *p)
{
    enum json_type type;

    blanks(p);
    type = value(p, 0);
    blanks(p);
    return p->at == p->end ? type : JSON_NONE;
}

enum json_type grammar_type(struct span text)
{
    struct place place = {.at = text.length ? text.at : ""};

    place.end = place.at + text.length;
    return whole(&place);
}

void grammar_each(struct span container, grammar_visit *visit, void *owner)
{
    struct place place = {container.at, container.at + container.length, visit, owner};

    whole(&place);
}

struct finding {
    const char *key;
    struct span found;
};

static void compare_key(void *owner, struct span key, struct span held)
{
    struct finding *finding = owner;
    size_t length = strlen(finding->key);

    if (key.length == length + 2 && memcmp(key.at + 1, finding->key, length) == 0)
        finding->found = held;
}

struct span grammar_find(struct span object, const char *key)
{
    struct finding finding = {.key = key};

    if (object.length && grammar_type(object) == JSON_OBJECT)
        grammar_each(object, compare_key, &finding);
    return finding.found;
}

bool grammar_is_utf8(struct span text)
{
    struct place place = {.at = text.length ? text.at : ""};

    place.end = place.at + text.length;
    while (place.at < place.end)
        if (!character(&place))
            return false;
    return true;
}
