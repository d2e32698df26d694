/* See pip_names.h. */
#include "runner/zygote/pip_names.h"

#include <string.h>
#include <strings.h>

#include "runner/base/mem.h"

/* Modules that people look for under the wrong name. */
static const char *const names[][2] = {
    {"Crypto", "pycryptodome"},
    {"Levenshtein", "python-Levenshtein"},
    {"MySQLdb", "mysqlclient"},
    {"OpenSSL", "pyOpenSSL"},
    {"PIL", "Pillow"},
    {"attr", "attrs"},
    {"bs4", "beautifulsoup4"},
    {"cv2", "opencv-python-headless"},
    {"dateutil", "python-dateutil"},
    {"docx", "python-docx"},
    {"dotenv", "python-dotenv"},
    {"fitz", "PyMuPDF"},
    {"git", "GitPython"},
    {"jose", "python-jose"},
    {"jwt", "PyJWT"},
    {"magic", "python-magic"},
    {"nacl", "PyNaCl"},
    {"pptx", "python-pptx"},
    {"psycopg2", "psycopg2-binary"},
    {"serial", "pyserial"},
    {"skimage", "scikit-image"},
    {"sklearn", "scikit-learn"},
    {"slugify", "python-slugify"},
    {"yaml", "PyYAML"},
    {"zmq", "pyzmq"},
};

const char *pip_name(const char *module)
{
    for (size_t i = 0; i < ARRAY_COUNT(names); i++)
        if (strcmp(names[i][0], module) == 0)
            return names[i][1];
    return module;
}

const char *pip_module(const char *distribution)
{
    for (size_t i = 0; i < ARRAY_COUNT(names); i++)
        if (strcasecmp(names[i][1], distribution) == 0)
            return names[i][0];
    return NULL;
}
