/* See rehearsal.h. */
#include <Python.h>

#include "runner/zygote/rehearsal.h"

#include <marshal.h>

#include "runner/base/mem.h"
#include "runner/zygote/execute.h"

enum {
    /* CPython's own allocator has a list for each multiple of 16 bytes, up to 512. */
    SMALL_STEP = 16,
    SMALL_MAX = 512,
    /* Of each size. With half of it, loading a node of ten lines met the first page that was
     * not the child's own. */
    SMALL_BYTES = 4 * 1024,
};

struct rehearsal {
    const struct execution *execution;
    PyObject *known; /* the short one's code, as marshal has it; NULL: it could not be made */
};

/* Nodes like many. The second has the names that most code has, each of which is a string whose
 * references are counted; most of it does not run. */
#define REHEARSAL(code)                                                                            \
    "{\"code\":\"" code "\",\"nodeMode\":\"runOnceForAllItems\",\"items\":[{\"json\":{\"name\":"   \
    "\"one\",\"n\":1,\"part\":0.5,\"more\":[true,null,\"\\u00e9\"]}},{\"json\":{\"name\":\"two\"}" \
    "}],"                                                                                          \
    "\"continueOnFail\":false,\"workflowId\":\"w\",\"nodeId\":\"n\"}"

static const char short_rehearsal[] =
    REHEARSAL("total = 0\\nfor item in _items:\\n    total += len(item['json']['name'])\\n"
              "    item['json']['total'] = f'{total:>4}'.strip()\\n"
              "return sorted(_items, key=lambda item: item['json']['name'])");

static const char long_rehearsal[] = REHEARSAL(
    "def clean(text, value=None, key=0):\\n"
    "    parts = [part.strip().lower() for part in str(text).split(',') if part]\\n"
    "    data = {'id': key, 'name': '-'.join(parts), 'value': round(float(value or 0), 2)}\\n"
    "    return {name: field for name, field in data.items() if field is not None}\\n"
    "rows, seen, groups, result = [], set(), {}, []\\n"
    "if len(_items) > 1000:\\n"
    "    for index, item in enumerate(_items):\\n"
    "        row = item['json']\\n"
    "        try:\\n"
    "            number = int(row.get('n', 0)) + sum(x for x in range(3)) * max(1, min(2, "
    "abs(-1)))\\n"
    "        except (KeyError, TypeError, ValueError) as error:\\n"
    "            print(f'{index}: {error}', repr(row))\\n"
    "            continue\\n"
    "        if isinstance(row, dict) and any(row.values()) and all(row.keys()):\\n"
    "            rows.append(dict(row, text=row['name'].upper().replace('a', 'b')))\\n"
    "        groups.setdefault(row['name'].startswith('x'), []).extend(list(zip(rows, rows)))\\n"
    "        seen.add(tuple(sorted(row)))\\n"
    "        rows[-1].update(clean(row['name'].title(), number, index))\\n"
    "        result.append({'json': {**row, 'count': rows.count(row), 'last': rows.pop()}})\\n"
    "return [item for item in _items if item['json'].get('name')]");

struct rehearsal *rehearsal_new(const struct execution *execution)
{
    struct rehearsal *rehearsal = mem_alloc(sizeof(*rehearsal));
    PyObject *code = execute_quietly(execution, short_rehearsal, NULL);

    rehearsal->execution = execution;
    rehearsal->known = code ? PyMarshal_WriteObjectToString(code, Py_MARSHAL_VERSION) : NULL;
    PyErr_Clear();
    Py_XDECREF(code);
    return rehearsal;
}

/* A new reference, or NULL. */
static PyObject *load_known(const struct rehearsal *rehearsal)
{
    PyObject *known = rehearsal->known, *code = NULL;

    if (known)
        code = PyMarshal_ReadObjectFromString(PyBytes_AS_STRING(known), PyBytes_GET_SIZE(known));
    PyErr_Clear();
    return code;
}

void rehearsal_of_known_code(const struct rehearsal *rehearsal)
{
    PyObject *code = load_known(rehearsal);
    PyObject *same = execute_quietly(rehearsal->execution, short_rehearsal, code);

    Py_XDECREF(same);
    Py_XDECREF(code);
}

void rehearsal_of_loading(const struct rehearsal *rehearsal)
{
    Py_XDECREF(load_known(rehearsal));
}

void rehearsal_of_new_code(const struct rehearsal *rehearsal)
{
    PyObject *code = execute_quietly(rehearsal->execution, long_rehearsal, NULL);

    Py_XDECREF(code);
}

void rehearsal_of_memory(void)
{
    void *last = NULL;

    for (size_t size = SMALL_STEP; size <= SMALL_MAX; size += SMALL_STEP)
        for (size_t taken = 0; taken < SMALL_BYTES; taken += size) {
            void **block = PyObject_Malloc(size);

            if (!block)
                break;
            *block = last;
            last = block;
        }
    /* what is given back last is given out first: in the order of now */
    while (last) {
        void *before = *(void **)last;

        PyObject_Free(last);
        last = before;
    }
}
